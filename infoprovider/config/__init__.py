"""What the operator writes: the centre, its communities, its VM managers, its channels."""
