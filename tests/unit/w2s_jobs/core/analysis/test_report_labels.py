from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.analysis.composition import compose, group_accuracy
from w2s_jobs.core.analysis.labels import KeptLabels, LabelJudge, Votes, threshold_curve, training_set
from w2s_jobs.core.selection import Candidate, passes

GOLD = {"a": "1", "b": "2", "c": "3"}


def test_a_label_is_right_where_the_family_calls_it_equal_to_gold() -> None:
    judge = LabelJudge({"a": "0.5"}, lambda one, other: {one, other} == {"1/2", "0.5"})
    assert judge.count_right(["a", "a"], ["1/2", "2"]) == 1


def test_a_pair_of_answers_is_compared_once() -> None:
    asked: list[tuple[str, str]] = []
    judge = LabelJudge({"a": "1", "b": "1"}, lambda one, other: bool(asked.append((one, other))))
    judge.count_right(["a", "b", "a", "b"], ["2", "2", "2", "1"])
    assert asked == [("2", "1")]


def test_a_label_without_an_answer_is_never_right() -> None:
    assert LabelJudge(GOLD, str.__eq__).count_right(["a", "z"], [None, "1"]) == 0


def test_without_gold_correctness_is_unknown_and_not_zero() -> None:
    found = training_set([KeptLabels(["a"], ["1"], 3)], LabelJudge({}, str.__eq__), 3)
    assert found.label_correctness is None
    assert found.rounds[0].correct is None


def test_a_training_set_is_the_union_of_what_its_rounds_kept() -> None:
    rounds = [KeptLabels(["a"], ["1"], 3), KeptLabels(["b"], ["9"], 2)]
    found = training_set(rounds, LabelJudge(GOLD, str.__eq__), 4)
    assert (found.size, found.coverage, found.label_correctness) == (2, 0.5, 0.5)
    assert [(r.offered, r.kept, r.correct) for r in found.rounds] == [(3, 1, 1), (2, 1, 0)]


def test_an_empty_training_set_has_no_correctness() -> None:
    found = training_set([KeptLabels([], [], 3)], LabelJudge(GOLD, str.__eq__), 3)
    assert (found.size, found.coverage, found.label_correctness) == (0, 0, None)


@given(st.lists(st.integers(0, 10), min_size=1, max_size=30))
def test_the_threshold_curve_keeps_what_select_keeps(counts: list[int]) -> None:
    ids = [str(i) for i in range(len(counts))]
    votes = Votes(ids, ["1" if c else None for c in counts], counts, [10] * len(counts))
    for row in threshold_curve(votes, LabelJudge({}, str.__eq__), seed=0):
        candidates = [Candidate(c, 10, valid=c > 0, has_text=c > 0, chain_of_thought=True) for c in counts]
        kept = [
            passes(c, threshold=row.threshold, require_valid=True, require_chain_of_thought=False) for c in candidates
        ]
        assert row.kept == sum(kept)


def test_the_threshold_curve_has_a_point_for_every_count_of_votes() -> None:
    votes = Votes(["a", "b"], ["1", "2"], [4, 3], [4, 4])
    rows = threshold_curve(votes, LabelJudge(GOLD, str.__eq__), seed=0)
    assert [(r.threshold, r.kept) for r in rows] == [(25, 2), (50, 2), (75, 2), (100, 1)]


def test_levels_are_counted_beside_those_of_all_questions() -> None:
    found = compose("level", {"a": 1, "b": 2, "c": 2}, [("round1/t50", (50,), ["b", "c"])])
    assert found is not None
    assert found.groups == ("1", "2")
    assert [(m.name, m.counts, m.mean) for m in found.mixes] == [
        ("all", (1, 2), 1.666667),
        ("round1/t50", (0, 2), 2.0),
    ]


def test_data_without_levels_has_no_composition() -> None:
    assert compose("level", {"a": None}, []) is None
    assert group_accuracy("level", [None, None], {}) is None


def test_topics_come_by_size_and_then_by_name() -> None:
    found = compose("topic", {"a": "z", "b": "y", "c": "y", "d": "x"}, [])
    assert found is not None
    assert found.groups == ("y", "x", "z")
