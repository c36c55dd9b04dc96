"""Reward models of one seed, and what they say of labels (paper `reward`, sections 4.2 and 4.3).

They know no method: whoever has labels of a weak model and of the strong model that learnt them can ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from controller.api.reward import RewardModel
from controller.api.v1alpha1 import Capability
from controller.plan.builder import Model, PlanBuilder, Training, output
from controller.plan.graph import Step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.step_params import PartitionParams, RewardObjective, ScoreParams

__all__ = ["Labels", "RewardJudge"]

Labels = Mapping[str, Step]
"""A step by capability: grades (votes), or selects (rows to learn from)"""


@dataclass(frozen=True)
class RewardJudge:
    """Tells labels that both models would give from those that only the strong one gives."""

    build: PlanBuilder
    wanted: RewardModel
    strong: Model
    """strong model before it learns anything: the reward model starts from it"""
    seed: int
    weak_votes: Labels
    """weakVotes: one greedy weak label a question"""
    strong_votes: Labels
    """strongVotes: labels of the strong model that learnt those"""
    name: str
    """name of the run in the labels of steps"""

    @cached_property
    def pairs(self) -> Mapping[str, Input]:
        """Pairs to train on: labels both agree on, against the other labels of the strong model."""
        return {of.name: output(self._partition(of), "pairs.parquet") for of in self.build.capabilities}

    def _partition(self, of: Capability) -> Step:
        inputs = {
            "weak": (output(self.weak_votes[of.name], "votes.parquet"),),
            "strong": (output(self.strong_votes[of.name], "votes.parquet"),),
            "questions": (self.build.questions(of, "unlabelled"),),
        }
        label = f"partition {of.name} {self.name}"
        return self.build.light("partition", PartitionParams(task=of.task), inputs, "strong", label)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The reward model of each capability; one for all of them, unless the manifest wants one each."""
        training = Training(
            self.wanted.training or self.build.spec.training,
            self.seed,
            reward=RewardObjective(loss=self.wanted.loss, balanced=self.wanted.balanced),
        )
        label = f"train reward model {self.name}"
        if self.wanted.per_capability:
            return {
                name: self.build.train(self.strong, (pairs,), training, "reward-model", f"{label} {name}")
                for name, pairs in self.pairs.items()
            }
        one = self.build.train(self.strong, tuple(self.pairs.values()), training, "reward-model", label)
        return dict.fromkeys(self.pairs, one)

    def score(self, votes: Labels, questions: Mapping[str, Input], what: str) -> Labels:
        """Let each reward model judge the labels of its capabilities, in one step."""
        build = self.build
        training = self.wanted.training or build.spec.training
        params = ScoreParams(template=self.strong.template, max_seq_len=training.max_seq_len)
        scored: dict[str, Step] = {}
        for model in dict.fromkeys(self.models.values()):
            of = [one for one in build.capabilities if self.models[one.name] == model]
            inputs = {
                "votes": tuple(output(votes[one.name], "votes.parquet") for one in of),
                "questions": tuple(questions[one.name] for one in of),
            }
            whose = f" of {of[0].name}" if len(of) < len(build.capabilities) else ""
            step = build.score(model, params, inputs, f"score {self.name} {what}{whose}")
            scored |= {one.name: step for one in of}
        return scored
