"""From text to tokens: what is learnt, what is only read, and what is cut.

Prompt and completion are tokenised apart and their ids concatenated, so that the prompt's ids are those that the
model is given when it is sampled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoTokenizer

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.core.prompts import Prompt, join_completion
from w2s_jobs.engines.sampler import encode_prompt
from w2s_jobs.engines.token_examples import TokenExamples

__all__ = ["longest_sequence", "tokenize_examples", "tokenize_pairs"]


def longest_sequence(model: Path, wish: int) -> int:
    """Return the longest sequence in tokens: as wished for, or fewer where the model has fewer positions."""
    return min(wish, json.loads((model / "config.json").read_text()).get("max_position_embeddings") or wish)


def tokenize_examples(
    model: Path, prompts: Sequence[Prompt], completions: Sequence[str], max_seq_len: int
) -> TokenExamples:
    """Tokenise examples and cut them to `max_seq_len` tokens on the left of the prompt, never in the completion.

    Raises
    ------
    InputError
        The model's tokenizer has no end token, a chat prompt meets no chat template, or no example fits.
    """
    pieces: list[list[int]] = []
    prompt_lengths: list[int] = []
    for prompt, completion in _encode(model, prompts, completions):
        room = max_seq_len - len(completion)
        if room < 1:  # the first token of a completion is predicted from at least one token before it
            continue
        read = prompt[-room:] or completion[-1:]
        pieces.append([*read, *completion])
        prompt_lengths.append(len(read))
    if not pieces:
        raise InputError(
            f"each of the {len(prompts)} examples has a completion longer than maxSeqLen={max_seq_len} tokens; "
            "raise training.maxSeqLen"
        )
    return _concatenate(pieces, prompt_lengths, dropped=len(prompts) - len(pieces))


def tokenize_pairs(
    model: Path,
    prompts: Sequence[Prompt],
    completions: Sequence[str],
    max_seq_len: int,
    positive: Sequence[bool] | None = None,
) -> TokenExamples:
    """Tokenise at least one pair, for a reward model to judge or (`positive` given) to learn from.

    A pair is cut to `max_seq_len` tokens on the left, as its reward is read at the end token.

    Raises
    ------
    InputError
        The model's tokenizer has no end token, or a chat prompt meets no chat template.
    """
    pieces = [
        [*(prompt or completion[-1:]), *completion][-max_seq_len:]
        for prompt, completion in _encode(model, prompts, completions)
    ]
    examples = _concatenate(pieces, [len(piece) - 1 for piece in pieces])
    return examples if positive is None else replace(examples, positive=np.asarray(positive, dtype=np.bool_))


def _encode(
    model: Path, prompts: Sequence[Prompt], completions: Sequence[str]
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Yield the ids of each prompt, and of its completion with the end token."""
    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"model {model}: its tokenizer has no eos_token, so no completion could end; name one in its config"
        )
    joined = [join_completion(prompt, text) for prompt, text in zip(prompts, completions, strict=True)]
    completion_ids = tokenizer(joined, add_special_tokens=False).input_ids if joined else []
    for prompt, completion in zip(prompts, completion_ids, strict=True):
        yield encode_prompt(tokenizer, prompt, model), [*completion, tokenizer.eos_token_id]


def _concatenate(pieces: list[list[int]], prompt_lengths: list[int], dropped: int = 0) -> TokenExamples:
    return TokenExamples(
        ids=np.concatenate([np.asarray(piece, dtype=np.int32) for piece in pieces]),
        offsets=np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64),
        prompt_lengths=np.asarray(prompt_lengths, dtype=np.int64),
        dropped=dropped,
    )
