"""Labels of the unlabelled splits under one seed, for one teacher and one learner (methods.md, method A).

Everything here is asked for when something needs it, and made once: what two pairs share is one step in the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from controller.api.reward import RewardMethod
from controller.api.v1alpha1 import Capability, ChainModel
from controller.plan.builder import Model, PlanBuilder, Training, output
from controller.plan.graph import Step
from controller.plan.reward_judge import Labels, RewardJudge
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.settings import SelectionRule
from w2s_jobs.contracts.step_params import SelectParams

__all__ = ["PairLabels", "Teaching", "kept"]


@dataclass(frozen=True)
class Teaching:
    """The method under one seed of sampling and training."""

    build: PlanBuilder
    method: RewardMethod
    seed: int

    @property
    def training(self) -> Training:
        """How S is trained."""
        return Training(self.build.spec.training, self.seed)

    def given(self, model: ChainModel) -> Model:
        """Return a model of the chain before it learns anything here."""
        return self.build.model(model.name, model, "strong")

    def teacher(self, model: ChainModel, of: Capability) -> Model:
        """Fine-tune a weak model on the labelled split of one capability."""
        training = Training(self.method.weak_training or self.build.spec.training, self.seed)
        label = f"train {model.name} on labelled {of.name} seed {self.seed}"
        initial = self.build.model(model.name, model, "weak")
        return self.build.train(initial, (self.build.gold(of, "labelled"),), training, "weak", label)

    def weak_votes(self, model: ChainModel, of: Capability) -> Step:
        """Let the teacher of a capability label its unlabelled questions, greedily."""
        questions = self.build.questions(of, "unlabelled")
        label = f"{model.name} labels {of.name} seed {self.seed}"
        return self.build.grade(
            of, self.build.sample_once(self.teacher(model, of), [questions], label), f"grade {label}"
        )

    def voted_labels(self, model: ChainModel, of: Capability) -> Step:
        """Let it vote instead, as method `confidence` does."""
        build = self.build
        label = f"{model.name} votes on {of.name} seed {self.seed}"
        questions = [build.questions(of, "unlabelled")]
        samples = build.sample(self.teacher(model, of), questions, build.spec.sampling, self.seed, label)
        return build.grade(of, samples, f"grade {label}")

    def everything(self, votes: Step, of: Capability, what: str) -> Step:
        """Keep every label that has a text."""
        params = SelectParams(task=of.task, require_valid=False)
        return self.build.select(votes, self.build.questions(of, "unlabelled"), params, f"all {what} of {of.name}")

    def relabel(self, model: Model, what: str) -> Labels:
        """Let one model label the unlabelled questions of all capabilities, greedily."""
        build = self.build
        questions = {of.name: build.questions(of, "unlabelled") for of in build.capabilities}
        samples = build.sample_once(model, list(questions.values()), f"{what} labels all")
        return {
            of.name: build.grade(of, samples, f"grade {what} labels of {of.name}", questions[of.name])
            for of in build.capabilities
        }


class PairLabels:
    """What one teacher and one learner make of the unlabelled splits."""

    def __init__(self, teaching: Teaching, weak: ChainModel, strong: ChainModel) -> None:
        self._teaching = teaching
        self._build = teaching.build
        self._weak = weak
        self._strong = strong
        self._name = f"{weak.name}-{strong.name} seed {teaching.seed}"

    @cached_property
    def weak_votes(self) -> Labels:
        """Votes of one greedy weak label a question."""
        return {of.name: self._teaching.weak_votes(self._weak, of) for of in self._build.capabilities}

    @cached_property
    def weak_data(self) -> Labels:
        """The weak datasets: all weak labels."""
        what = f"{self._weak.name} labels seed {self._teaching.seed}"
        return {
            of.name: self._teaching.everything(self.weak_votes[of.name], of, what) for of in self._build.capabilities
        }

    @cached_property
    def wts(self) -> Model:
        """S trained on all weak datasets; also the warm-up of the method (section 4.4, stage 1)."""
        examples = kept(self.weak_data)
        strong = self._teaching.given(self._strong)
        return self._build.train(strong, examples, self._teaching.training, "wts", f"train wts {self._name}")

    @cached_property
    def strong_votes(self) -> Labels:
        """Votes of the WTS model."""
        return self._teaching.relabel(self.wts, f"wts {self._name}")

    @cached_property
    def strong_data(self) -> Labels:
        """The strong datasets: all labels of the WTS model."""
        what = f"wts {self._name} labels"
        return {
            of.name: self._teaching.everything(self.strong_votes[of.name], of, what) for of in self._build.capabilities
        }

    @cached_property
    def judge(self) -> RewardJudge:
        """The reward models of this pair."""
        return RewardJudge(
            build=self._build,
            wanted=self._teaching.method.reward_model,
            strong=self._teaching.given(self._strong),
            seed=self._teaching.seed,
            weak_votes=self.weak_votes,
            strong_votes=self.strong_votes,
            name=self._name,
        )

    @cached_property
    def scores(self) -> Labels:
        """Scores of the weak labels."""
        return self.judge.score(self.weak_votes, self._questions, "labels")

    @property
    def _questions(self) -> Mapping[str, Input]:
        return {of.name: self._build.questions(of, "unlabelled") for of in self._build.capabilities}

    @cached_property
    def voted(self) -> Labels:
        """Votes of several weak samples a question, for the selections by confidence."""
        return {of.name: self._teaching.voted_labels(self._weak, of) for of in self._build.capabilities}

    @cached_property
    def voted_scores(self) -> Labels:
        """Scores of the voted labels."""
        return self.judge.score(self.voted, self._questions, "voted labels")

    def selected(self, rule: SelectionRule) -> Labels:
        """Select weak labels by a rule."""
        return {of.name: self._select(rule, of) for of in self._build.capabilities}

    def _select(self, rule: SelectionRule, of: Capability) -> Step:
        method = self._teaching.method
        by_votes = rule in ("confidence", "both")
        votes = (self.voted if by_votes else self.weak_votes)[of.name]
        inputs = {
            "votes": (output(votes, "votes.parquet"),),
            "questions": (self._build.questions(of, "unlabelled"),),
        }
        if rule in ("reward", "both"):
            scores = self.voted_scores if by_votes else self.scores
            inputs["scores"] = (output(scores[of.name], "scores/"),)
        if rule == "random":
            inputs["size"] = (output(self._select("reward", of), "kept.parquet"),)
        params = SelectParams(
            task=of.task,
            threshold=method.confidence_threshold if by_votes else None,
            min_reward=method.reward_model.cutoff if "scores" in inputs else None,
            draw=self._teaching.seed if rule == "random" else None,
        )
        return self._build.light("select", params, inputs, "weak", f"select by {rule} {of.name} {self._name}")


def kept(labels: Labels) -> tuple[Input, ...]:
    """Name the rows that selections kept."""
    return tuple(output(step, "kept.parquet") for step in labels.values())
