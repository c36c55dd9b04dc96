"""Rules that take more than one field. Each yields the path of the field to change, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.document import Path
from controller.api.problems import Problem
from controller.api.sweep_rules import broken_sweep_rules, repeated
from controller.api.v1alpha1 import StrongModel, WeakModel, WeakToStrongExperiment
from w2s_jobs.contracts.settings import DatasetSource, PromptTemplate, ScratchModel, TrainingSettings
from w2s_jobs.contracts.step_params import Splits

__all__ = ["broken_rules"]

_SCAN_PAIRS = 20_910
"""Pairs of SCAN's grammar (Lake and Baroni 2018): all that `generated` can give"""


def broken_rules(experiment: WeakToStrongExperiment) -> list[Problem]:
    """List everything that is wrong with an experiment whose fields are fine one by one."""
    return [
        (("spec", *path), message)
        for rule in (_dataset, _splits, _models, broken_sweep_rules, _lengths, _seeds, _pools, _placement)
        for path, message in rule(experiment)
    ]


def _dataset(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    family = experiment.spec.task.family
    source = experiment.spec.dataset.source
    here: Path = ("dataset", "source")
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


def _splits(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    splits = experiment.spec.dataset.splits
    here: Path = ("dataset", "splits")
    for name in ("unlabelled", "test"):
        if getattr(splits, name) == 0:
            yield (*here, name), "0 rows; the method needs this split. Give it rows, or null for all that is left"
    if splits.test is None and splits.extra_test is None:
        yield (
            (*here, "extraTest"),
            "null, as test is; both come from the test records, and one of them can take the rest. Give a number",
        )
    source = experiment.spec.dataset.source
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


def _models(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    models = experiment.spec.models
    yield from _model(experiment, "weak", models.weak)
    yield from _model(experiment, "strong", models.strong)


def _model(experiment: WeakToStrongExperiment, name: str, model: WeakModel | StrongModel) -> Iterator[Problem]:
    here: Path = ("models", name)
    if model.source.hub is not None and model.source.hub.subset is not None:
        yield (*here, "source", "hub", "subset"), "belongs to datasets; a model has none. Remove it"
    for index, stage in enumerate(model.pretrain):
        if getattr(experiment.spec.dataset.splits, stage.split) == 0:
            yield (
                (*here, "pretrain", index, "split"),
                f"'{stage.split}' has 0 rows. Set spec.dataset.splits.{stage.split}",
            )
    scratch = model.source.scratch
    if scratch is None:
        return
    if not model.pretrain:
        yield (
            (*here, "pretrain"),
            "missing; a model from scratch knows nothing before it is trained. Add a stage such as {split: labelled}",
        )
    yield from _heads((*here, "source", "scratch", "heads"), scratch)
    yield from _chat_of_scratch((*here, "template"), model.template)
    confidence = experiment.spec.method.confidence
    if isinstance(model, WeakModel) and confidence is not None and "direct" in confidence.ablations:
        yield from _chat_of_scratch((*here, "directTemplate"), model.direct_template)
    for index, stage in enumerate(model.pretrain):
        if stage.template is not None:
            yield from _chat_of_scratch((*here, "pretrain", index, "template"), stage.template)


def _heads(path: Path, scratch: ScratchModel) -> Iterator[Problem]:
    if scratch.hidden_size % scratch.heads:
        fits = [n for n in range(1, scratch.hidden_size + 1) if scratch.hidden_size % n == 0 and n <= 256]
        near = min(fits, key=lambda n: abs(n - scratch.heads))
        yield (
            path,
            f"{scratch.heads} heads do not divide hiddenSize {scratch.hidden_size}; {near} do",
        )
    elif scratch.hidden_size // scratch.heads % 2:
        yield (
            path,
            f"{scratch.heads} heads leave {scratch.hidden_size // scratch.heads} of hiddenSize {scratch.hidden_size} "
            "to each, and rotary positions turn pairs. Choose another heads or hiddenSize, so that it is even",
        )


def _chat_of_scratch(path: Path, template: PromptTemplate) -> Iterator[Problem]:
    if template.name in ("chat", "answer-only") or template.chat:
        yield path, "a model from scratch has no chat template. Write {name: direct} or {text: ...} without chat"


def _lengths(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    """Sequences must fit into the positions that a scratch model has."""
    spec = experiment.spec
    for name, model in (("weak", spec.models.weak), ("strong", spec.models.strong)):
        scratch = model.source.scratch
        if scratch is None:
            continue
        most = scratch.max_positions
        advice = f"the {name} model has maxPositions {most}. Lower it, or raise maxPositions"
        for index, stage in enumerate(model.pretrain):
            yield from _too_long(("models", name, "pretrain", index, "training"), stage.training, most, advice)
        if name == "strong":
            yield from _too_long(("training",), spec.training, most, advice)
        for path, tokens in (
            (("sampling", "maxTokens"), spec.sampling.max_tokens),
            (("evaluation", "maxTokens"), spec.evaluation.max_tokens),
        ):
            if tokens >= most:
                yield path, f"{tokens} tokens leave no room for a prompt; {advice}"


def _too_long(path: Path, training: TrainingSettings, most: int, advice: str) -> Iterator[Problem]:
    if training.max_seq_len > most:
        yield (*path, "maxSeqLen"), f"{training.max_seq_len} is too long; {advice}"


def _seeds(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    yield from repeated(("seeds",), experiment.spec.seeds)


def _pools(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    names = [pool.name for pool in experiment.spec.pools]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("pools", index, "name"), f"'{name}' is the name of another pool too. Give each its own"


def _placement(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    spec = experiment.spec
    pools = {pool.name: pool for pool in spec.pools}
    placed = (
        ("weakSampling", spec.placement.weak_sampling),
        ("strongSampling", spec.placement.strong_sampling),
        ("training", spec.placement.training),
    )
    for name, where in placed:
        here: Path = ("placement", name)
        if where.pool is None:
            if where.gpus:
                yield (*here, "gpus"), f"{where.gpus} without a pool. Name the pool that has them, or remove gpus"
            continue
        pool = pools.get(where.pool)
        if pool is None:
            known = f"expected one of {', '.join(pools)}" if pools else "spec.pools is empty. Add it there"
            yield (*here, "pool"), f"no pool is named '{where.pool}'; {known}"
            continue
        most = pool.gpus_per_node * (pool.nodes if name == "training" else 1)
        if where.gpus is not None and where.gpus > most:
            unit = "GPUs" if name == "training" else "GPUs a node, and one process stays on one node"
            yield (*here, "gpus"), f"{where.gpus} are more than pool '{pool.name}' has: {most} {unit}. Lower it"
    training = spec.placement.training
    ranks = training.parallelism.ranks
    if training.pool is not None and training.gpus is not None and training.gpus != ranks:
        yield (
            ("placement", "training", "gpus"),
            f"{training.gpus} GPUs for {ranks} ranks; expected one GPU a rank. "
            f"Set parallelism.ranks to {training.gpus}, or remove gpus",
        )
