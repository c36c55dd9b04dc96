"""Method `confidence`: labels filtered by vote confidence, in any number of rounds (methods.md, method B).

    weak samples -> votes -> kept at t1 -> train the initial strong model -> evaluate
                          -> the rest, sampled by that model -> votes -> kept at t2 -> train on both -> evaluate -> ...

One weak sampling serves every threshold; one model of a round serves every branch that goes on from it. A rule that
chooses among the thresholds of a sweep trains nothing: the report reads its choice beside the sweep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import get_args

from controller.api.method import ConfidenceMethod, JudgedSelection
from controller.plan.builder import Model, PlanBuilder, TestSplit, Training, output
from controller.plan.compared import Compared
from controller.plan.graph import Step
from controller.plan.reward_judge import RewardJudge
from controller.plan.sweep_report import report_sweep
from controller.plan.threshold_choice import ThresholdChooser
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.report import ReportChoice, ReportPoint
from w2s_jobs.contracts.settings import Threshold, ThresholdRule
from w2s_jobs.contracts.step_params import Completion, SelectParams

__all__ = ["compile_confidence"]


@dataclass(frozen=True)
class _Kept:
    """Selections that a training learns from, in the order of the rounds; none of them means gold."""

    selects: tuple[Step, ...] = ()
    grades: tuple[Step, ...] = ()
    thresholds: tuple[Threshold, ...] = ()


_NOTHING = _Kept()


@dataclass(frozen=True)
class _Branch:
    """Votes to choose from, and what led to them."""

    labeller: Model
    votes: Step
    questions: Input
    kept: _Kept = _NOTHING
    discarded_calibration: tuple[Input, ...] = ()
    """calibration questions that each round before would have discarded"""


def compile_confidence(build: PlanBuilder, method: ConfidenceMethod) -> Compared:
    """Add the steps of the method to `build` and return what they lead to."""
    seeds = [_OneSeed(build, method, seed) for seed in build.spec.seeds]
    points = tuple(point for seed in seeds for point in seed.points())
    choices = tuple(choice for seed in seeds for choice in seed.choices)
    return report_sweep(build, build.capabilities[0], points, choices)


class _OneSeed:
    """The whole method under one seed of sampling and training."""

    def __init__(self, build: PlanBuilder, method: ConfidenceMethod, seed: int) -> None:
        self._build = build
        (self._of,) = build.capabilities
        weak, strong = build.spec.models.pair
        self._weak = build.model("weak", weak, "weak")
        self._strong = build.model("strong", strong, "strong")
        self._bare = replace(self._weak, template=weak.direct_template)
        self._method = method
        self._seed = seed
        self._training = Training(build.spec.training, seed)
        self._chooser = ThresholdChooser(build, self._of, seed)
        self.choices: list[ReportChoice] = []
        """choices of rules, complete once all points were yielded"""

    def points(self) -> Iterator[ReportPoint]:
        """Yield baselines, then those without chain of thought, then the rounds, depth first."""
        yield from self._baselines()
        if "direct" in self._method.ablations:
            yield from self._direct()
        questions = self._build.questions(self._of, "unlabelled")
        label = f"weak labels seed {self._seed}"
        samples = self._build.sample(self._weak, [questions], self._build.spec.sampling, self._seed, label)
        votes = self._build.grade(self._of, samples, f"grade {label}")
        yield from self._round(0, _Branch(self._weak, votes, questions))

    def _baselines(self) -> Iterator[ReportPoint]:
        wanted = self._method.baselines
        if "weak" in wanted:
            yield self._point("weak", self._weak, _NOTHING)
        if "ceiling" in wanted:
            yield self._learn("ceiling", _NOTHING)
        if "conventional" in wanted:
            everything = SelectParams(task=self._of.task, require_valid=False)
            yield self._learn("conventional", self._one_label_each(self._weak, "greedy weak label", everything))

    def _direct(self) -> Iterator[ReportPoint]:
        """Repeat the baselines without chain of thought: asked for, learnt and given are bare answers (table 3)."""
        yield self._point("direct-weak", self._bare, _NOTHING)
        yield self._learn("direct-ceiling", _NOTHING, completion="answer")
        # A text that states no answer has nothing that a training on bare answers could learn.
        bare = SelectParams(task=self._of.task, completion="answer")
        yield self._learn("direct", self._one_label_each(self._bare, "direct weak label", bare))

    def _one_label_each(self, weak: Model, what: str, everything: SelectParams) -> _Kept:
        """Take one greedy weak answer a question, whatever its confidence."""
        build = self._build
        questions = build.questions(self._of, "unlabelled")
        votes = build.grade(self._of, build.sample_once(weak, [questions], f"one {what}"), f"grade the {what}s")
        return _Kept(selects=(build.select(votes, questions, everything, f"select all {what}s"),), grades=(votes,))

    def _round(self, index: int, branch: _Branch) -> Iterator[ReportPoint]:
        one = self._method.rounds[index]
        if one.is_chosen:
            for rule in one.rules:
                yield from self._threshold(index, branch, rule, self._choose(index, branch, rule))
        else:
            for rule in one.rules:
                self._choose(index, branch, rule)
            for threshold in one.swept_after(branch.kept.thresholds):
                yield from self._threshold(index, branch, threshold)
        for selection in one.selections:
            yield from self._threshold(index, branch, selection)

    def _threshold(
        self, index: int, branch: _Branch, threshold: Threshold, chosen: Step | None = None
    ) -> Iterator[ReportPoint]:
        """Go down one branch of the sweep."""
        thresholds = (*branch.kept.thresholds, threshold)
        number = None if isinstance(threshold, str) else threshold
        params = SelectParams(
            task=self._of.task, threshold=number, require_chain_of_thought=self._needs_reasoning(index)
        )
        label = f"select round {index + 1} {self._suffix(thresholds)}"
        if threshold in get_args(JudgedSelection):
            select = self._judged(index, branch, threshold)
        else:
            select = self._build.select(branch.votes, branch.questions, params, label, chosen)
        kept = _Kept((*branch.kept.selects, select), (*branch.kept.grades, branch.votes), thresholds)
        model = self._train(f"train round {index + 1}", "round", kept)
        yield self._point("round", model, kept)
        goes_on = self._goes_on(index + 1, thresholds)
        if index == 0 and "unfiltered" in self._method.ablations and (goes_on or len(self._method.rounds) == 1):
            yield self._unfiltered(model, kept)
        if goes_on:
            discarded = branch.discarded_calibration
            if any("calibrated" in later.rules for later in self._method.rounds[index + 1 :]):
                votes = self._chooser.votes(branch.labeller, self._suffix(branch.kept.thresholds))
                discarded = (*discarded, self._chooser.discard(votes, params, chosen, self._suffix(thresholds)))
            yield from self._round(index + 1, replace(self._relabel(model, kept), discarded_calibration=discarded))

    def _judged(self, index: int, branch: _Branch, rule: Threshold) -> Step:
        """Select by a rule of method `reward`, in the place of a threshold."""
        build, one = self._build, self._method.rounds[index]
        suffix = f"round {index + 1} {self._suffix((*branch.kept.thresholds, rule))}"
        inputs = {"votes": (output(branch.votes, "votes.parquet"),), "questions": (branch.questions,)}
        if rule == "random":
            inputs["size"] = (output(self._judged(index, branch, "reward"), "kept.parquet"),)
        else:
            labels, questions = {self._of.name: branch.votes}, {self._of.name: branch.questions}
            scores = self._judge.score(labels, questions, f"labels of round {index + 1} {branch.votes.key[:8]}")
            inputs["scores"] = (output(scores[self._of.name], "scores/"),)
        params = SelectParams(
            task=self._of.task,
            threshold=one.confidence_threshold if rule == "both" else None,
            min_reward=self._method.reward_model.cutoff if "scores" in inputs else None,
            draw=self._seed if rule == "random" else None,
            require_chain_of_thought=self._needs_reasoning(index),
        )
        return build.light("select", params, inputs, branch.votes.role, f"select {suffix}")

    @cached_property
    def _judge(self) -> RewardJudge:
        """Reward models trained on where the greedy weak labels and the conventional model's own agree."""
        everything = SelectParams(task=self._of.task, require_valid=False)
        labels = self._one_label_each(self._weak, "greedy weak label", everything)
        model = self._train("train conventional", "conventional", labels)
        questions = self._build.questions(self._of, "unlabelled")
        name = f"conventional seed {self._seed}"
        own = self._build.sample_once(model, [questions], f"{name} labels all")
        return RewardJudge(
            build=self._build,
            wanted=self._method.reward_model,
            strong=self._strong,
            seed=self._seed,
            weak_votes={self._of.name: labels.grades[0]},
            strong_votes={self._of.name: self._build.grade(self._of, own, f"grade {name} labels")},
            name=name,
        )

    def _needs_reasoning(self, index: int) -> bool:
        """Tell whether labels must show reasoning: from round 2 on they are the strong model's own (appendix A.2)."""
        return index > 0 and self._method.require_chain_of_thought

    def _goes_on(self, index: int, thresholds: tuple[Threshold, ...]) -> bool:
        return index < len(self._method.rounds) and self._method.rounds[index].goes_on_from(thresholds)

    def _choose(self, index: int, branch: _Branch, rule: ThresholdRule) -> Step:
        """Let a rule choose the threshold of a round, and note it for the report."""
        one = self._method.rounds[index]
        candidates = one.swept_after(branch.kept.thresholds)
        suffix = self._suffix(branch.kept.thresholds)
        calibration: dict[str, tuple[Input, ...]] = {}
        if rule == "calibrated":
            calibration = self._chooser.inputs(
                self._chooser.votes(branch.labeller, suffix), branch.discarded_calibration
            )
        chosen = self._chooser.choose(
            rule, candidates, branch.votes, calibration, self._needs_reasoning(index), f"round {index + 1} {suffix}"
        )
        self.choices.append(
            ReportChoice(
                choose=chosen.key,
                rule=rule,
                seed=self._seed,
                after=branch.kept.thresholds,
                swept=not one.is_chosen,
                require_chain_of_thought=self._needs_reasoning(index),
            )
        )
        return chosen

    def _relabel(self, model: Model, kept: _Kept) -> _Branch:
        """Label what was discarded with the newest model."""
        discarded = output(kept.selects[-1], "discarded.parquet")
        suffix = self._suffix(kept.thresholds)
        samples = self._build.sample(model, [discarded], self._build.spec.sampling, self._seed, f"relabel {suffix}")
        votes = self._build.grade(self._of, samples, f"grade relabelled {suffix}")
        return _Branch(model, votes, discarded, kept)

    def _unfiltered(self, model: Model, kept: _Kept) -> ReportPoint:
        """Append all relabelled rows, whatever their confidence (table 1)."""
        branch = self._relabel(model, kept)
        everything = SelectParams(task=self._of.task, require_valid=False)
        label = f"select all relabelled {self._suffix(kept.thresholds)}"
        select = self._build.select(branch.votes, branch.questions, everything, label)
        return self._learn("unfiltered", _Kept((*kept.selects, select), (*kept.grades, branch.votes), kept.thresholds))

    def _learn(self, role: str, kept: _Kept, completion: Completion | None = None) -> ReportPoint:
        return self._point(role, self._train(f"train {role}", role, kept, completion), kept)

    def _train(self, verb: str, role: str, kept: _Kept, completion: Completion | None = None) -> Model:
        """Train the initial strong model on what was kept, or on gold where the ceiling is meant."""
        examples = tuple(output(select, "kept.parquet") for select in kept.selects)
        gold = () if examples else (self._build.gold(self._of, "unlabelled", completion),)
        label = f"{verb} {self._suffix(kept.thresholds)}"
        return self._build.train(self._strong, examples or gold, self._training, role, label)

    def _point(self, role: str, model: Model, kept: _Kept) -> ReportPoint:
        round_of = f"round{len(kept.thresholds)}" if role == "round" else role
        branch = f"/t{'-'.join(map(str, kept.thresholds))}" if kept.thresholds else ""
        point = f"{round_of}{branch}/seed{self._seed}"
        evaluated = self._evaluate(model, role, point, "test")
        extra = None
        if self._of.dataset.splits.extra_test != 0:
            extra = self._evaluate(model, role, point, "extraTest").key
        return ReportPoint(
            id=point,
            role=role,
            thresholds=kept.thresholds,
            seed=self._seed,
            evaluate=evaluated.key,
            evaluate_extra=extra,
            selects=tuple(select.key for select in kept.selects),
            grades=tuple(votes.key for votes in kept.grades),
            train=None if role in ("weak", "direct-weak") or model.trained is None else model.trained.key,
        )

    def _evaluate(self, model: Model, role: str, point: str, split: TestSplit) -> Step:
        samples = self._build.sample_tests(model, [self._of], point, split)
        return self._build.evaluate(self._of, samples, role, point, split)

    def _suffix(self, thresholds: tuple[Threshold, ...]) -> str:
        branch = f"t={'-'.join(map(str, thresholds))} " if thresholds else ""
        return f"{branch}seed {self._seed}"
