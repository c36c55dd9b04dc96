"""Steps by which a rule chooses a threshold (docs/thresholds.md). They read no gold of the unlabelled split.

`calibrated` looks at the calibration split as the branch looks at the unlabelled one: the same labeller samples it, and
questions that the rounds before kept are set aside, because the labels to judge are those of discarded questions.
"""

from __future__ import annotations

from controller.api.v1alpha1 import Capability
from controller.plan.builder import Model, PlanBuilder, output
from controller.plan.graph import Step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.settings import Percent, ThresholdRule
from w2s_jobs.contracts.step_params import ChooseParams, SelectParams

__all__ = ["ThresholdChooser"]


class ThresholdChooser:
    """Chooses under one seed of sampling."""

    def __init__(self, build: PlanBuilder, of: Capability, seed: int) -> None:
        self._build = build
        self._of = of
        self._seed = seed

    def choose(
        self,
        rule: ThresholdRule,
        candidates: tuple[Percent, ...],
        votes: Step,
        calibration: dict[str, tuple[Input, ...]],
        chain_of_thought: bool,
        suffix: str,
    ) -> Step:
        """Choose among `candidates`, or where there are none among all that occur; `calibration` is of `inputs`."""
        params = ChooseParams(
            task=self._of.task,
            rule=rule,
            candidates=candidates,
            require_chain_of_thought=chain_of_thought,
        )
        inputs = {"votes": (output(votes, "votes.parquet"),), **calibration}
        return self._build.light("choose", params, inputs, votes.role, f"choose {rule} {suffix}")

    def inputs(self, votes: Step, discarded: tuple[Input, ...]) -> dict[str, tuple[Input, ...]]:
        """Name what `calibrated` reads: votes over the calibration split, and what earlier rounds discarded of it."""
        return {
            "calibration": (output(votes, "votes.parquet"),),
            "discarded": discarded,
            "gold": (self._build.gold(self._of, "calibration"),),
        }

    def discard(self, votes: Step, params: SelectParams, chosen: Step | None, suffix: str) -> Input:
        """Name the calibration questions that a round's filter discards, by the votes of its labeller."""
        questions = self._build.questions(self._of, "calibration")
        select = self._build.select(votes, questions, params, f"filter calibration {suffix}", chosen)
        return output(select, "discarded.parquet")

    def votes(self, labeller: Model, suffix: str) -> Step:
        """Let a labeller vote over the calibration split."""
        build = self._build
        questions = build.questions(self._of, "calibration")
        samples = build.sample(labeller, [questions], build.spec.sampling, self._seed, f"label calibration {suffix}")
        return build.grade(self._of, samples, f"grade calibration {suffix}")
