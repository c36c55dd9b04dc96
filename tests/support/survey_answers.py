"""Made-up questions of one capability and answers to them: right where skill and luck beat difficulty.

Wrong answers are often the same one, and a student repeats some of its teacher's, so that two models can agree on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from w2s_jobs.core.seeds import derive_seed

_COPIED = 0.35
"""Share of its teacher's labels that a student repeats, right or wrong."""
_CHOICES = {
    "creak": ("true", "false"),
    "sciq": ("A", "B", "C", "D"),
    "mctaco": ("A", "B", "A, B", "none"),
    "scan": ("I_WALK", "I_JUMP", "I_TURN_LEFT I_WALK", "I_RUN I_RUN", "I_LOOK"),
}


@dataclass(frozen=True)
class Answers:
    """A model's answers to the questions of a split, in their order."""

    given: tuple[str | None, ...]
    right: np.ndarray

    @property
    def correctness(self) -> float:
        return float(self.right.mean())


@dataclass(frozen=True)
class Questions:
    """Questions of one split of one capability."""

    capability: str
    family: str
    split: str
    count: int

    @property
    def row_ids(self) -> list[str]:
        return [f"{self.family}-{self.split}-{i:05}" for i in range(self.count)]

    @cached_property
    def difficulty(self) -> np.ndarray:
        return self._random("difficulty").normal(0.5, 1.0, self.count)

    @cached_property
    def gold(self) -> list[str]:
        choices = _CHOICES.get(self.family)
        drawn = self._random("gold").integers(0, 1000, self.count)
        return [choices[n % len(choices)] if choices else str(n) for n in drawn]

    def answer(self, model: str, skill: float, taught: Answers | None = None) -> Answers:
        """Let a model answer; `taught` are the labels that it learnt of these very questions."""
        random = self._random(model)
        able = skill + random.normal(0, 0.8, self.count) > self.difficulty
        copies = random.random(self.count) < _COPIED if taught is not None else np.zeros(self.count, bool)
        silent, common = random.random(self.count) < 0.04, random.random(self.count) < 0.6
        other = random.integers(1, 1000, self.count)
        given: list[str | None] = []
        for i, gold in enumerate(self.gold):
            if taught is not None and copies[i]:
                given.append(taught.given[i])
            elif able[i]:
                given.append(gold)
            else:
                given.append(None if silent[i] else self._wrong(gold, 1 if common[i] else int(other[i])))
        right = np.array([answer == gold for answer, gold in zip(given, self.gold, strict=True)])
        return Answers(tuple(given), right)

    def _wrong(self, gold: str, number: int) -> str:
        """Return a wrong answer; number 1 is the one that models tend to give."""
        choices = _CHOICES.get(self.family)
        if choices is None:
            return str(int(gold) + number)
        wrong = [choice for choice in choices if choice != gold]
        return wrong[number % len(wrong)]

    def _random(self, what: str) -> np.random.Generator:
        return np.random.default_rng(derive_seed(7, self.capability, self.split, what))
