"""Reads how the steps behind a report went: times, versions, checksums. Unlike evidence, these vary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.artifact import ArtifactRef, StepResult
from w2s_jobs.contracts.cost import Cost
from w2s_jobs.contracts.report import StepUse
from w2s_jobs.core.analysis.cost import StepCost, sum_costs

__all__ = ["History", "read_history"]


@dataclass(frozen=True)
class History:
    """Results of the steps that the report's points needed."""

    steps: tuple[tuple[StepUse, StepResult], ...]
    missing: tuple[StepUse, ...]
    """steps without a result: someone deleted them after they were used"""

    def cost(self) -> Cost:
        """Sum what the steps took."""
        costs = [
            StepCost(
                kind=use.kind,
                uses=use.uses,
                seconds=result.timings.get("seconds", 0.0),
                gpu_seconds=result.timings.get("gpuSeconds", 0.0),
                attempts=_attempts(result.attempt),
            )
            for use, result in self.steps
        ]
        return sum_costs(costs, unknown=len(self.missing))

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Collect the versions of every library that computed something; more than one is worth knowing."""
        found: dict[str, set[str]] = {}
        for _, result in self.steps:
            for library, version in result.versions.items():
                found.setdefault(library, set()).add(version)
        return {library: tuple(sorted(versions)) for library, versions in sorted(found.items())}

    def data_files(self) -> list[tuple[str, str, int, str]]:
        """List what `prepare` wrote: split and part (and task, of several), file, bytes, SHA-256."""
        prepared = [result for use, result in self.steps if use.kind == "prepare"]
        several = len({_family(result) for result in prepared}) > 1
        return [
            (
                f"{_family(result) + ' ' if several else ''}{_part(result)}",
                entry.name,
                entry.size,
                entry.sha256,
            )
            for result in prepared
            for entry in result.files
        ]

    def set_aside(self) -> list[str]:
        """Say of each dataset how many records were left out, where any were."""
        counts = {
            _family(result): (result.metrics.get("skippedRecords", 0), result.metrics.get("repeatedRecords", 0))
            for use, result in self.steps
            if use.kind == "prepare"
        }
        return [
            f"{family}: {skipped} records that cannot be read, {repeated} whose question repeats or is a test question"
            for family, (skipped, repeated) in counts.items()
            if skipped or repeated
        ]


def read_history(context: StepContext, uses: Sequence[StepUse]) -> History:
    """Read the result of each step from the store."""
    read = [(use, context.store.read_result(ArtifactRef(kind=use.kind, key=use.key))) for use in uses]
    return History(
        steps=tuple((use, result) for use, result in read if result is not None),
        missing=tuple(use for use, result in read if result is None),
    )


def _family(result: StepResult) -> str:
    return str(result.spec.get("params", {}).get("task", {}).get("family", "?"))


def _part(result: StepResult) -> str:
    params = result.spec.get("params", {})
    return f"{params.get('split', '?')} {params.get('part', '')}"


def _attempts(name: str) -> int:
    """Read the number that an attempt's name begins with: the third attempt is `3-…`."""
    match = re.match(r"\d{1,4}(?=-|$)", name)
    return int(match.group()) if match else 1
