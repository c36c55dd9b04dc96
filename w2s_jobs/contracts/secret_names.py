"""Which variables hold a key or a password, by their names: no manifest gives them in clear, and no log shows them."""

from __future__ import annotations

import re

__all__ = ["means_secret"]

_SECRET = re.compile(r"SECRET|PASSW|PASSPHRASE|APIKEY|(^|_)KEY(_|$)|TOKEN(_|$)", re.IGNORECASE)
"""TOKENIZERS_PARALLELISM and MAX_TOKENS are none"""


def means_secret(name: str) -> bool:
    """Tell whether a variable of this name holds a secret, or leads to one."""
    return _SECRET.search(name) is not None
