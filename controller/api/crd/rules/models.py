"""Rules about models, as `controller/api/model_rules.py` has them."""

from __future__ import annotations

from controller.api.crd.rules.rule import Rule
from controller.api.v1alpha1 import ChainModel, ExperimentSpec, Models, StrongModel, WeakModel
from w2s_jobs.contracts.settings import ModelSource, PromptTemplate, ScratchModel

__all__ = ["MODEL_RULES"]

_NO_LIMIT = 1_000_000
"""Tokens that no field may have"""
_PAIR = tuple(f"self.models.?{name}.?source.?scratch.?maxPositions.orValue({_NO_LIMIT})" for name in ("weak", "strong"))
_OF_CHAIN = f"model.source.?scratch.?maxPositions.orValue({_NO_LIMIT})"
_CHAIN = "self.models.chain"
_SPOKEN = "(has({0}.name) && {0}.name in ['chat', 'answer-only'] || {0}.chat)"
_NO_CHAT = "a model from scratch has no chat template. Write {name: direct} or {text: ...} without chat"
_TOO_LONG = "longer than the maxPositions of a model from scratch. Lower it, or raise maxPositions"
_NO_ROOM = "leaves no room for a prompt in the maxPositions of a model from scratch. Lower it, or raise maxPositions"


def _fits(tokens: str, sign: str, which: tuple[str, ...]) -> str:
    """Say that `tokens` fit into the positions of the models, where they have a number of them."""
    pair = " && ".join(f"{tokens} {sign} {most}" for most in which)
    return f"{pair} && {_CHAIN}.all(model, {tokens} {sign} {_OF_CHAIN})"


def _has_rows(split: str) -> str:
    return (
        f"(has(self.dataset) ? self.dataset.splits.{split} > 0"
        f" : self.capabilities.exists(one, one.dataset.splits.{split} > 0))"
    )


_LEARNS_ROWS = f".all(stage, stage.split == 'pretrain' ? {_has_rows('pretrain')} : {_has_rows('labelled')})"
_EMPTY_SPLIT = "a stage learns from a split of 0 rows. Give that split rows in dataset.splits"


def _of_model(on: type[WeakModel | StrongModel]) -> tuple[Rule, ...]:
    return (
        Rule(
            on,
            "!has(self.source.hub) || !has(self.source.hub.subset)",
            "belongs to datasets; a model has none. Remove it",
            ".source.hub.subset",
        ),
        Rule(
            on,
            "!has(self.source.scratch) || size(self.pretrain) > 0",
            "missing; a model from scratch knows nothing before it is trained. Add a stage such as {split: labelled}",
            ".pretrain",
        ),
        Rule(on, f"!has(self.source.scratch) || !{_SPOKEN.format('self.template')}", _NO_CHAT, ".template"),
        Rule(
            on,
            f"!has(self.source.scratch) || self.pretrain.all(stage, !has(stage.template) "
            f"|| !{_SPOKEN.format('stage.template')})",
            _NO_CHAT,
            ".pretrain",
        ),
        Rule(
            on,
            f"self.pretrain.all(stage, "
            f"stage.training.maxSeqLen <= self.source.?scratch.?maxPositions.orValue({_NO_LIMIT}))",
            f"maxSeqLen of a stage is {_TOO_LONG}",
            ".pretrain",
        ),
    )


_TRAININGS = ("method.?reward.?weakTraining", "method.?reward.?rewardModel.?training")

MODEL_RULES = (
    Rule(
        ModelSource,
        "[has(self.hub), has(self.path), has(self.s3), has(self.scratch)].exists_one(given, given)",
        "exactly one of hub, path, s3, scratch must be set. Give one and no other",
    ),
    Rule(
        PromptTemplate,
        "has(self.name) != has(self.text)",
        "exactly one of name, text must be set. Give one and no other",
    ),
    Rule(
        PromptTemplate,
        "!has(self.text) || self.text.contains('{question}')",
        "must contain {question}. Write {question} where the question belongs",
        ".text",
    ),
    Rule(
        ScratchModel,
        "self.hiddenSize % self.heads == 0 && self.hiddenSize / self.heads % 2 == 0",
        "must divide hiddenSize and leave an even number to each head, because rotary positions turn pairs. "
        "Choose another heads or hiddenSize",
        ".heads",
    ),
    Rule(
        Models,
        "size(self.chain) > 0 ? !has(self.weak) && !has(self.strong) : has(self.weak) && has(self.strong)",
        "expected weak and strong, or a chain. Method confidence needs weak and strong, method reward a chain",
    ),
    *(rule for model in (WeakModel, StrongModel, ChainModel) for rule in _of_model(model)),
    *(
        Rule(
            ExperimentSpec,
            f"self.models.{name}.pretrain{_LEARNS_ROWS}",
            _EMPTY_SPLIT,
            f".models.{name}.pretrain",
            f"has(self.models.{name})",
        )
        for name in ("weak", "strong")
    ),
    Rule(
        ExperimentSpec,
        f"{_CHAIN}.all(model, model.pretrain{_LEARNS_ROWS})",
        _EMPTY_SPLIT,
        ".models.chain",
    ),
    Rule(
        ExperimentSpec,
        "!has(self.models.weak) || !has(self.models.weak.source.scratch) || !has(self.method.confidence) || "
        f"!('direct' in self.method.confidence.ablations) || "
        f"!{_SPOKEN.format('self.models.weak.directTemplate')}",
        _NO_CHAT,
        ".models.weak.directTemplate",
    ),
    *(
        Rule(ExperimentSpec, _fits(f"self.{name}.maxTokens", "<", _PAIR), _NO_ROOM, f".{name}.maxTokens")
        for name in ("sampling", "evaluation")
    ),
    Rule(ExperimentSpec, _fits("self.training.maxSeqLen", "<=", _PAIR[1:]), _TOO_LONG, ".training.maxSeqLen"),
    *(
        Rule(
            ExperimentSpec,
            _fits(f"self.{path}.?maxSeqLen.orValue(1)", "<=", _PAIR[1:]),
            _TOO_LONG,
            f".{path}.maxSeqLen".replace("?", ""),
        )
        for path in _TRAININGS
    ),
)
