"""Reads what a survey is computed from, and refuses what does not fit together. Inputs are known by their keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.survey import Relabelled, SurveyParams
from w2s_jobs.core.survey.evidence import Answers, ScoredAnswers, SurveyEvidence
from w2s_jobs.engines.reporting.evidence import input_files, read_losses, read_sorted, refuse_other_questions
from w2s_jobs.store.rows import read_columns

__all__ = ["read_survey_evidence"]


def read_survey_evidence(context: StepContext, params: SurveyParams) -> SurveyEvidence:
    """Read the columns that a survey needs, by role: scored, accuracy, gold, votes, kept, scores, loss.

    Raises
    ------
    InputError
        There is nothing to compare, an input that the parameters name is missing, or rows do not belong together.
    """
    given = {key: _partial_credit(path) for key, path in input_files(context, "accuracy")}
    evidence = SurveyEvidence(
        scored={key: _scored(path) for key, path in input_files(context, "scored")},
        gold={key: _answers(path, "examples") for key, path in input_files(context, "gold")},
        votes={key: _answers(path, "votes") for key, path in input_files(context, "votes")},
        kept={key: _answers(path, "examples") for key, path in input_files(context, "kept")},
        rewards={key: _rewards(path) for key, path in input_files(context, "scores")},
        partial_credit={key: credit for key, credit in given.items() if credit is not None},
        losses={key: read_losses(path) for key, path in input_files(context, "loss")},
    )
    _refuse_missing(context, params, evidence)
    _refuse_mixed_questions(context, params, evidence)
    _refuse_other_rows(context, params, evidence)
    return evidence


def _scored(path: Path) -> ScoredAnswers:
    columns = read_sorted(path, "scored", ("row_id", "answer", "correct"))
    return ScoredAnswers(columns["row_id"], columns["answer"], np.array(columns["correct"], dtype=np.bool_))


def _answers(path: Path, schema: str) -> dict[str, str | None]:
    columns = read_columns(path, schema, ("row_id", "answer"))
    return dict(zip(columns["row_id"], columns["answer"], strict=True))


def _rewards(path: Path) -> dict[str, float]:
    columns = read_columns(path, "scores", ("row_id", "reward"))
    return dict(zip(columns["row_id"], columns["reward"], strict=True))


def _partial_credit(path: Path) -> float | None:
    credit = json.loads(path.read_bytes()).get("partialCredit")
    return None if credit is None else float(credit)


def _refuse_missing(context: StepContext, params: SurveyParams, evidence: SurveyEvidence) -> None:
    """Check that every step that the parameters name is among the inputs."""
    if not params.points:
        raise InputError(f"step {context.ref}: params.points is empty: there is no model to report on")
    entries = params.relabelled
    for role, given, named in (
        ("gold", evidence.gold, [(c.name, c.gold) for c in params.capabilities]),
        ("scored", evidence.scored, [(p.id, key) for p in params.points for key in p.evaluated]),
        ("kept", evidence.kept, [(p.id, key) for p in params.points for key in p.learnt.values()]),
        ("kept", evidence.kept, [(_name(e), key) for e in entries for key in e.kept.values()]),
        ("votes", evidence.votes, [(_name(e), key) for e in entries for key in _votes(e)]),
        ("scores", evidence.rewards, [(_name(e), e.scores) for e in entries if e.scores is not None]),
    ):
        _refuse_unknown(context, role, given, named)


def _refuse_unknown(
    context: StepContext, role: str, given: Mapping[str, object], named: Iterable[tuple[str, str]]
) -> None:
    for name, key in named:
        if key not in given:
            raise InputError(
                f"step {context.ref}: {name} needs the artifact {key[:12]}, which is not among the {len(given)} inputs "
                f"of role '{role}'; expected every step that the parameters name"
            )


def _name(entry: Relabelled) -> str:
    return f"labels of {entry.capability} by {entry.weak} and {entry.model} (seed {entry.seed})"


def _votes(entry: Relabelled) -> Iterator[str]:
    yield entry.weak_votes
    yield entry.strong_votes
    if entry.second_votes is not None:
        yield entry.second_votes


def _refuse_mixed_questions(context: StepContext, params: SurveyParams, evidence: SurveyEvidence) -> None:
    """Check that all evaluations of a capability are about the same questions, at least one."""
    known = {c.name for c in params.capabilities}
    for point in params.points:
        odd = point.evaluations.keys() | point.learnt.keys()
        if not point.evaluations or not odd <= known:
            raise InputError(
                f"step {context.ref}: point {point.id} was evaluated on {sorted(point.evaluations) or 'nothing'} and "
                f"learnt {sorted(point.learnt) or 'nothing'}; expected capabilities among {sorted(known)}"
            )
    for name in sorted(known):
        keys = [p.evaluations[name] for p in params.points if name in p.evaluations]
        refuse_other_questions(context, {key: evidence.scored[key].row_ids for key in keys})
        if keys and not evidence.scored[keys[0]].row_ids:
            raise InputError(
                f"step {context.ref}: {name} has no scored test question to report on; expected at least one. Give its "
                "test split at least one row (splits.test of the capability's dataset)"
            )


def _refuse_other_rows(context: StepContext, params: SurveyParams, evidence: SurveyEvidence) -> None:
    """Check that labels and rewards cover the gold of their capability, and that kept rows are among it."""
    gold = {c.name: evidence.gold[c.gold] for c in params.capabilities}
    for name, answers in gold.items():
        if not answers:
            raise InputError(f"step {context.ref}: the gold of {name} has no row; expected the unlabelled split's")
    for entry in params.relabelled:
        if entry.capability not in gold:
            raise InputError(f"step {context.ref}: {_name(entry)}: no such capability; expected one of {sorted(gold)}")
        rows = gold[entry.capability]
        for key in _votes(entry):
            _refuse_lacking(context, f"votes {key[:12]}", evidence.votes[key], rows, _name(entry))
        if entry.scores is not None:
            _refuse_lacking(context, f"scores {entry.scores[:12]}", evidence.rewards[entry.scores], rows, _name(entry))
        for key in entry.kept.values():
            _refuse_lacking(context, "gold", rows, evidence.kept[key], f"kept rows {key[:12]} of {_name(entry)}")
    for point in params.points:
        for name, key in point.learnt.items():
            _refuse_lacking(context, "gold", gold[name], evidence.kept[key], f"kept rows {key[:12]} of {point.id}")


def _refuse_lacking(context: StepContext, what: str, given: Mapping[str, object], wanted: Answers, whose: str) -> None:
    lacking = sorted(wanted.keys() - given.keys())
    if lacking:
        raise InputError(
            f"step {context.ref}: {whose}: {what} lack {len(lacking)} of {len(wanted)} rows, such as {lacking[0]}; "
            "expected a row for each. Delete the wrong artifact with `w2s invalidate` and run again"
        )
