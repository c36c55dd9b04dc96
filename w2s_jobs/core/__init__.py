"""PURE. Prompts, equality, votes, selection, metrics, intervals."""
