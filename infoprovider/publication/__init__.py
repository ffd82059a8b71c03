"""What is known becomes the current document, and the current document reaches its channels."""
