"""The paper's published numbers beside this run's: matched by role and thresholds, nothing interpolated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from w2s_jobs.contracts.analyses import Published, PublishedPair
from w2s_jobs.contracts.results import ExtraTestResult, SettingResult
from w2s_jobs.contracts.settings import PublishedSetting
from w2s_jobs.core.analysis.points import setting_name

__all__ = ["PublishedRow", "lay_beside", "parse_published"]

PAPER = "How to mitigate overfitting in weak-to-strong generalization?"


@dataclass(frozen=True)
class PublishedRow:
    """One published pair of accuracy and PGR, as fractions."""

    setting: str
    role: str
    thresholds: tuple[int, ...]
    test_set: Literal["test", "together"]
    accuracy: float
    pgr: float | None
    table: str


def parse_published(rows: Iterable[Mapping[str, str]]) -> list[PublishedRow]:
    """Read the rows of `published.csv`, whose numbers are percents as printed."""
    return [
        PublishedRow(
            setting=row["setting"],
            role=row["role"],
            thresholds=tuple(int(t) for t in row["thresholds"].split("-") if t),
            test_set="together" if row["test_set"] == "together" else "test",
            accuracy=round(float(row["accuracy_pct"]) / 100, 6),
            pgr=round(float(row["pgr_pct"]) / 100, 6) if row["pgr_pct"] else None,
            table=row["table"],
        )
        for row in rows
    ]


def lay_beside(
    setting: PublishedSetting | None,
    rows: Sequence[PublishedRow],
    settings: Sequence[SettingResult],
    tests: ExtraTestResult | None,
) -> Published | None:
    """Pair every published row of a setting with this run's; rows that this run lacks stay, without an own number."""
    if setting is None:
        return None
    own = {("test", s.role, s.thresholds): s for s in settings}
    if tests is not None:
        own |= {("together", s.role, s.thresholds): s for s in tests.settings}
    pairs = []
    for row in rows:
        if row.setting == setting:
            found = own.get((row.test_set, row.role, row.thresholds))
            pairs.append(
                PublishedPair(
                    name=setting_name(row.role, row.thresholds),
                    role=row.role,
                    thresholds=row.thresholds,
                    test_set=row.test_set,
                    published_accuracy=row.accuracy,
                    published_pgr=row.pgr,
                    table=row.table,
                    accuracy=None if found is None else found.accuracy,
                    pgr=None if found is None else found.pgr,
                )
            )
    return Published(setting=setting, paper=PAPER, pairs=tuple(pairs))
