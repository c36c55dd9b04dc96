"""How each list is merged when two people apply parts of it, and which entries may stand in it but once.

A set holds each value once, a map has one entry a key; both are merged entry by entry, and the API server refuses an
entry that is given twice. An atomic list is replaced as a whole: the place of an entry means something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from controller.api.method import Branch, ConfidenceMethod, Round
from controller.api.reward import RewardMethod
from controller.api.status import ExperimentStatus, Results
from controller.api.v1alpha1 import ChainModel, ExperimentSpec, Models, StrongModel, WeakModel
from w2s_jobs.contracts.settings import SamplingSettings

__all__ = ["LISTS", "mark_list"]

Kind = str | tuple[str, ...]
"""`set`, `atomic`, or the keys of a map"""

_FIELDS: Mapping[type[BaseModel], Mapping[str, Kind]] = {
    ExperimentSpec: {"capabilities": ("name",), "seeds": "set", "pools": ("name",)},
    Models: {"chain": ("name",)},
    WeakModel: {"pretrain": "atomic"},
    StrongModel: {"pretrain": "atomic"},
    ChainModel: {"pretrain": "atomic"},
    SamplingSettings: {"stop": "atomic"},
    ConfidenceMethod: {"rounds": "atomic", "baselines": "set", "ablations": "set"},
    Round: {"thresholds": "set", "after": "set", "branches": "atomic", "rules": "set", "selections": "set"},
    Branch: {"path": "atomic", "thresholds": "set"},
    RewardMethod: {
        "pairs": ("weak", "strong"),
        "selections": "set",
        "baselines": "set",
        "ablations": "set",
        "noise": "set",
        "weakened": "atomic",
        "removed": "atomic",
    },
    ExperimentStatus: {"conditions": ("type",), "running": "atomic", "waiting": "atomic", "failed": "atomic"},
    Results: {"points": "atomic"},
}

LISTS: Mapping[str, Mapping[str, Kind]] = {model.__name__: kinds for model, kinds in _FIELDS.items()}
"""Kinds of the lists of each type by its name"""


def mark_list(schema: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """Write the kind into a list's schema. A list in a list is a set."""
    if schema["items"]["type"] == "array":
        schema = {**schema, "items": mark_list(schema["items"], "set")}
    if isinstance(kind, tuple):
        return {**schema, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(kind)}
    return {**schema, "x-kubernetes-list-type": kind}
