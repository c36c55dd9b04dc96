"""Experiments that succeeded under another version of w2s.

A release may compute something else from the same manifest: the keys of its steps change then, and nothing of a
finished experiment exists under the new ones. What it has found it has found: nobody asked for it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.api.reasons import ConditionType

__all__ = ["key_of_success"]


def key_of_success(obj: Mapping[str, Any]) -> str | None:
    """Return the key of the report with which an experiment succeeded as its spec is now; None where it did not.

    The key is that of the whole plan: it changes with the version of every step before it. It is read off the report's
    URI, `<store>/<kind>/<key>/`.
    """
    status, generation = obj.get("status") or {}, obj["metadata"]["generation"]
    succeeded = any(
        one.get("type") == ConditionType.SUCCEEDED
        and one.get("status") == "True"
        and one.get("observedGeneration") == generation
        for one in status.get("conditions") or ()
    )
    report = (status.get("results") or {}).get("report") or ""
    if not succeeded or status.get("observedGeneration") != generation:
        return None
    return report.rstrip("/").rpartition("/")[2] or None
