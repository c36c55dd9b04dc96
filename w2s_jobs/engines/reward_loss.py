"""Reward modelling: tell positive pairs of question and completion from the others (paper `reward`, section 4.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from transformers import AutoModelForSequenceClassification

from w2s_jobs.contracts.step_params import RewardObjective
from w2s_jobs.engines.batches import MicroBatch
from w2s_jobs.engines.packing import Layout
from w2s_jobs.engines.reward_model import ends_of, open_reward_model
from w2s_jobs.engines.token_examples import TokenExamples

__all__ = ["RewardLoss", "pair_weights", "summed_reward_loss"]


class RewardLoss:
    """An `Objective` over pairs, read at the end token of each."""

    model_class = AutoModelForSequenceClassification

    def __init__(self, settings: RewardObjective, positive: npt.NDArray[np.bool_]) -> None:
        self.settings = settings
        # Counted over all pairs: a batch's own counts would make its loss depend on who else is in it.
        self._weights = pair_weights(positive, settings.balanced) * np.where(positive, 1, -1)

    def open(self, folder: str, **options: Any) -> Any:
        """Load a model with a scalar head, which is 0 where the model comes without one."""
        return open_reward_model(folder, new_head=True, **options)

    def marks(self, examples: TokenExamples, members: MicroBatch, layout: Layout) -> dict[str, torch.Tensor]:
        """Mark the end tokens: rows, columns : (pairs,); signed : (pairs,) weights, negative for negative pairs."""
        signed = torch.tensor([float(self._weights[index]) for index in members])
        return {**ends_of(examples, members, layout), "signed": signed}

    def summed_loss(self, model: Any, inputs: dict[str, Any], marks: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the weighted sum of the pairs' losses."""
        rewards = model(**inputs, rows=marks["rows"], columns=marks["columns"])
        return summed_reward_loss(self.settings.loss, rewards.float(), marks["signed"])


def pair_weights(positive: npt.NDArray[np.bool_], balanced: bool) -> npt.NDArray[np.float64]:
    """Return each pair's weight, 1 on average; balanced, each class that there is has the same sum of weights."""
    if not balanced:
        return np.ones(len(positive))
    positives = int(positive.sum())
    negatives = len(positive) - positives
    classes = bool(positives) + bool(negatives)
    return len(positive) / (classes * np.where(positive, positives, negatives).astype(np.float64))


def summed_reward_loss(loss: str, rewards: torch.Tensor, signed: torch.Tensor) -> torch.Tensor:
    """Sum the losses of pairs from the head's outputs and the signed weights, both of shape (pairs,).

    `logistic` is the cross entropy of sigmoid(R). `difference` is the paper's eq. 7 with its sign turned: over balanced
    pairs, the mean of what is summed here is mean(sigmoid(R-)) - mean(sigmoid(R+)), as tanh(R / 2) = 2 sigmoid(R) - 1.
    """
    if loss == "logistic":
        return (signed.abs() * functional.softplus(-signed.sign() * rewards)).sum()
    return -(signed * torch.tanh(rewards / 2)).sum()
