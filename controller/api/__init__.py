"""PURE. The manifest as types: the one declaration of what an experiment is."""
