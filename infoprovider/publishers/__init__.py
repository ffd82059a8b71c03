"""Where bytes go: one module per kind of channel; they are run by `publication`."""
