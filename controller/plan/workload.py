"""How much a step has to do: rows, tokens and the size of its model, read off the plan before anything has run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from controller.api.v1alpha1 import ExperimentSpec, StrongModel, WeakModel
from controller.plan.graph import Plan, Step
from controller.plan.placement.shapes import ModelShape, shape_of
from w2s_jobs.contracts.families import FAMILIES, FamilyFigures
from w2s_jobs.contracts.settings import ModelSource, SplitName
from w2s_jobs.contracts.step_params import (
    CleanParams,
    PartitionParams,
    PrepareParams,
    SampleParams,
    ScoreParams,
    SelectParams,
    Splits,
    TrainParams,
)

__all__ = ["CHOSEN_THRESHOLD", "REWARD_KEEPS", "SizedModel", "Workload"]

CHOSEN_THRESHOLD = 70
"""What a rule is taken to choose, in percent: where the paper's best models lie."""
REWARD_KEEPS = 0.7
"""Share of labels that a reward model is taken to keep, and so a random draw of as many; only a run can tell."""


_SIZE_IN_NAME = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)\s?([bm])(?![a-z0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class SizedModel:
    """A model of the manifest, and what is known of its size."""

    name: str
    """name in plans: `weak`, `strong`, or that in a chain"""
    source: ModelSource
    parameters: float | None
    """parameters as declared or read off its name; None when nothing tells"""
    shape: ModelShape | None


class Workload:
    """Answers for the steps of one plan."""

    def __init__(self, plan: Plan, spec: ExperimentSpec) -> None:
        self._plan = plan
        self._models = [_sized(name, model) for _, name, model in spec.models.placed]
        self.rows = cache(self._rows)
        self.model = cache(self._find_model)

    def tokens(self, step: Step) -> tuple[float, float]:
        """Return the tokens that a step reads and writes; of a training, those of all its epochs (0, n).

        A prompt is read once, however many samples are drawn of it: the engines share its cache.
        """
        match step.params:
            case SampleParams(sampling=sampling, shots=shots):
                read = self._over(step, "questions", lambda f: f.prompt_tokens + shots * _example_tokens(f))
                written = self._over(step, "questions", lambda f: min(sampling.max_tokens, f.completion_tokens))
                return read, written * sampling.samples
            case ScoreParams(max_seq_len=longest):
                return self._over(step, "questions", lambda f: min(longest, _example_tokens(f))), 0.0
            case TrainParams(training=training):
                role = "pairs" if step.params.reward else "examples"
                seen = self._over(step, role, lambda f: min(training.max_seq_len, _example_tokens(f)))
                return 0.0, seen * training.epochs
            case _:
                return 0.0, 0.0

    def _over(self, step: Step, role: str, tokens: Callable[[FamilyFigures], float]) -> float:
        """Add up the tokens of the rows of all inputs of a role, each by the figures of its family."""
        return sum(
            self._rows_of_file(item.key, item.file) * tokens(_figures(self._plan.step(item.key)))
            for item in step.inputs[role]
        )

    def _rows(self, step: Step) -> float:
        """Estimate the rows that a step works on; of a select step, those that it keeps."""
        match step.params:
            case PrepareParams(split=split, splits=splits, source=source):
                figures = _figures(step)
                return _split_rows(split, splits, replace(figures, test_rows=0) if source.pool else figures)
            case SelectParams(threshold=threshold, min_reward=reward):
                share = _kept_share(CHOSEN_THRESHOLD if "threshold" in step.inputs else threshold)
                drawn = "size" in step.inputs
                return self._voted(step) * share * (1.0 if reward is None and not drawn else REWARD_KEEPS)
            case CleanParams() | PartitionParams():
                return self._voted(step)
            case _:
                return 0.0

    def _rows_of_file(self, key: str, file: str) -> float:
        step = self._plan.step(key)
        return self._voted(step) - self.rows(step) if file == "discarded.parquet" else self.rows(step)

    def _voted(self, select: Step) -> float:
        (questions,) = select.inputs["questions"]
        return self._rows_of_file(questions.key, questions.file)

    def sequence_tokens(self, step: Step) -> float:
        """Return the tokens of the longest sequence of a sampling, by the figures of its families."""
        if not isinstance(step.params, SampleParams):
            return 0.0
        shots, longest = step.params.shots, step.params.sampling.max_tokens
        figures = [_figures(self._plan.step(item.key)) for item in step.inputs["questions"]]
        return max(one.prompt_tokens + shots * _example_tokens(one) for one in figures) + longest

    def rows_read(self, step: Step) -> float:
        """Return the rows that a sample or score step works through."""
        return self._over(step, "questions", lambda _: 1.0)

    def parameters(self, step: Step) -> float | None:
        """Return the parameters of the model that a step starts from, None when nothing tells."""
        model = self.model(step)
        return None if model is None else model.parameters

    def _find_model(self, step: Step) -> SizedModel | None:
        """Return the model that a sample, score or train step starts from, None of other steps."""
        if not isinstance(step.params, SampleParams | TrainParams | ScoreParams):
            return None
        if isinstance(step.params, ScoreParams) or step.params.model is None:
            return self.model(self._plan.step(step.inputs["model"][0].key))
        return next((model for model in self._models if model.source == step.params.model), None)


def _figures(step: Step) -> FamilyFigures:
    """Return the figures of the family whose rows a step writes."""
    match step.params:
        case PrepareParams(task=task) | SelectParams(task=task) | CleanParams(task=task) | PartitionParams(task=task):
            return FAMILIES[task.family]
        case _:
            raise AssertionError(f"{step.name} writes no rows of one family")


def _example_tokens(figures: FamilyFigures) -> float:
    return figures.prompt_tokens + figures.completion_tokens


def _sized(name: str, model: WeakModel | StrongModel) -> SizedModel:
    parameters = model.parameters or _size_in_name(model.source)
    shape = shape_of(model.source, parameters)
    if shape is not None and (model.source.scratch is not None or parameters is None):
        parameters = model.parameters or float(shape.parameters)
    return SizedModel(name, model.source, parameters, shape)


def _size_in_name(source: ModelSource) -> float | None:
    """Read `8B` or `135M` off the name of a model; the last one, because a name may start with its family's number."""
    name = source.hub.name if source.hub else source.path or source.s3 or ""
    sizes = _SIZE_IN_NAME.findall(name)
    if not sizes:
        return None
    number, unit = sizes[-1]
    return float(number) * (1e9 if unit in "bB" else 1e6)


def _split_rows(split: SplitName, splits: Splits, figures: FamilyFigures) -> float:
    sizes: dict[str, int | None] = splits.model_dump(by_alias=True, exclude={"seed"})
    if (size := sizes.pop(split)) is not None:
        return size
    in_test = {"test", "extraTest"}
    if not figures.test_rows:
        records, beside = figures.train_rows, set(sizes)
    elif split in in_test:
        records, beside = figures.test_rows, sizes.keys() & in_test
    else:
        records, beside = figures.train_rows, sizes.keys() - in_test
    return max(0, records - sum(sizes[name] or 0 for name in beside))


def _kept_share(threshold: int | None) -> float:
    """Guess the share of rows that reach a threshold: all at 0 %, half at 100 %. Only a run can tell."""
    return 1.0 if threshold is None else 1.0 - threshold / 200
