"""The spec file as a pod finds it: JSON, or gzip in base64 where it is long, completed by the pod's environment."""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from collections.abc import Mapping

from w2s_jobs.contracts.steps import Execution, StepSpec

__all__ = ["ATTEMPT", "INDEX", "complete_spec", "unpack_spec"]

ATTEMPT = "W2S_POD_ATTEMPT"
"""Variable: name of the attempt; a pod's uid"""
INDEX = "JOB_COMPLETION_INDEX"
"""Variable that Kubernetes sets in the pods of an Indexed Job: the shard, or the node of a training on many"""


def unpack_spec(data: bytes) -> bytes:
    """Return the JSON of a spec file.

    Raises
    ------
    ValueError
        It is neither JSON nor gzip in base64.
    """
    text = data.strip()
    if text.startswith(b"{"):
        return text
    try:
        return gzip.decompress(base64.b64decode(text, validate=True))
    except (binascii.Error, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"neither JSON nor gzip in base64; it starts with {text[:20]!r}") from error


def complete_spec(spec: StepSpec, environment: Mapping[str, str]) -> StepSpec:
    """Return the spec with what only this pod knows: its attempt and its index.

    Where the environment names no attempt, this is no worker's pod, and the spec says it all.

    Raises
    ------
    ValueError
        The index is not one of the shards or nodes of the spec.
    """
    attempt = environment.get(ATTEMPT)
    if not attempt:
        return spec
    own: dict[str, str | int] = {"attempt": attempt}
    if index := environment.get(INDEX):
        own |= _index(spec.execution, index)
    return spec.model_copy(update={"execution": spec.execution.model_copy(update=own)})


def _index(execution: Execution, index: str) -> dict[str, int]:
    name, count = ("node", execution.nodes) if execution.nodes > 1 else ("shard", execution.shards)
    if not index.isdecimal() or int(index) >= count:
        raise ValueError(f"{INDEX} is '{index}'; expected a {name} from 0 to {count - 1}")
    return {name: int(index)}
