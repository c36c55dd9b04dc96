"""PURE. One file a dataset family."""
