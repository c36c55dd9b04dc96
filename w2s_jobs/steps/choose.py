"""choose: take a threshold by a rule that sees no gold of the unlabelled split, and say why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import scipy

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.choices import CandidateThreshold, ChosenThreshold
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import ChooseParams
from w2s_jobs.core.analysis.labels import LabelJudge
from w2s_jobs.core.selection import Candidate, passes
from w2s_jobs.core.threshold_rules import (
    Correctness,
    VoteShare,
    agreement,
    calibration,
    choose,
    every_threshold,
    fit_mixture,
)
from w2s_jobs.store.rows import read_rows
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]

_FEW = 50
"""Fewer calibration questions than this make a curve of accidents."""
_STRICTEST = 100

_Vote = dict[str, Any]
"""A row of votes.parquet"""


@dataclass(frozen=True)
class _Rule:
    """A rule's estimate."""

    correctness: Correctness
    questions: int | None
    """calibration questions that it rests on; None for a rule that reads none"""
    notes: tuple[str, ...]


def run(context: StepContext, params: ChooseParams) -> Outcome:
    """Write `threshold.json`."""
    votes = read_rows(context.input("votes"), "votes")
    eligible = list(_eligible(votes, params))
    shares = [_share(vote) for vote in eligible]
    rule = _calibrate(context, params) if params.rule == "calibrated" else _agree(shares)
    candidates = sorted(set(params.candidates or every_threshold(shares) or [_STRICTEST]))
    threshold, worths = choose(shares, rule.correctness, candidates, len({vote["answer"] for vote in eligible}))
    chosen = ChosenThreshold(
        rule=params.rule,
        threshold=threshold,
        questions=len(votes),
        calibration_questions=rule.questions,
        candidates=tuple(
            CandidateThreshold(
                threshold=one.threshold,
                kept=one.kept,
                estimated_correctness=None if one.correctness is None else round(one.correctness, 6),
                score=round(one.worth, 3),
            )
            for one in worths
        ),
        notes=rule.notes if shares else (*rule.notes, "No vote could be kept at any threshold."),
    )
    path = context.work_dir / "threshold.json"
    path.write_text(chosen.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")
    context.progress(len(votes), len(votes), "rows")
    return Outcome(
        files={"threshold.json": path},
        metrics={"rule": params.rule, "threshold": threshold, "candidates": len(candidates)},
        versions={"scipy": scipy.__version__},
    )


def _calibrate(context: StepContext, params: ChooseParams) -> _Rule:
    gold = {row["row_id"]: row["answer"] for row in read_rows(context.input("gold"), "examples")}
    judge = LabelJudge(gold, get_family(params.task).equal)
    votes = list(_eligible(read_rows(context.input("calibration"), "votes"), params))
    if not votes:
        raise InputError(
            f"step {context.ref}: no calibration question has a vote with a valid answer; "
            "give spec.dataset.splits.calibration more rows, or use the rule `agreement`"
        )
    votes, notes = _as_hard_as_the_rest(context, votes)
    if len(votes) < _FEW:
        notes = (*notes, f"Only {len(votes)} calibration questions: the curve is rough.")
    right = [judge.is_right(vote["row_id"], vote["answer"]) for vote in votes]
    return _Rule(calibration([_share(vote) for vote in votes], right), len(votes), notes)


def _as_hard_as_the_rest(context: StepContext, votes: list[_Vote]) -> tuple[list[_Vote], tuple[str, ...]]:
    """Leave out what the rounds before would have kept: the questions that are left to label are harder than all."""
    hard = {vote["row_id"] for vote in votes}
    earlier = context.inputs("discarded")
    for path in earlier:
        hard &= {row["row_id"] for row in read_rows(path, "questions")}
    if len(hard) >= min(_FEW, len(votes)):
        return [vote for vote in votes if vote["row_id"] in hard], ()
    said = (
        f"Only {len(hard)} of {len(votes)} calibration questions are as uncertain as those that are left, so all were "
        "read: the estimate is too high where the others are easier."
    )
    return votes, (said,)


def _agree(shares: list[VoteShare]) -> _Rule:
    if not shares:
        return _Rule(lambda _: 0.0, None, ())
    fit = fit_mixture(shares)
    if not fit.tells_apart:
        return _Rule(agreement(fit), None, ("The votes do not fall into two kinds: all labels look equally right.",))
    said = (
        f"{100 * fit.known:.0f} % of the questions look known ({100 * fit.vote_if_known:.0f} % of their votes agree), "
        f"the others guessed ({100 * fit.vote_if_guessed:.0f} %)."
    )
    return _Rule(agreement(fit), None, (said,))


def _eligible(votes: Iterable[_Vote], params: ChooseParams) -> Iterable[_Vote]:
    """Yield the votes that some threshold would keep: the rules must not count on others."""
    for vote in votes:
        candidate = Candidate.of_vote(vote)
        if passes(candidate, threshold=0, require_valid=True, require_chain_of_thought=params.require_chain_of_thought):
            yield vote


def _share(vote: _Vote) -> VoteShare:
    return VoteShare(vote["count"], vote["total"])
