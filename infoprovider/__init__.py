"""infoprovider: the GLUE 2.0 information system publisher for virtualised resource centres."""

__version__ = "0.1.0"
