"""choose: take a threshold by a rule that sees no gold of the unlabelled split, and say why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import scipy

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.choices import CandidateThreshold, ChosenThreshold
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.steps import ChooseParams
from w2s_jobs.core.analysis.labels import LabelJudge
from w2s_jobs.core.selection import Candidate, passes
from w2s_jobs.core.threshold_rules import (
    Correctness,
    VoteShare,
    calibration,
    choose,
    every_threshold,
    fit_mixture,
    known_probability,
)
from w2s_jobs.store.rows import read_rows
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]

_FEW = 50
"""Fewer calibration questions than this make a curve of accidents."""


def run(context: StepContext, params: ChooseParams) -> Outcome:
    """Write `threshold.json`."""
    votes = list(read_rows(context.input("votes"), "votes"))
    shares = [_share(vote) for vote in _eligible(votes, params)]
    if not shares:
        raise InputError(
            f"step {context.ref}: none of {len(votes)} questions has a vote that could be kept, so there is no "
            "threshold to choose; look at the samples with `w2s logs`, and give this round thresholds of its own"
        )
    calibrated = params.rule == "calibrated"
    correctness, questions, notes = _calibrate(context, params) if calibrated else _agree(shares)
    candidates = sorted(set(params.candidates or every_threshold(shares)))
    threshold, rows = choose(shares, correctness, candidates)
    chosen = ChosenThreshold(
        rule=params.rule,
        threshold=threshold,
        questions=len(votes),
        calibration_questions=questions,
        candidates=tuple(
            CandidateThreshold(
                threshold=candidate,
                kept=kept,
                estimated_correctness=None if expected is None else round(expected, 6),
                score=round(worth, 3),
            )
            for candidate, kept, expected, worth in rows
        ),
        notes=notes,
    )
    path = context.work_dir / "threshold.json"
    path.write_text(chosen.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")
    context.progress(len(votes), len(votes), "rows")
    return Outcome(
        files={"threshold.json": path},
        metrics={"rule": params.rule, "threshold": threshold, "candidates": len(candidates)},
        versions={"scipy": scipy.__version__},
    )


def _calibrate(context: StepContext, params: ChooseParams) -> tuple[Correctness, int, tuple[str, ...]]:
    gold = {row["row_id"]: row["answer"] for row in read_rows(context.input("gold"), "examples")}
    judge = LabelJudge(gold, get_family(params.task).equal)
    votes = list(_eligible(read_rows(context.input("calibration"), "votes"), params))
    if not votes:
        raise InputError(
            f"step {context.ref}: no calibration question has a vote with a valid answer; "
            "give spec.dataset.splits.calibration more rows, or use the rule `agreement`"
        )
    right = [judge.is_right(vote["row_id"], vote["answer"]) for vote in votes]
    few = (f"Only {len(votes)} calibration questions: the curve is rough.",) if len(votes) < _FEW else ()
    return calibration([_share(vote) for vote in votes], right), len(votes), few


def _agree(shares: list[VoteShare]) -> tuple[Correctness, None, tuple[str, ...]]:
    fit = fit_mixture(shares)
    if not fit.tells_apart:
        return known_probability(fit), None, ("The votes do not fall into two kinds: the estimate says nothing.",)
    said = (
        f"{100 * fit.known:.0f} % of the questions look known ({100 * fit.vote_if_known:.0f} % of their votes agree), "
        f"the others guessed ({100 * fit.vote_if_guessed:.0f} %)."
    )
    return known_probability(fit), None, (said,)


def _eligible(votes: Iterable[dict[str, Any]], params: ChooseParams) -> Iterable[dict[str, Any]]:
    """Yield the votes that some threshold would keep: the rules must not count on others."""
    for vote in votes:
        candidate = Candidate.of_vote(vote)
        if passes(candidate, threshold=0, require_valid=True, require_chain_of_thought=params.require_chain_of_thought):
            yield vote


def _share(vote: dict[str, Any]) -> VoteShare:
    return VoteShare(vote["count"], vote["total"])
