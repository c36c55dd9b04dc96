"""What a training minimises: the one part in which learning completions and learning rewards differ."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from w2s_jobs.engines.batches import MicroBatch
from w2s_jobs.engines.packing import Layout
from w2s_jobs.engines.token_examples import TokenExamples

__all__ = ["Objective"]


class Objective(Protocol):
    """A loss that is a sum over examples, so that micro-batches and ranks change nothing but rounding."""

    model_class: Any
    """class of transformers that opens the kind of model that is trained"""

    def open(self, folder: str, **options: Any) -> Any:
        """Load the model to train; `options` are those of `from_pretrained`."""

    def marks(self, examples: TokenExamples, members: MicroBatch, layout: Layout) -> dict[str, torch.Tensor]:
        """Say where in a micro-batch the loss is taken, and against what. No members take part with a loss of 0."""

    def summed_loss(self, model: Any, inputs: dict[str, Any], marks: dict[str, torch.Tensor]) -> torch.Tensor:
        """Run forward and return the loss summed over a micro-batch: of all that `examples.trained` counts there."""
