"""Experiments that end within minutes, and the data that they read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

__all__ = ["FROM_CHECKPOINT", "LONG", "SMALL_PODS", "STEPS", "one_training", "write_parity"]

TINY = Path(__file__).parents[1] / "e2e" / "tiny.yaml"
SMALL_PODS = {"spec": {"containers": [{"name": "worker", "resources": {"requests": {"cpu": "800m"}}}]}}
"""spec.podTemplate with which two pods fit beside the controller on a node of two cores"""
LONG = "pretrain weak 1"
"""The training of `one_training`"""
FROM_CHECKPOINT = "going on from the checkpoint after step"
"""What the log of a training says that does not begin anew"""
STEPS = 600
"""Optimizer steps of that training; a core makes about 35 a second"""
_STEPS_AN_EPOCH = 10
_TRAINING = {"globalBatchSize": 16, "learningRate": 1e-3, "maxSeqLen": 128, "schedule": "constant"}


def one_training(name: str, number: int = 0, steps: int = STEPS, **placement: Any) -> dict[str, Any]:
    """Return the smallest experiment with one training, on two ranks, that is long enough to be disturbed.

    Parameters
    ----------
    number
        Seed of the splits: with one that no other experiment has, no step is there already.
    placement
        More of `spec.placement.training`.
    """
    made: dict[str, Any] = yaml.safe_load(TINY.read_text())
    made["metadata"]["name"] = name
    spec = made["spec"]
    spec["dataset"]["splits"]["seed"] = number
    spec["models"]["weak"]["pretrain"][0]["training"] = {**_TRAINING, "epochs": steps // _STEPS_AN_EPOCH}
    spec["placement"] = {"training": {"parallelism": {"zeroStage": 2, "ranks": 2}, **placement}}
    spec |= {"maxParallelSteps": 1, "podTemplate": SMALL_PODS}
    return made


def write_parity(folder: Path) -> None:
    """Write claims about numbers in the format of CREAK."""
    folder.mkdir(parents=True)
    for name, numbers in (("train", range(200)), ("test", range(500, 540))):
        claims = (
            {
                "sentence": f"The number {n} is even.",
                "explanation": "By its last digit.",
                "label": str(n % 2 == 0).lower(),
            }
            for n in numbers
        )
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(claim) + "\n" for claim in claims))
