"""Rules that take more than one field. Each yields the path of the field to change, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from controller.api.document import Path
from controller.api.method import ConfidenceMethod, Round
from controller.api.problems import Problem
from controller.api.v1alpha1 import StrongModel, WeakModel, WeakToStrongExperiment
from w2s_jobs.contracts.settings import PromptTemplate, TrainingSettings

__all__ = ["MOST_POINTS", "broken_rules"]

MOST_POINTS = 20_000
"""Sweep points that one experiment may have: beyond it the product of the thresholds is a slip, not a wish."""

_SCAN_PAIRS = 20_910
"""Pairs of SCAN's grammar (Lake and Baroni 2018): all that `generated` can give"""


def broken_rules(experiment: WeakToStrongExperiment) -> list[Problem]:
    """List everything that is wrong with an experiment whose fields are fine one by one."""
    return [
        (("spec", *path), message)
        for rule in (_dataset, _splits, _models, _method, _lengths, _seeds, _pools, _placement)
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
    if source.train is not None and source.train == source.test:
        yield (
            (*here, "test"),
            f"'{source.test}' is the file of train too, so the test questions would be trained on. Name another file, "
            "or name it as pool: every split is then cut from it",
        )


def _splits(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    splits = experiment.spec.dataset.splits
    here: Path = ("dataset", "splits")
    for name in ("unlabelled", "test"):
        if getattr(splits, name) == 0:
            yield (*here, name), "0 rows; the method needs this split. Give it rows, or null for all that is left"
    source = experiment.spec.dataset.source
    if not source.generated and source.pool is None:
        return
    if splits.unlabelled is None and splits.test is None:
        yield (
            (*here, "test"),
            "null, as unlabelled is; the records are one set, and one split can take the rest. Give a number",
        )
    if not source.generated:
        return
    asked = splits.pretrain + splits.labelled + (splits.unlabelled or 0) + (splits.test or 0)
    takes_rest = splits.unlabelled is None or splits.test is None
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
    if scratch.hidden_size % scratch.heads:
        fits = [n for n in range(1, scratch.hidden_size + 1) if scratch.hidden_size % n == 0 and n <= 256]
        near = min(fits, key=lambda n: abs(n - scratch.heads))
        yield (
            (*here, "source", "scratch", "heads"),
            f"{scratch.heads} heads do not divide hiddenSize {scratch.hidden_size}; {near} do",
        )
    yield from _chat_of_scratch((*here, "template"), model.template)
    for index, stage in enumerate(model.pretrain):
        if stage.template is not None:
            yield from _chat_of_scratch((*here, "pretrain", index, "template"), stage.template)


def _chat_of_scratch(path: Path, template: PromptTemplate) -> Iterator[Problem]:
    if template.name == "chat" or template.chat:
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


def _method(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    confidence = experiment.spec.method.confidence
    if confidence is None:
        return
    here: Path = ("method", "confidence")
    for name in ("baselines", "ablations"):
        yield from _repeated((*here, name), getattr(confidence, name))
    for index, one in enumerate(confidence.rounds):
        place = (*here, "rounds", index)
        yield from _ascending((*place, "thresholds"), one.thresholds)
        yield from _ascending((*place, "after"), one.after)
        yield from _goes_on_from((*place, "after"), one, confidence.rounds[index - 1] if index else None)
    points = _count_points(confidence) * len(experiment.spec.seeds)
    if points > MOST_POINTS:
        yield (
            (*here, "rounds"),
            f"{points} trainings in the product of thresholds and seeds; expected at most {MOST_POINTS}. "
            "Give fewer thresholds, or name in `after` those to go on from",
        )


def _goes_on_from(path: Path, one: Round, previous: Round | None) -> Iterator[Problem]:
    for index, threshold in enumerate(one.after):
        if previous is None:
            yield path, "the first round has none before it. Remove it"
            return
        if threshold not in previous.thresholds:
            known = ", ".join(map(str, previous.thresholds))
            yield (
                (*path, index),
                f"{threshold} is no threshold of the previous round, which has {known}. Name one of those",
            )


def _count_points(confidence: ConfidenceMethod) -> int:
    total, branches = 0, 1
    for index, one in enumerate(confidence.rounds):
        if one.after and index:
            branches = branches * len(one.after) // len(confidence.rounds[index - 1].thresholds)
        branches *= len(one.thresholds)
        total += branches
    return total


def _ascending(path: Path, values: Sequence[int]) -> Iterator[Problem]:
    for index in range(1, len(values)):
        if values[index] == values[index - 1]:
            yield (*path, index), f"{values[index]} is given twice. Remove one"
        elif values[index] < values[index - 1]:
            ordered = ", ".join(map(str, sorted(set(values))))
            yield (
                (*path, index),
                f"{values[index]} comes after {values[index - 1]}; expected ascending order: [{ordered}]",
            )


def _repeated(path: Path, values: Sequence[object]) -> Iterator[Problem]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield (*path, index), f"{value!r} is given twice. Remove one"


def _seeds(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    seeds = experiment.spec.seeds
    yield from _repeated(("seeds",), seeds)
    for index, seed in enumerate(seeds):
        if seed < 0:
            yield ("seeds", index), f"{seed} is out of range; expected at least 0"


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
