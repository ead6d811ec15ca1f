"""One module a screen; functions."""
