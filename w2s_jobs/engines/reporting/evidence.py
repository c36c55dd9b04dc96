"""Reads what a report is computed from. An input belongs to the step whose key it carries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
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

__all__ = ["input_files", "read_evidence", "read_losses", "read_sorted", "refuse_other_questions"]


def read_evidence(context: StepContext, params: ReportParams) -> Evidence:
    """Read the columns that the report needs.

    Raises
    ------
    InputError
        There is nothing to compare, or the evaluations are not about the same test questions.
    """
    columns = ("row_id", "correct", "level", "topic")
    every = {key: read_sorted(path, "scored", columns) for key, path in _made_by(context, "evaluate")}
    extra = {p.evaluate_extra for p in params.points if p.evaluate_extra is not None} & every.keys()
    scored = {key: read for key, read in every.items() if key not in extra}
    if not scored or not next(iter(scored.values()))["row_id"]:
        raise InputError(
            f"step {context.ref}: no scored test question to report on; expected `scored` inputs with at least one "
            "row. Give the test split at least one row (spec.dataset.splits.test)"
        )
    for compared in (list(scored), sorted(extra)):
        refuse_other_questions(context, {key: every[key]["row_id"] for key in compared})
    questions = _only(context, "questions", "questions", ("row_id", "level", "topic"))
    gold = _only(context, "gold", "examples", ("row_id", "answer"))
    first = next(iter(scored.values()))
    return Evidence(
        correct={key: np.array(read["correct"], dtype=np.bool_) for key, read in scored.items()},
        correct_extra={key: np.array(every[key]["correct"], dtype=np.bool_) for key in sorted(extra)},
        test_groups={"level": first["level"], "topic": first["topic"]},
        unlabelled_groups=_groups(questions),
        unlabelled=len(questions["row_id"]) if questions else None,
        gold=dict(zip(gold["row_id"], gold["answer"], strict=True)) if gold else {},
        kept={key: _kept(path) for key, path in input_files(context, "kept")},
        votes={key: _votes(path) for key, path in input_files(context, "votes")},
        chosen={key: ChosenThreshold.model_validate_json(p.read_bytes()) for key, p in _made_by(context, "choose")},
        losses={key: read_losses(path) for key, path in input_files(context, "loss")},
    )


def input_files(context: StepContext, role: str, kind: str | None = None) -> Iterator[tuple[str, Path]]:
    """Fetch the inputs of a role, or those that a kind of step made; yield each with its step's key."""
    for index, item in enumerate(context.spec.inputs.get(role, ())):
        if kind in (None, item.kind):
            yield item.key, context.store.fetch(item, context.work_dir / "inputs" / role / str(index))


def _made_by(context: StepContext, kind: str) -> Iterator[tuple[str, Path]]:
    """Fetch the inputs of one kind of step, whatever role they are given in; points name them by their keys."""
    for role in context.spec.inputs:
        yield from input_files(context, role, kind)


def _only(context: StepContext, role: str, schema: str, columns: tuple[str, ...]) -> dict[str, list[Any]]:
    """Read the one input of a role that may be missing."""
    if not context.spec.inputs.get(role):
        return {}
    return read_columns(context.input(role), schema, columns)


def read_sorted(path: Path, schema: str, columns: tuple[str, ...]) -> dict[str, list[Any]]:
    """Read columns in order of row ids, which must be the first of them."""
    read = read_columns(path, schema, columns)
    order = sorted(range(len(read[columns[0]])), key=read[columns[0]].__getitem__)
    return {name: [values[i] for i in order] for name, values in read.items()}


def refuse_other_questions(context: StepContext, row_ids: Mapping[str, Sequence[str]]) -> None:
    """Check that evaluations (row ids by key, in order) are about the same questions.

    Raises
    ------
    InputError
        Two of them are not.
    """
    for key, other in row_ids.items():
        first, expected = next(iter(row_ids.items()))
        if other != expected:
            raise InputError(
                f"step {context.ref}: evaluate/{key[:12]} ({len(other)} rows) and evaluate/{first[:12]} "
                f"({len(expected)} rows) are not about the same test questions, so they cannot be compared; "
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


def read_losses(path: Path) -> list[float]:
    """Read the loss of each optimizer step from loss.json."""
    return [float(entry["loss"]) for entry in json.loads(path.read_text())]
