"""What the method would leave in a store: its rounds, baselines, ablations and choices, for a made-up experiment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support.report_store import SAMPLES, Design, ReportStore
from tests.support.step_store import key_of
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.choices import CandidateThreshold, ChosenThreshold
from w2s_jobs.contracts.report import ReportChoice, ReportPoint
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.contracts.steps import StepSpec


def write_report_store(root: Path, design: Design) -> StepSpec:
    """Fill a store as the method would and return the spec of its report."""
    made = ReportStore(root, design)
    made.prepare()
    weak = made.evaluate("weak", design.weak_skill) if "weak" in design.baselines else None
    for seed in design.seeds:
        if weak is not None:
            made.points.append(
                ReportPoint(
                    id=f"weak/seed{seed}",
                    role="weak",
                    seed=seed,
                    evaluate=weak.key,
                    evaluate_extra=made.evaluate_extra("weak", design.weak_skill),
                )
            )
        _baselines(made, seed)
        offered = list(range(design.unlabelled))
        uses = sum(math.prod(len(r) for r in design.rounds[: n + 1]) for n in range(len(design.rounds)))
        votes = made.vote(f"weak votes seed {seed}", offered, design.weak_skill, uses)
        _round(made, seed, _Branch(offered, votes))
    return made.spec()


@dataclass(frozen=True)
class _Branch:
    offered: list[int]
    votes: tuple[Input, np.ndarray, np.ndarray]
    thresholds: tuple[Threshold, ...] = ()
    selects: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    kept: tuple[tuple[int, bool], ...] = ()


def _baselines(made: ReportStore, seed: int) -> None:
    design = made.design
    if "ceiling" in design.baselines:
        _point(made, "ceiling", seed, design.ceiling_skill, _Branch([], None))  # type: ignore[arg-type]
    if "conventional" in design.baselines:
        everything = list(range(design.unlabelled))
        grade, _, right = made.vote(f"greedy votes seed {seed}", everything, design.weak_skill, 1)
        kept = list(zip(everything, map(bool, right), strict=True))
        select = made.select(f"all seed {seed}", kept)
        branch = _Branch([], None, (), (select.key,), (grade.key,))  # type: ignore[arg-type]
        _point(made, "conventional", seed, _skill(kept, design), branch)
        if "direct" in design.ablations:
            _point(made, "direct-weak", seed, design.weak_skill - 0.8, _Branch([], None))  # type: ignore[arg-type]
            _point(made, "direct", seed, design.weak_skill - 0.9, branch)
            _point(made, "direct-ceiling", seed, design.weak_skill - 0.2, _Branch([], None))  # type: ignore[arg-type]


def _round(made: ReportStore, seed: int, branch: _Branch) -> None:
    design, number = made.design, len(branch.thresholds)
    grade, counts, right = branch.votes
    for rule in design.rules:
        _choose(made, branch, rule, seed, tuple(t for t in design.rounds[number] if isinstance(t, int)))
    for threshold in design.rounds[number]:
        least = threshold if isinstance(threshold, int) else _choose(made, branch, threshold, seed)
        passed = counts * 100 >= least * SAMPLES
        new = [(q, bool(ok)) for q, ok, yes in zip(branch.offered, right, passed, strict=True) if yes]
        thresholds = (*branch.thresholds, threshold)
        select = made.select(f"{thresholds} seed {seed}", new)
        rest = [q for q, yes in zip(branch.offered, passed, strict=True) if not yes]
        kept = (*branch.kept, *new)
        after = _Branch(
            rest, branch.votes, thresholds, (*branch.selects, select.key), (*branch.grades, grade.key), kept
        )
        skill = _skill(list(kept), design)
        _point(made, "round", seed, skill, after)
        if number == 0 and "unfiltered" in design.ablations:
            _point(made, "unfiltered", seed, skill - 0.15, after)
        if number + 1 < len(design.rounds):
            votes = made.vote(f"{thresholds} votes seed {seed}", rest, skill, len(design.rounds[number + 1]))
            _round(made, seed, _Branch(rest, votes, thresholds, after.selects, after.grades, kept))


def _choose(made: ReportStore, branch: _Branch, rule: str, seed: int, thresholds: tuple[int, ...] = ()) -> int:
    """Publish what a rule chose; it thinks a little too well of the labels. Without thresholds it is not swept."""
    swept, thresholds = bool(thresholds), thresholds or tuple(range(10, 101, 10))
    _, counts, right = branch.votes
    candidates = []
    for threshold in thresholds:
        passed = counts * 100 >= threshold * SAMPLES
        kept = int(passed.sum())
        believed = min(1.0, float(right[passed].mean()) + 0.05) if kept else None
        score = 0.0 if believed is None else kept * max(0.0, 2 * believed - 1) ** 2
        candidates.append(
            CandidateThreshold(threshold=threshold, kept=kept, estimated_correctness=believed, score=score)
        )
    best = max(candidates, key=lambda c: c.score) if rule == "calibrated" else candidates[0]
    found = ChosenThreshold(
        rule=rule,  # type: ignore[arg-type]
        threshold=best.threshold,
        questions=len(counts),
        candidates=tuple(candidates),
        notes=("62 % of the questions look known.",) if rule == "agreement" else (),
    )
    name = f"{rule} after {branch.thresholds} seed {seed}"
    path = made.root / "scratch" / f"{key_of('choose', name)[:12]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(found.model_dump_json(by_alias=True))
    found_at = made.add("thresholds", made.publish("choose", name, "threshold.json", path, seconds=1))
    made.choices.append(
        ReportChoice(choose=found_at.key, rule=rule, seed=seed, after=branch.thresholds, swept=swept)  # type: ignore[arg-type]
    )
    return best.threshold


def _skill(kept: list[tuple[int, bool]], design: Design) -> float:
    if not kept:
        return design.weak_skill - 1
    correctness = sum(ok for _, ok in kept) / len(kept)
    share = len(kept) / design.unlabelled
    return design.weak_skill + (design.ceiling_skill - design.weak_skill) * (1.9 * correctness - 1.1 + 0.25 * share)


def _point(made: ReportStore, role: str, seed: int, skill: float, branch: _Branch) -> None:
    name = f"round{len(branch.thresholds)}" if role == "round" else role
    if branch.thresholds:
        name += f"/t{'-'.join(map(str, branch.thresholds))}"
    name += f"/seed{seed}"
    wobble = np.random.default_rng(
        [seed, *(t if isinstance(t, int) else 0 for t in branch.thresholds), len(name)]
    ).normal(0, 0.06)
    train = made.train(name, 0.5 - 0.1 * skill)
    made.points.append(
        ReportPoint(
            id=name,
            role=role,  # type: ignore[arg-type]
            thresholds=branch.thresholds,
            seed=seed,
            evaluate=made.evaluate(name, skill + wobble).key,
            evaluate_extra=made.evaluate_extra(name, skill + wobble),
            selects=branch.selects,
            grades=branch.grades,
            train=train.key,
        )
    )
