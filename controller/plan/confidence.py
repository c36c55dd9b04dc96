"""Method `confidence`: labels filtered by vote confidence, in any number of rounds (methods.md, method B).

    weak samples -> votes -> kept at t1 -> train the initial strong model -> evaluate
                          -> the rest, sampled by that model -> votes -> kept at t2 -> train on both -> evaluate -> ...

One weak sampling serves every threshold; one model of a round serves every branch that goes on from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from controller.api.method import ConfidenceMethod
from controller.plan.builder import Model, PlanBuilder, Training, output
from controller.plan.graph import Step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.steps import ReportPoint

__all__ = ["compile_confidence"]


@dataclass(frozen=True)
class _Branch:
    """Votes to choose from, and what led to them."""

    votes: Step
    questions: Input
    thresholds: tuple[int, ...] = ()
    selects: tuple[Step, ...] = ()
    grades: tuple[Step, ...] = ()


@dataclass(frozen=True)
class _Kept:
    """Selections that a training learns from, in the order of the rounds; none of them means gold."""

    selects: tuple[Step, ...] = ()
    grades: tuple[Step, ...] = ()
    thresholds: tuple[int, ...] = ()


_NOTHING = _Kept()


def compile_confidence(build: PlanBuilder, method: ConfidenceMethod) -> list[ReportPoint]:
    """Add the steps of the method to `build` and return the points that they lead to."""
    return [point for seed in build.spec.seeds for point in _OneSeed(build, method, seed).points()]


class _OneSeed:
    """The whole method under one seed of sampling and training."""

    def __init__(self, build: PlanBuilder, method: ConfidenceMethod, seed: int) -> None:
        self._build = build
        self._method = method
        self._seed = seed
        self._training = Training(build.spec.training, seed)
        self._bare_answers = Training(build.spec.training, seed, completion="answer")

    def points(self) -> Iterator[ReportPoint]:
        """Yield baselines, then ablations of the baselines, then the rounds, depth first."""
        yield from self._baselines()
        weak = self._build.weak()
        questions = self._build.questions("unlabelled")
        samples = self._build.sample(
            weak, questions, self._build.spec.sampling, self._seed, f"weak labels seed {self._seed}"
        )
        votes = self._build.grade(samples, f"grade weak labels seed {self._seed}")
        yield from self._round(0, _Branch(votes, questions))

    def _baselines(self) -> Iterator[ReportPoint]:
        wanted = self._method.baselines
        direct = "direct" in self._method.ablations
        if "weak" in wanted:
            yield self._point("weak", self._build.weak(), _NOTHING)
        if "ceiling" in wanted:
            yield self._learn("ceiling", _NOTHING, self._training)
        if direct:
            yield self._learn("direct-ceiling", _NOTHING, self._bare_answers)
        if "conventional" in wanted or direct:
            one_label = self._one_label_each()
            if "conventional" in wanted:
                yield self._learn("conventional", one_label, self._training)
            if direct:
                yield self._learn("direct", one_label, self._bare_answers)

    def _one_label_each(self) -> _Kept:
        """Take one greedy weak answer a question, unfiltered."""
        build = self._build
        questions = build.questions("unlabelled")
        samples = build.sample_once(build.weak(), questions, "one greedy weak label")
        votes = build.grade(samples, "grade the greedy weak labels")
        everything = build.selection(None, require_valid=False)
        return _Kept(selects=(build.select(votes, questions, everything, "select all greedy labels"),), grades=(votes,))

    def _round(self, index: int, branch: _Branch) -> Iterator[ReportPoint]:
        for threshold in self._method.rounds[index].thresholds:
            thresholds = (*branch.thresholds, threshold)
            select = self._build.select(
                branch.votes,
                branch.questions,
                # From the second round on the labels are the strong model's own (appendix A.2).
                self._build.selection(threshold, chain_of_thought=index > 0),
                f"select round {index + 1} {self._suffix(thresholds)}",
            )
            kept = _Kept((*branch.selects, select), (*branch.grades, branch.votes), thresholds)
            model = self._train(f"train round {index + 1}", "round", kept, self._training)
            yield self._point("round", model, kept)
            if index == 0 and "unfiltered" in self._method.ablations:
                yield self._unfiltered(model, kept)
            if self._goes_on(index + 1, threshold):
                yield from self._round(index + 1, self._relabel(model, kept))

    def _goes_on(self, index: int, threshold: int) -> bool:
        if index >= len(self._method.rounds):
            return False
        after = self._method.rounds[index].after
        return not after or threshold in after

    def _relabel(self, model: Model, kept: _Kept) -> _Branch:
        """Label what was discarded with the newest model."""
        discarded = output(kept.selects[-1], "discarded.parquet")
        suffix = self._suffix(kept.thresholds)
        samples = self._build.sample(model, discarded, self._build.spec.sampling, self._seed, f"relabel {suffix}")
        votes = self._build.grade(samples, f"grade relabelled {suffix}")
        return _Branch(votes, discarded, kept.thresholds, kept.selects, kept.grades)

    def _unfiltered(self, model: Model, kept: _Kept) -> ReportPoint:
        """Append all relabelled rows, whatever their confidence (table 1)."""
        branch = self._relabel(model, kept)
        select = self._build.select(
            branch.votes,
            branch.questions,
            self._build.selection(None, require_valid=False),
            f"select all relabelled {self._suffix(kept.thresholds)}",
        )
        return self._learn(
            "unfiltered", _Kept((*kept.selects, select), (*kept.grades, branch.votes), kept.thresholds), self._training
        )

    def _learn(self, role: str, kept: _Kept, training: Training) -> ReportPoint:
        return self._point(role, self._train(f"train {role}", role, kept, training), kept)

    def _train(self, verb: str, role: str, kept: _Kept, training: Training) -> Model:
        """Train the initial strong model on what was kept, or on gold where the ceiling is meant."""
        examples = tuple(output(select, "kept.parquet") for select in kept.selects)
        return self._build.train(
            self._build.strong(),
            examples or (self._build.gold("unlabelled"),),
            training,
            role,
            f"{verb} {self._suffix(kept.thresholds)}",
        )

    def _point(self, role: str, model: Model, kept: _Kept) -> ReportPoint:
        round_of = f"round{len(kept.thresholds)}" if role == "round" else role
        branch = f"/t{'-'.join(map(str, kept.thresholds))}" if kept.thresholds else ""
        point = f"{round_of}{branch}/seed{self._seed}"
        evaluated = self._build.evaluate(model, role, point)
        return ReportPoint(
            id=point,
            role=role,
            thresholds=kept.thresholds,
            seed=self._seed,
            evaluate=evaluated.key,
            selects=tuple(select.key for select in kept.selects),
            grades=tuple(votes.key for votes in kept.grades),
            train=None if role == "weak" or model.trained is None else model.trained.key,
        )

    def _suffix(self, thresholds: tuple[int, ...]) -> str:
        branch = f"t={'-'.join(map(str, thresholds))} " if thresholds else ""
        return f"{branch}seed {self._seed}"
