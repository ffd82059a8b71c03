"""The EGI profile of GLUE 2.0, as glue-validator 2.1 checks it: every rule by its code, and which of them are wrong."""
