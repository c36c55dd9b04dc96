"""A trained model as a folder in Hugging Face layout, with what it takes over from the model it started from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, GenerationConfig

__all__ = ["save_model"]

_TOKENIZER = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model")
_COPIED = (*_TOKENIZER, "chat_template*", "generation_config.json")
"""files that are copied byte for byte"""


def save_model(model: Any, source: Path, folder: Path, weights: dict[str, Any] | None = None) -> None:
    """Write a model that started as `source`; `weights` are given where the model holds only a part of them."""
    model.config.use_cache = True  # the trainer turns it off; whoever samples wants it
    if model.can_generate():
        # The source's own file is copied below: saving it anew would refuse some that are published.
        model.generation_config = GenerationConfig.from_model_config(model.config)
    model.save_pretrained(folder, state_dict=weights)
    for pattern in _COPIED:
        for path in sorted(source.glob(pattern)):
            shutil.copyfile(path, folder / path.name)
    if not model.can_generate():
        _pad_alike(folder, model.config.get_text_config().pad_token_id)


def _pad_alike(folder: Path, token: int) -> None:
    """Let the tokenizer pad with the token that a classifier takes for padding: it looks for the last other one."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    if tokenizer.pad_token_id != token:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(token)
        tokenizer.save_pretrained(folder)
