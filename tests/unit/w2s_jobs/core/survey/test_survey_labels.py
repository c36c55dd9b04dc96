from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.contracts.survey import Relabelled
from w2s_jobs.contracts.survey_results import AGREEMENT_CLASSES, CapabilityFigures
from w2s_jobs.core.survey.evidence import Answers
from w2s_jobs.core.survey.judge import CapabilityJudge, JudgedLabels
from w2s_jobs.core.survey.labels import label_quality

KEY = "0" * 64
ANSWER = st.sampled_from(["a", "b", "c", None])
ROWS = st.lists(st.tuples(st.sampled_from(["a", "b"]), ANSWER, ANSWER, st.booleans()), min_size=1, max_size=40)
Row = tuple[str, str | None, str | None, bool]


def labels_of(
    rows: list[Row], capability: str = "scan", seed: int = 0, kept: Answers | None = None
) -> tuple[JudgedLabels, dict[str, Answers]]:
    """Judge the labels of rows (gold, weak, strong, kept), and the kept ones by key."""
    ids = [f"{i:03}" for i in range(len(rows))]
    judge = CapabilityJudge(dict(zip(ids, (r[0] for r in rows), strict=True)), lambda a, b: a == b)
    weak, strong = (judge.judge_all(dict(zip(ids, (r[n] for r in rows), strict=True))) for n in (1, 2))
    key = f"{seed:02}{capability}".encode().hex().ljust(64, "0")[:64]
    of = Relabelled(
        capability=capability,
        weak="w",
        model="s",
        seed=seed,
        weak_votes=KEY,
        strong_votes=KEY,
        kept={"reward": key},
    )
    if kept is None:
        kept = {i: row[1] for i, row in zip(ids, rows, strict=True) if row[3]}
    return JudgedLabels(of, judge, weak, strong, None, judge.classes(weak, strong)), {key: kept}


def figures_of(rows: list[Row], kept: Answers | None = None) -> CapabilityFigures:
    judged, by_key = labels_of(rows, kept=kept)
    return label_quality([judged], by_key)[0].capabilities["scan"]


@given(ROWS)
def test_kept_and_dropped_labels_recombine_to_the_accuracy_of_all(rows: list[Row]) -> None:
    kept = figures_of(rows).selected["reward"]
    dropped = figures_of([(*row[:3], not row[3]) for row in rows]).selected["reward"]
    whole = kept.retention * (kept.correctness or 0) + dropped.retention * (dropped.correctness or 0)
    assert kept.retention + dropped.retention == pytest.approx(1, abs=1e-5)
    assert whole == pytest.approx(figures_of(rows).weak, abs=1e-5)


@given(ROWS)
def test_kept_labels_of_all_classes_add_up_and_are_never_more_than_offered(rows: list[Row]) -> None:
    figures = figures_of(rows)
    kept = figures.selected["reward"]
    counts = [(getattr(kept.by_class, c), getattr(figures.agreement, c)) for c in AGREEMENT_CLASSES]
    assert sum(n for n, _ in counts) == kept.kept
    assert sum(n for _, n in counts) == figures.offered == len(rows)
    assert all(n <= offered for n, offered in counts)
    assert kept.correctness is None or round(kept.correctness * kept.kept) == (
        kept.by_class.both_right + kept.by_class.first_right
    )


@given(ROWS)
def test_a_perfect_selection_is_all_right_and_keeps_the_share_that_is_right(rows: list[Row]) -> None:
    perfect: list[Row] = [(gold, weak, strong, weak == gold) for gold, weak, strong, _ in rows]
    figures = figures_of(perfect)
    assert figures.selected["reward"].correctness in (1, None)
    assert figures.selected["reward"].retention == figures.weak


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_kept_rows_changes_nothing(rows: list[Row], random: object) -> None:
    ids = [f"{i:03}" for i, row in enumerate(rows) if row[3]]
    random.shuffle(ids)  # type: ignore[attr-defined]
    assert figures_of(rows, {i: rows[int(i)][1] for i in ids}) == figures_of(rows)


@given(ROWS, ROWS)
def test_averages_lie_between_capabilities_and_counts_add_up(rows: list[Row], others: list[Row]) -> None:
    (one, kept), (two, more) = labels_of(rows, "creak"), labels_of(others, "scan")
    (quality,) = label_quality([one, two], {**kept, **more})
    apart, average = list(quality.capabilities.values()), quality.average
    for name in ("weak", "strong"):
        values = [getattr(figures, name) for figures in apart]
        assert min(values) <= getattr(average, name) <= max(values)
    assert average.offered == len(rows) + len(others)
    assert average.selected["reward"].kept == sum(f.selected["reward"].kept for f in apart)
    assert average.agreement.both_right == sum(f.agreement.both_right for f in apart)


@given(ROWS, st.lists(st.booleans(), min_size=40, max_size=40))
def test_seeds_are_pooled(rows: list[Row], flips: list[bool]) -> None:
    again: list[Row] = [(g, s, w, k != flip) for (g, w, s, k), flip in zip(rows, flips, strict=False)]
    (one, kept), (two, more) = labels_of(rows, seed=0), labels_of(again, seed=1)
    (quality,) = label_quality([one, two], {**kept, **more})
    figures, (first, second) = quality.capabilities["scan"], (figures_of(rows), figures_of(again))
    assert quality.seeds == (0, 1)
    assert figures.offered == len(rows)
    assert figures.weak == pytest.approx((first.weak + second.weak) / 2, abs=1e-5)
    assert figures.selected["reward"].kept == pytest.approx(
        (first.selected["reward"].kept + second.selected["reward"].kept) / 2
    )


def test_a_selection_that_keeps_nothing_has_no_correctness() -> None:
    kept = figures_of([("a", "a", "b", False)]).selected["reward"]
    assert (kept.kept, kept.retention, kept.correctness) == (0, 0, None)
