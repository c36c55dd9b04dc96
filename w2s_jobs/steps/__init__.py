"""One file a step kind, each read from top to bottom."""
