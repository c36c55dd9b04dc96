"""What method `reward` would leave in a store: weak models, students, selections and analyses, all made up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from tests.support.survey_store import Labels, SurveyDesign, SurveyStore
from w2s_jobs.contracts.settings import SelectionRule
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.contracts.survey import Relabelled, SurveyRole

NOISE = (20, 60)
_WARM = 0.05
"""Skill that a student without warm-up lacks."""


def write_survey_store(root: Path, design: SurveyDesign) -> StepSpec:
    """Fill a store as the method would and return the spec of its survey."""
    made = SurveyStore(root, design)
    for seed in design.seeds:
        _baselines(made, seed)
        for weak, model in pairwise(design.models):
            _Pair(made, weak, model, seed).run()
    return made.spec()


def _baselines(made: SurveyStore, seed: int) -> None:
    design = made.design
    for number, model in enumerate(design.models):
        if "weak" in design.baselines and model != design.models[-1]:
            trains = tuple(made.train(f"weak {model} {c} {seed}", 0.8, 30).key for c in made.test)
            made.point(("weak", "", model, None, seed), made.every(lambda _, m=model: made.base(m) + 0.3), {}, trains)
        if number and "ceiling" in design.baselines:
            gain = design.ceiling_gain
            train = made.train(f"ceiling {model} {seed}", 0.4).key
            skills = made.every(lambda _, m=model, g=gain: made.base(m) + g)
            made.point(("ceiling", "", model, None, seed), skills, {}, (train,))
        if number and "in-context" in design.extras:
            made.point(("in-context", "", model, None, seed), made.every(lambda _, m=model: made.base(m) - 0.1))


class _Pair:
    """Everything that one weak model teaches one strong model under one seed."""

    def __init__(self, made: SurveyStore, weak: str, model: str, seed: int) -> None:
        self.made, self.weak, self.model, self.seed = made, weak, model, seed
        self.name = f"{weak}-{model}/seed{seed}"
        self.labels = self._labels(weak)

    def run(self) -> None:
        made, extras = self.made, self.made.design.extras
        skills = made.learn(self.model, self.labels)
        warm_up = made.train(f"wts {self.name}", 0.7).key
        if made.design.conventional:
            self.student("wts", "", self.labels, (warm_up,))
        strong = {c: made.label(c, f"strong {self.name}", skills[c] + 0.1, labels) for c, labels in self.labels.items()}
        second = None
        if "wts-2" in extras:
            second_skills = made.learn(self.model, strong, 0.03)
            train = made.train(f"wts-2 {self.name}", 0.6).key
            made.point(("wts-2", "", self.model, self.weak, self.seed), second_skills, strong, (train,))
            second = {c: made.label(c, f"second {self.name}", second_skills[c], labels) for c, labels in strong.items()}
        kept, scores = self._selections(warm_up)
        self._analyses()
        for c, labels in self.labels.items():
            made.relabelled.append(
                Relabelled(
                    capability=c,
                    weak=self.weak,
                    model=self.model,
                    seed=self.seed,
                    weak_votes=labels.votes.key,
                    strong_votes=strong[c].votes.key,
                    second_votes=None if second is None else second[c].votes.key,
                    scores=scores,
                    kept={rule: key for rule, chosen in kept.items() if (key := chosen[c].select) is not None},
                )
            )

    def student(
        self, role: SurveyRole, variant: str, seen: Mapping[str, Labels], trains: tuple[str, ...], penalty: float = 0
    ) -> None:
        skills = self.made.learn(self.model, seen, penalty)
        self.made.point((role, variant, self.model, self.weak, self.seed), skills, seen, trains)

    def _labels(self, weak: str) -> dict[str, Labels]:
        name = f"weak of {weak} for {self.name}"
        return {c: self.made.label(c, name, self.made.base(weak) + 0.3) for c in self.made.test}

    def _selections(self, warm_up: str) -> tuple[dict[SelectionRule, dict[str, Labels]], str | None]:
        """Publish each rule's selections, and the model that learnt from them after the warm-up."""
        made, rules = self.made, self.made.design.selections
        if not rules:
            return {}, None
        scores, rewards = made.score(f"scores {self.name}", self.labels)
        found: dict[SelectionRule, dict[str, Labels]] = {}
        for rule in rules:
            found[rule] = {c: self._kept(c, labels, rule, rewards[c]) for c, labels in self.labels.items()}
            train = made.train(f"{rule} {self.name}", 0.55, 40).key
            self.student("selected", rule, found[rule], (warm_up, train))
        if "no-warm-up" in made.design.extras:
            train = made.train(f"cold {self.name}", 0.6, 40).key
            self.student("no-warm-up", rules[0], found[rules[0]], (train,), _WARM)
        return found, scores.key

    def _kept(self, capability: str, labels: Labels, rule: SelectionRule, rewards: np.ndarray) -> Labels:
        passed = rewards > 0.5
        random = np.random.default_rng(self.seed)
        confident = labels.answers.right | (random.random(len(passed)) < 0.6)
        kept = {
            "reward": passed,
            "random": random.permutation(passed),
            "confidence": confident,
            "both": passed & confident,
        }[rule]
        return self.made.select(capability, f"{rule} {self.name}", labels, kept)

    def _analyses(self) -> None:
        made, extras = self.made, self.made.design.extras
        if "wts-single" in extras:
            trains = tuple(made.train(f"single {c} {self.name}", 0.7, 20).key for c in made.test)
            self.student("wts-single", "", self.labels, trains, 0.02)
        if "mixed" in extras:
            self.student("mixed", "", self.labels, (made.train(f"mixed {self.name}", 0.65).key,), 0.01)
        if "clean" in extras:
            self._clean("clean", "", 0)
        for noise in NOISE if "noise" in extras else ():
            self._clean("noise", str(noise), noise)
        first, *rest = made.test
        if "weakened" in extras:
            seen = {**self.labels, first: self._worse(first)}
            self.student("weakened", first, seen, (made.train(f"weakened {self.name}", 0.7).key,))
        if "removed" in extras and rest:
            seen = {c: self.labels[c] for c in rest}
            self.student("removed", first, seen, (made.train(f"removed {self.name}", 0.7).key,))

    def _worse(self, capability: str) -> Labels:
        """Label a capability by a model that is smaller than the weak one."""
        return self.made.label(capability, f"smaller for {self.name}", self.made.base(self.weak) - 0.4)

    def _clean(self, role: SurveyRole, variant: str, noise: int) -> None:
        seen = {}
        for c, labels in self.labels.items():
            drawn = np.random.default_rng(self.seed).random(len(labels.kept)) * 100 < noise
            name = f"{role} {variant} {self.name}"
            seen[c] = self.made.select(c, name, labels, labels.answers.right | drawn, kind="clean")
        self.student(role, variant, seen, (self.made.train(f"{role} {variant} {self.name}", 0.5).key,))
