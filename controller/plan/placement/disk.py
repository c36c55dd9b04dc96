"""Bytes that a step has on the disk of each of its nodes: models that are read, and a training's checkpoints.

A checkpoint is what transformers' trainer and DeepSpeed 0.19 save: the weights as transformers writes them, the two
moments of Adam in float32, and under DeepSpeed a copy of the weights in float32; below stage 3 also the weights as
DeepSpeed writes them. A test measures it (tests/engines/test_placement_disk.py).
"""

from __future__ import annotations

from controller.plan.placement.shapes import ModelShape
from controller.plan.placement.training_memory import TrainingShape
from w2s_jobs.contracts.settings import Parallelism

__all__ = ["checkpoint_bytes", "model_bytes", "training_disk"]


def model_bytes(model: ModelShape, bytes_each: int) -> float:
    """Compute the size of a model's files."""
    return float(bytes_each * model.parameters)


def checkpoint_bytes(shape: TrainingShape, how: Parallelism) -> float:
    """Compute the size of a whole checkpoint, that of all nodes."""
    return _saved_weights(shape, how) + _saved_optimizer(shape, how)


def training_disk(shape: TrainingShape, how: Parallelism, nodes: int) -> float:
    """Compute what the fullest node of a training holds at once.

    The model that it starts from; the whole checkpoint that it goes on from, which lies there until the end; and the
    next one, until it is stored: the weights, and the optimizer's state of this node's ranks. The trained model comes
    when the last checkpoint is gone, and is no larger.
    """
    read = model_bytes(shape.model, 2 if shape.bf16 else 4)
    written = _saved_weights(shape, how) + _saved_optimizer(shape, how) / nodes
    return read + checkpoint_bytes(shape, how) + written


def _saved_weights(shape: TrainingShape, how: Parallelism) -> float:
    number = shape.model.parameters
    if how.zero_stage is None:  # in float32, whatever it computes in
        return 4.0 * number
    copies = 1 if how.zero_stage == 3 else 2
    return float((2 if shape.bf16 else 4) * copies * number)


def _saved_optimizer(shape: TrainingShape, how: Parallelism) -> float:
    return (8.0 if how.zero_stage is None else 12.0) * shape.model.parameters
