"""How much a step has to do: rows, tokens and the size of its model, read off the plan before anything has run."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from controller.api.v1alpha1 import ExperimentSpec, StrongModel, WeakModel
from controller.plan.graph import Plan, Step
from w2s_jobs.contracts.families import FAMILIES, FamilyFigures
from w2s_jobs.contracts.settings import ModelSource, ScratchModel, SplitName
from w2s_jobs.contracts.step_params import PrepareParams, SampleParams, SelectParams, Splits, TrainParams

__all__ = ["CHOSEN_THRESHOLD", "Workload"]

CHOSEN_THRESHOLD = 70
"""What a rule is taken to choose, in percent: where the paper's best models lie."""


_SIZE_IN_NAME = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)\s?([bm])(?![a-z0-9])", re.IGNORECASE)


class Workload:
    """Answers for the steps of one plan."""

    def __init__(self, plan: Plan, spec: ExperimentSpec) -> None:
        self._plan = plan
        figures = FAMILIES[spec.task.family]
        one_pool = spec.dataset.source.pool is not None
        self._figures = replace(figures, test_rows=0) if one_pool else figures
        self._declared = [
            (spec.models.weak.source, _parameters(spec.models.weak)),
            (spec.models.strong.source, _parameters(spec.models.strong)),
        ]
        self.rows = cache(self._rows)
        self.parameters = cache(self._find_parameters)

    def tokens(self, step: Step) -> tuple[float, float]:
        """Return the tokens that a sample step reads and writes, or that a train step sees in all its epochs (0, n).

        A prompt is read once, however many samples are drawn of it: the engines share its cache.
        """
        figures = self._figures
        rows = self.rows(step)
        match step.params:
            case SampleParams(sampling=sampling):
                written = min(sampling.max_tokens, figures.completion_tokens)
                return rows * figures.prompt_tokens, rows * sampling.n * written
            case TrainParams(training=training):
                seen = min(training.max_seq_len, figures.prompt_tokens + figures.completion_tokens)
                return 0.0, rows * seen * training.epochs
            case _:
                return 0.0, 0.0

    def _rows(self, step: Step) -> float:
        """Estimate the rows that a step works on; of a select step, those that it keeps."""
        match step.params:
            case PrepareParams(split=split, splits=splits):
                return _split_rows(split, splits, self._figures)
            case SelectParams(threshold=threshold):
                return self._voted(step) * _kept_share(CHOSEN_THRESHOLD if "threshold" in step.inputs else threshold)
            case SampleParams():
                return sum(self._rows_of_file(item.key, item.file) for item in step.inputs["questions"])
            case TrainParams():
                return sum(self._rows_of_file(item.key, item.file) for item in step.inputs["examples"])
            case _:
                return 0.0

    def _rows_of_file(self, key: str, file: str) -> float:
        step = self._plan.step(key)
        return self._voted(step) - self.rows(step) if file == "discarded.parquet" else self.rows(step)

    def _voted(self, select: Step) -> float:
        (questions,) = select.inputs["questions"]
        return self._rows_of_file(questions.key, questions.file)

    def _find_parameters(self, step: Step) -> float | None:
        """Return the parameters of the model that a sample or train step starts from, None when nothing tells."""
        if not isinstance(step.params, SampleParams | TrainParams):
            return None
        if step.params.model is None:
            return self.parameters(self._plan.step(step.inputs["model"][0].key))
        return next((size for source, size in self._declared if source == step.params.model), None)


def _parameters(model: WeakModel | StrongModel) -> float | None:
    if model.parameters is not None:
        return model.parameters
    if model.source.scratch is not None:
        return _scratch_parameters(model.source.scratch)
    return _size_in_name(model.source)


def _size_in_name(source: ModelSource) -> float | None:
    """Read `8B` or `135M` off the name of a model; the last one, because a name may start with its family's number."""
    name = source.hub.name if source.hub else source.path or source.s3 or ""
    sizes = _SIZE_IN_NAME.findall(name)
    if not sizes:
        return None
    number, unit = sizes[-1]
    return float(number) * (1e9 if unit in "bB" else 1e6)


def _scratch_parameters(model: ScratchModel) -> float:
    """Count attention and gated feed-forward weights of each layer, and the token table at both ends."""
    hidden = model.hidden_size
    layer = 4 * hidden * hidden + 3 * hidden * model.intermediate_size
    return float(model.layers * layer + 2 * model.vocab_size * hidden)


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
