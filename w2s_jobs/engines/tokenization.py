"""From text to tokens: what is learnt, what is only read, and what is cut.

Prompt and completion are tokenised apart and their ids concatenated, so that the prompt's ids are those that the
model is given when it is sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoTokenizer

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.core.prompts import Prompt, join_completion
from w2s_jobs.engines.sampler import encode_prompt
from w2s_jobs.engines.token_examples import TokenExamples

__all__ = ["tokenize_examples"]


def tokenize_examples(
    model: Path, prompts: Sequence[Prompt], completions: Sequence[str], max_seq_len: int
) -> TokenExamples:
    """Tokenise examples and cut them to `max_seq_len` tokens on the left of the prompt, never in the completion.

    Raises
    ------
    InputError
        The model's tokenizer has no end token, a chat prompt meets no chat template, or no example fits.
    """
    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"model {model}: its tokenizer has no eos_token, so no completion could end; name one in its config"
        )
    joined = [join_completion(prompt, text) for prompt, text in zip(prompts, completions, strict=True)]
    completion_ids = tokenizer(joined, add_special_tokens=False).input_ids if joined else []
    pieces: list[list[int]] = []
    prompt_lengths: list[int] = []
    for prompt, completion in zip(prompts, completion_ids, strict=True):
        learnt = [*completion, tokenizer.eos_token_id]
        room = max_seq_len - len(learnt)
        if room < 1:  # the first token of a completion is predicted from at least one token before it
            continue
        read = encode_prompt(tokenizer, prompt, model)[-room:] or (tokenizer.eos_token_id,)
        pieces.append([*read, *learnt])
        prompt_lengths.append(len(read))
    if not pieces:
        raise InputError(
            f"each of the {len(prompts)} examples has a completion longer than maxSeqLen={max_seq_len} tokens; "
            "raise training.maxSeqLen"
        )
    return TokenExamples(
        ids=np.concatenate([np.asarray(piece, dtype=np.int32) for piece in pieces]),
        offsets=np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64),
        prompt_lengths=np.asarray(prompt_lengths, dtype=np.int64),
        dropped=len(prompts) - len(pieces),
    )
