"""PURE. What both sides agree on: step parameters, results, keys, errors."""
