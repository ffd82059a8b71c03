"""Rules that a rendering is held against before anybody gets it."""
