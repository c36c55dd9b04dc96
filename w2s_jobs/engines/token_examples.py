"""Examples as tokens: what is learnt, what is only read, and what is cut.

Prompt and completion are tokenised apart and their ids concatenated, so that the prompt's ids are those that the
model is given when it is sampled. An example is `prompt ids + completion ids + end token`; the loss is on the
completion and the end token only (methods.md, method `confidence`, step "train I").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.core.prompts import Prompt, join_completion

__all__ = ["TokenExamples", "prompt_token_ids", "tokenize_examples"]


@dataclass(frozen=True)
class TokenExamples:
    """Token ids of all examples, one after the other."""

    ids: npt.NDArray[np.int32]
    """ids, shape (sum of lengths,)"""
    offsets: npt.NDArray[np.int64]
    """offsets of each example's first token in `ids`, shape (examples + 1,)"""
    prompt_lengths: npt.NDArray[np.int64]
    """prompt_lengths in tokens, shape (examples,); always at least 1 and less than the example's length"""
    dropped: int = 0
    """dropped examples: the completion alone is longer than allowed"""

    def __len__(self) -> int:
        return len(self.prompt_lengths)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each example, shape (examples,)."""
        return np.diff(self.offsets)

    @property
    def trained(self) -> npt.NDArray[np.int64]:
        """Tokens of each example that the loss is taken on, shape (examples,)."""
        return self.lengths - self.prompt_lengths

    def __getitem__(self, index: int) -> npt.NDArray[np.int32]:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    def save(self, path: Path) -> None:
        """Write to an `.npz` file, so that every rank reads what one process tokenised."""
        np.savez(path, ids=self.ids, offsets=self.offsets, prompt_lengths=self.prompt_lengths, dropped=self.dropped)

    @classmethod
    def load(cls, path: Path) -> TokenExamples:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["ids"], arrays["offsets"], arrays["prompt_lengths"], int(arrays["dropped"]))


def prompt_token_ids(tokenizer: Any, prompts: Sequence[Prompt]) -> list[list[int]]:
    """Tokenise prompts as they are given to the model, in training and in sampling alike.

    A chat prompt goes through the tokenizer's chat template, which brings its own special tokens; any other prompt
    gets the special tokens that the tokenizer puts before a text (such as Llama's begin-of-text).

    Raises
    ------
    InputError
        A chat prompt, and a tokenizer without a chat template.
    """
    if not prompts:
        return []
    if not prompts[0].chat:
        return [list(ids) for ids in tokenizer([prompt.text for prompt in prompts]).input_ids]
    if tokenizer.chat_template is None:
        raise InputError(
            f"the tokenizer of {tokenizer.name_or_path or 'this model'} has no chat template, but the prompt template "
            "needs one; use the template `direct` or a chat model"
        )
    texts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt.text}], tokenize=False, add_generation_prompt=True
        )
        for prompt in prompts
    ]
    return [list(ids) for ids in tokenizer(texts, add_special_tokens=False).input_ids]


def tokenize_examples(
    tokenizer: Any, prompts: Sequence[Prompt], completions: Sequence[str], max_seq_len: int
) -> TokenExamples:
    """Tokenise examples and cut them to `max_seq_len` tokens on the left of the prompt, never in the completion.

    Raises
    ------
    InputError
        The tokenizer has no end token, or no example fits.
    """
    if tokenizer.eos_token_id is None:
        raise InputError("the model's tokenizer has no end-of-sequence token (eos_token), so no completion can end")
    joined = [join_completion(prompt, text) for prompt, text in zip(prompts, completions, strict=True)]
    completion_ids = tokenizer(joined, add_special_tokens=False).input_ids if joined else []
    pieces: list[list[int]] = []
    prompt_lengths: list[int] = []
    for prompt, completion in zip(prompt_token_ids(tokenizer, prompts), completion_ids, strict=True):
        learnt = [*completion, tokenizer.eos_token_id]
        room = max_seq_len - len(learnt)
        if room < 1:  # the first token of a completion is predicted from at least one token before it
            continue
        read = (prompt or [tokenizer.eos_token_id])[-room:]
        pieces.append(read + learnt)
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
