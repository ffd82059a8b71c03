"""Asking an information system as a broker does, and reading its answers back."""
