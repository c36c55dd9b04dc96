"""Reads what a report is computed from. An input belongs to the step whose key it carries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.choices import ChosenThreshold
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.report import ReportParams
from w2s_jobs.core.analysis.composition import By, Group
from w2s_jobs.core.analysis.evidence import Evidence, Kept
from w2s_jobs.core.analysis.labels import Votes
from w2s_jobs.store.rows import read_columns

__all__ = ["read_evidence"]


def read_evidence(context: StepContext, params: ReportParams) -> Evidence:
    """Read the columns that the report needs.

    Raises
    ------
    InputError
        There is nothing to compare, or the evaluations are not about the same test questions.
    """
    every = {key: _scored(path) for key, path in _made_by(context, "evaluate")}
    extra = {p.evaluate_extra for p in params.points if p.evaluate_extra is not None} & every.keys()
    scored = {key: columns for key, columns in every.items() if key not in extra}
    if not scored or not next(iter(scored.values()))["row_id"]:
        raise InputError(
            f"step {context.ref}: no scored test question to report on; expected `scored` inputs with at least one "
            "row. Give the test split at least one row (spec.dataset.splits.test)"
        )
    _refuse_other_questions(context, scored)
    _refuse_other_questions(context, {key: every[key] for key in sorted(extra)})
    questions = _only(context, "questions", "questions", ("row_id", "level", "topic"))
    gold = _only(context, "gold", "examples", ("row_id", "answer"))
    first = next(iter(scored.values()))
    return Evidence(
        correct={key: np.array(columns["correct"], dtype=np.bool_) for key, columns in scored.items()},
        correct_extra={key: np.array(every[key]["correct"], dtype=np.bool_) for key in sorted(extra)},
        test_groups={"level": first["level"], "topic": first["topic"]},
        unlabelled_groups=_groups(questions),
        unlabelled=len(questions["row_id"]) if questions else None,
        gold=dict(zip(gold["row_id"], gold["answer"], strict=True)) if gold else {},
        kept={key: _kept(path) for key, path in _files(context, "kept")},
        votes={key: _votes(path) for key, path in _files(context, "votes")},
        chosen={key: ChosenThreshold.model_validate_json(p.read_bytes()) for key, p in _made_by(context, "choose")},
        losses={key: _losses(path) for key, path in _files(context, "loss")},
    )


def _files(context: StepContext, role: str, kind: str | None = None) -> Iterator[tuple[str, Path]]:
    for index, item in enumerate(context.spec.inputs.get(role, ())):
        if kind in (None, item.kind):
            yield item.key, context.store.fetch(item, context.work_dir / "inputs" / role / str(index))


def _made_by(context: StepContext, kind: str) -> Iterator[tuple[str, Path]]:
    """Fetch the inputs of one kind of step, whatever role they are given in; points name them by their keys."""
    for role in context.spec.inputs:
        yield from _files(context, role, kind)


def _only(context: StepContext, role: str, schema: str, columns: tuple[str, ...]) -> dict[str, list[Any]]:
    """Read the one input of a role that may be missing."""
    if not context.spec.inputs.get(role):
        return {}
    return read_columns(context.input(role), schema, columns)


def _scored(path: Path) -> dict[str, list[Any]]:
    columns = read_columns(path, "scored", ("row_id", "correct", "level", "topic"))
    order = sorted(range(len(columns["row_id"])), key=columns["row_id"].__getitem__)
    return {name: [values[i] for i in order] for name, values in columns.items()}


def _refuse_other_questions(context: StepContext, scored: dict[str, dict[str, list[Any]]]) -> None:
    if not scored:
        return
    (first, columns), *rest = scored.items()
    for key, other in rest:
        if other["row_id"] != columns["row_id"]:
            raise InputError(
                f"step {context.ref}: evaluate/{key[:12]} ({len(other['row_id'])} rows) and evaluate/{first[:12]} "
                f"({len(columns['row_id'])} rows) are not about the same test questions, so they cannot be compared; "
                f"delete the wrong one with `w2s invalidate evaluate/{key}` and run again"
            )


def _groups(questions: dict[str, list[Any]]) -> dict[By, dict[str, Group | None]]:
    if not questions:
        return {}
    row_ids = questions["row_id"]
    return {
        "level": dict(zip(row_ids, questions["level"], strict=True)),
        "topic": dict(zip(row_ids, questions["topic"], strict=True)),
    }


def _kept(path: Path) -> Kept:
    columns = read_columns(path, "examples", ("row_id", "answer"))
    return Kept(columns["row_id"], columns["answer"])


def _votes(path: Path) -> Votes:
    columns = read_columns(path, "votes", ("row_id", "answer", "count", "total", "chain_of_thought"))
    return Votes(*columns.values())


def _losses(path: Path) -> list[float]:
    return [float(entry["loss"]) for entry in json.loads(path.read_text())]
