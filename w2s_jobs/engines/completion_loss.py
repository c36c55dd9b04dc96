"""Supervised fine-tuning: the cross entropy of each completion's tokens, given all that stands before them."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM

from w2s_jobs.engines.batches import MicroBatch
from w2s_jobs.engines.packing import Layout
from w2s_jobs.engines.token_examples import TokenExamples

__all__ = ["CompletionLoss"]

IGNORED = -100
"""target of a position that the loss leaves out"""


class CompletionLoss:
    """An `Objective` over examples whose completion is learnt, end token included."""

    model_class = AutoModelForCausalLM

    def open(self, folder: str, **options: Any) -> Any:
        """Load a model with its language head."""
        return AutoModelForCausalLM.from_pretrained(folder, **options)

    def marks(self, examples: TokenExamples, members: MicroBatch, layout: Layout) -> dict[str, torch.Tensor]:
        """Mark the tokens to predict.

        Returns
        -------
        keep : (K,) columns in which some row learns its next token; targets : (rows, K) those tokens, -100 where a
        row learns nothing.
        """
        ids = layout.inputs["input_ids"]
        targets = torch.full_like(ids, IGNORED)
        for index, (row, start) in zip(members, layout.places, strict=True):
            first = start + int(examples.prompt_lengths[index])
            end = start + int(examples.lengths[index])
            targets[row, first - 1 : end - 1] = ids[row, first:end]
        keep = (targets != IGNORED).any(dim=0).nonzero().flatten()
        return {"keep": keep, "targets": targets[:, keep]}

    def summed_loss(self, model: Any, inputs: dict[str, Any], marks: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the sum of the cross entropy of the marked tokens.

        Logits are computed only where something is learnt: with a vocabulary of 50,000, that is much of a small model.
        """
        logits = model(**inputs, logits_to_keep=marks["keep"], use_cache=False).logits
        return functional.cross_entropy(
            logits.float().flatten(0, 1), marks["targets"].flatten(), ignore_index=IGNORED, reduction="sum"
        )
