"""Examples as tokens: prompt, completion, end token. The loss is on what follows the prompt (methods.md, "train I").

Of a pair that a reward model learns from, all but the end token counts as prompt: the loss is on the one token.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["TokenExamples"]


@dataclass(frozen=True)
class TokenExamples:
    """Token ids of all examples, one after the other."""

    ids: npt.NDArray[np.int32]
    """ids, shape (sum of lengths,)"""
    offsets: npt.NDArray[np.int64]
    """offsets of each example's first token in `ids`, shape (examples + 1,)"""
    prompt_lengths: npt.NDArray[np.int64]
    """prompt_lengths in tokens, shape (examples,); always at least 1 and less than the example's length"""
    positive: npt.NDArray[np.bool_] | None = None
    """positive pairs, shape (examples,); None where completions are learnt"""
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
        positive = np.zeros(0, dtype=np.bool_) if self.positive is None else self.positive
        np.savez(
            path,
            ids=self.ids,
            offsets=self.offsets,
            prompt_lengths=self.prompt_lengths,
            positive=positive,
            dropped=self.dropped,
        )

    @classmethod
    def load(cls, path: Path) -> TokenExamples:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            positive = arrays["positive"] if len(arrays["positive"]) else None
            return cls(arrays["ids"], arrays["offsets"], arrays["prompt_lengths"], positive, int(arrays["dropped"]))
