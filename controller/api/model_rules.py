"""Rules about models: what they start from, and how much fits into them."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.document import Path
from controller.api.problems import Problem
from controller.api.v1alpha1 import StrongModel, WeakModel, WeakToStrongExperiment
from w2s_jobs.contracts.settings import PromptTemplate, ScratchModel, TrainingSettings

__all__ = ["broken_model_rules"]


def broken_model_rules(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    """Yield what is wrong with the models, one by one."""
    for place, _, model in experiment.spec.models.placed:
        yield from _model(experiment, ("models", *place), model)
    yield from _lengths(experiment)


def _model(experiment: WeakToStrongExperiment, here: Path, model: WeakModel | StrongModel) -> Iterator[Problem]:
    if model.source.hub is not None and model.source.hub.subset is not None:
        yield (*here, "source", "hub", "subset"), "belongs to datasets; a model has none. Remove it"
    for index, stage in enumerate(model.pretrain):
        if all(getattr(one.dataset.splits, stage.split) == 0 for one in experiment.spec.tasks):
            several = experiment.spec.capabilities
            where = "spec.capabilities[0].dataset.splits" if several else "spec.dataset.splits"
            yield (
                (*here, "pretrain", index, "split"),
                f"'{stage.split}' has 0 rows{' in every capability' if several else ''}. Set {where}.{stage.split}",
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
    for place, name, model in spec.models.placed:
        scratch = model.source.scratch
        if scratch is None:
            continue
        most = scratch.max_positions
        advice = f"the {name} model has maxPositions {most}. Lower it, or raise maxPositions"
        for index, stage in enumerate(model.pretrain):
            yield from _too_long(("models", *place, "pretrain", index, "training"), stage.training, most, advice)
        for path, training in _trainings(experiment):
            if place != ("weak",):
                yield from _too_long(path, training, most, advice)
        for path, tokens in (
            (("sampling", "maxTokens"), spec.sampling.max_tokens),
            (("evaluation", "maxTokens"), spec.evaluation.max_tokens),
        ):
            if tokens >= most:
                yield path, f"{tokens} tokens leave no room for a prompt; {advice}"


def _trainings(experiment: WeakToStrongExperiment) -> Iterator[tuple[Path, TrainingSettings]]:
    """Yield the settings by which models are trained after their pretraining, with the place of each."""
    yield ("training",), experiment.spec.training
    reward = experiment.spec.method.reward
    if reward is not None and reward.weak_training is not None:
        yield ("method", "reward", "weakTraining"), reward.weak_training
    if reward is not None and reward.reward_model.training is not None:
        yield ("method", "reward", "rewardModel", "training"), reward.reward_model.training


def _too_long(path: Path, training: TrainingSettings, most: int, advice: str) -> Iterator[Problem]:
    if training.max_seq_len > most:
        yield (*path, "maxSeqLen"), f"{training.max_seq_len} is too long; {advice}"
