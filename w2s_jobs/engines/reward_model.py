"""A reward model: a decoder with a scalar head that is read at the end token, in Hugging Face layout.

`AutoModelForSequenceClassification` opens it, and finds the end token as the last that is no padding. Here the end
tokens are named, so that packed rows can be read too.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MethodType
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.integrations import is_deepspeed_zero3_enabled

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.engines.batches import MicroBatch
from w2s_jobs.engines.packing import Layout
from w2s_jobs.engines.saved_model import save_model
from w2s_jobs.engines.token_examples import TokenExamples

__all__ = ["ends_of", "open_reward_model", "write_indifferent_model"]

HEAD = "score.weight"
"""name of the head's weights in every decoder of transformers"""


def open_reward_model(folder: str | Path, new_head: bool = False, **options: Any) -> Any:
    """Load a reward model; called with inputs, `rows` and `columns` it returns the head's outputs there.

    With `new_head`, a model that has no head gets one of zeros: each reward is then sigmoid(0) = 0.5.

    Raises
    ------
    InputError
        The model's architecture has no such classifier, or weights are missing.
    """
    try:
        with _without_report():
            model, info = AutoModelForSequenceClassification.from_pretrained(
                folder, num_labels=1, output_loading_info=True, ignore_mismatched_sizes=True, **options
            )
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"model {folder}: cannot be loaded as a reward model: {error}") from error
    if not isinstance(getattr(model, "score", None), torch.nn.Linear):
        raise InputError(f"model {folder}: {type(model).__name__} is no decoder with a scalar head; take another model")
    missing = {*info["missing_keys"], *(name for name, *_ in info["mismatched_keys"])}
    if new_head and HEAD in missing:
        _zero(model.score.weight)
        missing.remove(HEAD)
    if missing:
        raise InputError(
            f"model {folder}: {len(missing)} weights of a reward model are missing or not of the shape that "
            f"config.json asks for, such as {min(missing)}; is it a model that a training on pairs has made?"
        )
    model.config.get_text_config().pad_token_id = _padding(AutoTokenizer.from_pretrained(folder))
    model.forward = MethodType(_read_ends, model)
    return model


def ends_of(examples: TokenExamples, members: MicroBatch, layout: Layout) -> dict[str, torch.Tensor]:
    """Return rows and columns of the examples' last tokens, each of shape (members,)."""
    lengths = examples.lengths
    return {
        "rows": torch.tensor([row for row, _ in layout.places], dtype=torch.long),
        "columns": torch.tensor(
            [start + int(lengths[index]) - 1 for index, (_, start) in zip(members, layout.places, strict=True)],
            dtype=torch.long,
        ),
    }


def write_indifferent_model(source: Path, folder: Path) -> None:
    """Write `source` with a head of zeros: the reward model of someone who has seen no pairs, 0.5 for everything."""
    shutil.rmtree(folder, ignore_errors=True)
    save_model(open_reward_model(source, new_head=True, dtype="auto"), source, folder)


def _read_ends(model: Any, rows: torch.Tensor, columns: torch.Tensor, **inputs: Any) -> torch.Tensor:
    """Run the decoder and return the head's outputs, shape (ends,), for the tokens in these rows and columns."""
    hidden = model.base_model(**inputs, use_cache=False).last_hidden_state
    ends = hidden[rows.to(hidden.device), columns.to(hidden.device)]  # of several GPUs, the last has them
    return model.score(ends.to(model.score.weight)).flatten()


@contextmanager
def _without_report() -> Iterator[None]:
    """Keep transformers from reporting a new head as a mistake; what is missing is told by the caller."""
    log = logging.getLogger("transformers.modeling_utils")
    log.disabled = True  # its level stays: a higher one makes transformers report other things
    try:
        yield
    finally:
        log.disabled = False


def _zero(weights: torch.nn.Parameter) -> None:
    if not is_deepspeed_zero3_enabled():
        torch.nn.init.zeros_(weights)
        return
    import deepspeed  # only here: each rank holds a part of the weights

    with deepspeed.zero.GatheredParameters([weights], modifier_rank=0):
        torch.nn.init.zeros_(weights)


def _padding(tokenizer: Any) -> int:
    """Choose the padding token: the tokenizer's, unless it is the end token, at which rewards are read.

    Any other token will do: examples end with the end token, so what is found from the right is that.
    """
    named = [tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.unk_token_id]
    return next(int(token) for token in [*named, 0, 1] if token not in (None, tokenizer.eos_token_id))
