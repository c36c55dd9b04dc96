"""Content keys: the same work has the same key, whoever asks for it and wherever it runs.

    key = sha256(canonical JSON of kind, the kind's version, parameters, inputs)

No time, name, namespace or cluster enters a key. A location that is pinned by a digest does not either: the same
data in another folder is the same data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.model import Contract

__all__ = ["KIND_VERSIONS", "canonical_json", "keyed", "step_key"]

KIND_VERSIONS: dict[str, int] = {
    "prepare": 4,
    "sample": 2,
    "grade": 2,
    "choose": 1,
    "partition": 1,
    "score": 1,
    "select": 2,
    "clean": 1,
    "train": 2,
    "evaluate": 2,
    "report": 1,
    "survey": 1,
}
"""Raise a kind's number when its code computes something else from the same parameters."""


def canonical_json(value: Any) -> str:
    """Render JSON with sorted keys and no blanks; equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def keyed(value: Any) -> Any:
    """Drop locations (`path`, `s3`) that a `sha256` beside them pins; everything else is kept as it is."""
    if isinstance(value, dict):
        pinned = bool(value.get("sha256"))
        return {k: keyed(v) for k, v in value.items() if not (pinned and k in ("path", "s3"))}
    if isinstance(value, list | tuple):
        return [keyed(v) for v in value]
    return value


def step_key(kind: str, params: Contract, inputs: Mapping[str, Sequence[Input]]) -> str:
    """Compute the key (64 hex digits) of a step."""
    material = {
        "kind": kind,
        "version": KIND_VERSIONS[kind],
        "params": keyed(params.model_dump(mode="json", by_alias=True)),
        "inputs": {
            role: [i.model_dump(mode="json", by_alias=True) for i in items] for role, items in inputs.items() if items
        },
    }
    return hashlib.sha256(canonical_json(material).encode()).hexdigest()
