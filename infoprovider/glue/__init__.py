"""GLUE 2.0: its words, its classes with the facts of every field, and the rules from a field to its names."""
