"""What a training is given and what it hands back, as JSON between a step and its ranks."""

from __future__ import annotations

from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings
from w2s_jobs.contracts.step_params import RewardObjective

__all__ = ["Fit", "StepLoss", "TrainingJob", "checkpoint_layout"]


class TrainingJob(Contract):
    """What a rank is told beside the step's spec."""

    model: str
    """model folder in Hugging Face layout, tokenizer included"""
    output: str
    """output folder; `model/` is written there"""
    checkpoint: str | None = None
    """checkpoint folder to go on from"""
    training: TrainingSettings
    seed: int
    reward: RewardObjective | None = None
    """reward of pairs is learnt; None learns completions"""


class StepLoss(Contract):
    """One point of the loss curve."""

    step: int
    """step that was done, from 1"""
    epoch: float
    """epochs done after it"""
    loss: float
    """mean loss of the step's trained tokens; a pair has one, its end token"""
    learning_rate: float
    tokens: int
    """trained tokens of the step"""


class Fit(Contract):
    """What a training hands back; the model lies in the job's output folder."""

    losses: tuple[StepLoss, ...]
    """losses of all steps, those before a resume included"""
    seconds: float
    """seconds of training in this attempt"""
    tokens: int
    """tokens, read and trained, that went through the model in this attempt"""


def checkpoint_layout(parallelism: Parallelism) -> str:
    """Name how the optimizer's state is spread over files; a checkpoint can be used by the same layout only."""
    if parallelism.zero_stage is None:
        return "plain PyTorch"
    return f"ZeRO stage {parallelism.zero_stage} on {parallelism.ranks} ranks"
