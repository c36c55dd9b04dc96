"""Rules about datasets: where records come from, and how they are split."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.document import Path
from controller.api.problems import Problem
from controller.api.v1alpha1 import Capability, DatasetSpec, WeakToStrongExperiment
from w2s_jobs.contracts.settings import DatasetSource
from w2s_jobs.contracts.step_params import Splits

__all__ = ["broken_dataset_rules"]

_SCAN_PAIRS = 20_910
"""Pairs of SCAN's grammar (Lake and Baroni 2018): all that `generated` can give"""


def broken_dataset_rules(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    """Yield what is wrong with the dataset of each task."""
    for place, one in experiment.spec.placed_tasks:
        yield from _source((*place, "dataset", "source"), one)
        yield from _splits((*place, "dataset", "splits"), one.dataset)


def _source(here: Path, of: Capability) -> Iterator[Problem]:
    family, source = of.task.family, of.dataset.source
    if source.generated and family != "scan":
        yield (
            (*here, "generated"),
            f"task family {family} has no generator; only scan does. Name a path, s3 or hub instead",
        )
    if source.generated:
        for name in ("train", "test", "pool"):
            if getattr(source, name) is not None:
                yield (*here, name), "names a file, and a generated dataset has none. Remove it"
    if source.pool is not None and (source.train or source.test):
        yield (*here, "pool"), "is one file for every split, and train or test names another. Name pool or the two"
    yield from _pinned_files(here, source)
    if source.train is not None and source.train == source.test:
        yield (
            (*here, "test"),
            f"'{source.test}' is the file of train too, so the test questions would be trained on. Name another file, "
            "or name it as pool: every split is then cut from it",
        )


def _pinned_files(here: Path, source: DatasetSource) -> Iterator[Problem]:
    """Pinning a part of the files in S3 would give two different datasets one key."""
    if source.s3 is None or not source.sha256:
        return
    files = {"pool": source.pool} if source.pool is not None else {"train": source.train, "test": source.test}
    for name, file in files.items():
        if file is None:
            yield (*here, name), "missing beside sha256, which pins files by their names. Name the file"
        elif file not in source.sha256:
            yield (*here, "sha256"), f"pins other files but not '{file}'. Give the sums of all files, or of none"


def _splits(here: Path, dataset: DatasetSpec) -> Iterator[Problem]:
    splits = dataset.splits
    for name in ("unlabelled", "test"):
        if getattr(splits, name) == 0:
            yield (*here, name), "0 rows; the method needs this split. Give it rows, or null for all that is left"
    if splits.test is None and splits.extra_test is None:
        yield (
            (*here, "extraTest"),
            "null, as test is; both come from the test records, and one of them can take the rest. Give a number",
        )
    source = dataset.source
    if source.generated or source.pool is not None:
        yield from _one_pool(here, splits)
    if source.generated:
        yield from _generated_splits(here, splits)


def _one_pool(here: Path, splits: Splits) -> Iterator[Problem]:
    """Every split is cut from the same records."""
    if splits.unlabelled is None and splits.test is None:
        yield (
            (*here, "test"),
            "null, as unlabelled is; the records are one set, and one split can take the rest. Give a number",
        )
    if splits.unlabelled is None and splits.extra_test is None:
        yield (
            (*here, "extraTest"),
            "null, as unlabelled is; the records are one set, and one split can take the rest. Give a number",
        )


def _generated_splits(here: Path, splits: Splits) -> Iterator[Problem]:
    """How many records there are is known."""
    sizes = splits.model_dump(exclude={"seed"})
    asked = sum(size or 0 for size in sizes.values())
    takes_rest = None in sizes.values()
    if asked > _SCAN_PAIRS or (takes_rest and asked == _SCAN_PAIRS):
        rest = ", which leaves nothing for the split that takes the rest" if takes_rest else ""
        yield here, f"{asked} rows are asked for; scan has {_SCAN_PAIRS} pairs{rest}. Make a split smaller"
