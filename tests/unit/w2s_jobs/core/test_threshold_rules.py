"""The two rules find what was put into simulated votes, and choose what is worth most."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.selection import Candidate, passes
from w2s_jobs.core.threshold_rules import (
    VoteShare,
    agreement,
    calibration,
    choose,
    every_threshold,
    fit_mixture,
)
from w2s_jobs.core.voting import group_answers, vote
from w2s_jobs.tasks.gsm8k import Gsm8k

SAMPLES = 10


def simulated(seed: int, questions: int, known: float, if_known: float, if_guessed: float):
    """Votes over questions of which a share is known; other labels are right as often as a vote falls on them."""
    generator = np.random.default_rng(seed)
    is_known = generator.random(questions) < known
    is_right = is_known | (generator.random(questions) < if_guessed)
    counts = generator.binomial(SAMPLES, np.where(is_known, if_known, if_guessed))
    return [VoteShare(int(count), SAMPLES) for count in counts], [bool(one) for one in is_right]


def test_agreement_recovers_the_two_kinds_of_questions(seed: int) -> None:
    shares, _ = simulated(seed, 4000, known=0.6, if_known=0.9, if_guessed=0.35)
    fit = fit_mixture(shares)
    assert fit.tells_apart
    assert fit.known == pytest.approx(0.6, abs=0.05)
    assert fit.vote_if_known == pytest.approx(0.9, abs=0.03)
    assert fit.vote_if_guessed == pytest.approx(0.35, abs=0.05)


def test_agreement_says_so_where_there_is_one_kind_only_and_takes_all_labels_alike(seed: int) -> None:
    assert not fit_mixture([VoteShare(10, 10)] * 50).tells_apart
    shares, _ = simulated(seed, 2000, known=0.3, if_known=0.5, if_guessed=0.5)
    fit = fit_mixture(shares)
    assert not fit.tells_apart
    (expected,) = {agreement(fit)(share) for share in shares}
    assert expected == pytest.approx(0.5, abs=0.03)


def test_both_rules_expect_the_correctness_that_the_labels_have(seed: int) -> None:
    votes = (0.6, 0.9, 0.35)
    shares, right = simulated(seed, 4000, *votes)
    labelled, is_right = simulated(seed + 1, 1000, *votes)
    for rule in (calibration(labelled, is_right), agreement(fit_mixture(shares))):
        for threshold in (50, 70, 90):
            kept = [index for index, share in enumerate(shares) if share.passes(threshold)]
            expected = np.mean([rule(shares[index]) for index in kept])
            assert expected == pytest.approx(np.mean([right[index] for index in kept]), abs=0.05)


def test_the_more_a_model_knows_the_lower_is_the_threshold(seed: int) -> None:
    chosen = []
    for known in (0.1, 0.9):
        shares, _ = simulated(seed, 4000, known, if_known=0.8, if_guessed=0.4)
        threshold, _ = choose(shares, agreement(fit_mixture(shares)), range(10, 101, 10), answers=2)
        chosen.append(threshold)
    assert chosen[0] > chosen[1]


def test_a_choice_that_is_worth_as_much_is_the_lower_one() -> None:
    shares = [VoteShare(9, 10)] * 5
    threshold, worths = choose(shares, lambda _: 0.9, [50, 60, 70], answers=100)
    assert threshold == 50
    assert len({one.worth for one in worths}) == 1


def test_where_no_label_is_better_than_chance_the_strictest_that_keeps_something_is_chosen() -> None:
    threshold, worths = choose([VoteShare(6, 10)], lambda _: 0.5, [40, 60, 80], answers=2)
    assert [one.worth for one in worths] == [0, 0, 0]
    assert threshold == 60


def test_fewer_possible_answers_make_the_same_share_of_right_labels_worth_less() -> None:
    worth = {k: choose([VoteShare(6, 10)] * 100, lambda _: 0.6, [50], k)[1][0].worth for k in (2, 4, 1000)}
    assert worth[2] == pytest.approx(100 * 0.2**2)  # (2p - 1)^2
    assert worth[2] < worth[4] < worth[1000] < 100 * 0.6**2


def test_calibration_never_falls_as_the_share_rises_and_reads_an_unseen_share_off_the_next_lower() -> None:
    labelled = [VoteShare(count, 10) for count in (3, 3, 5, 5, 5, 9, 9, 9)]
    rule = calibration(labelled, [True, False, False, False, True, True, True, True])
    curve = [rule(VoteShare(count, 10)) for count in range(1, 11)]
    assert curve == sorted(curve)
    assert rule(VoteShare(7, 10)) == rule(VoteShare(5, 10))
    assert max(curve) < 1  # three right of three do not make it certain


votes = st.lists(
    st.integers(1, 20).flatmap(lambda n: st.builds(VoteShare, st.integers(0, n), st.just(n))), min_size=1, max_size=30
)


@given(votes, st.integers(2, 50))
def test_a_rule_chooses_one_of_the_candidates_and_a_stricter_one_keeps_no_more(shares: list[VoteShare], k: int) -> None:
    candidates = every_threshold(shares) or [100]
    threshold, worths = choose(shares, agreement(fit_mixture(shares)), candidates, k)
    assert threshold in candidates
    kept = [one.kept for one in worths]
    assert kept == sorted(kept, reverse=True)


@given(votes)
def test_the_candidates_of_a_rule_are_all_that_differ_in_what_they_keep(shares: list[VoteShare]) -> None:
    candidates = every_threshold(shares)
    all_kept = {tuple(share.passes(t) for share in shares) for t in range(1, 101)}
    assert {tuple(share.passes(t) for share in shares) for t in candidates} >= {one for one in all_kept if any(one)}


@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 100))
def test_a_rule_counts_as_kept_what_a_selection_keeps(count: int, total: int, threshold: int) -> None:
    count = min(count, total)
    candidate = Candidate(count=count, total=total, valid=True, has_text=True, chain_of_thought=True)
    kept = passes(candidate, threshold=threshold, require_valid=True, require_chain_of_thought=False)
    assert VoteShare(count, total).passes(threshold) == kept


def test_on_recorded_samples_both_rules_expect_about_as_many_right_labels_as_there_are(real_data: Path) -> None:
    """docs/thresholds.md shows figures like these."""
    family, shares, right = Gsm8k(), [], []
    with gzip.open(real_data / "self_consistency" / "llm_adapters_gsm8k_8runs.idx0-799.jsonl.gz", "rt") as lines:
        for record in map(json.loads, lines):
            found = [family.extract(run["response"]) for run in record["runs"]]
            won = vote(found, group_answers(found, family))
            if won.answer is not None:
                shares.append(VoteShare(won.count, won.total))
                right.append(family.equal(won.answer, record["gold"]))
    half = np.random.default_rng(0).permutation(len(shares))[: len(shares) // 2]
    rules = {
        "calibrated": calibration([shares[i] for i in half], [right[i] for i in half]),
        "agreement": agreement(fit_mixture(shares)),
    }
    for name, off in (("calibrated", 0.04), ("agreement", 0.08)):
        for threshold in (0, 50, 75, 100):
            kept = [index for index, share in enumerate(shares) if share.passes(threshold)]
            expected = np.mean([rules[name](shares[index]) for index in kept])
            truth = np.mean([right[index] for index in kept])
            print(f"{name} at {threshold}: expected {expected:.3f}, right {truth:.3f}")
            assert expected == pytest.approx(truth, abs=off)
