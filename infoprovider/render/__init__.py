"""A document as bytes, one module per format."""
