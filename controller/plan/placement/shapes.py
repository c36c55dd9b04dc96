"""Shapes of models: those of public families as their `config.json` on the hub says, of all others an estimate."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from w2s_jobs.contracts.settings import ModelSource, ScratchModel

__all__ = ["FAMILIES", "ModelShape", "shape_of", "shape_of_size"]


@dataclass(frozen=True)
class ModelShape:
    """A dense decoder with gated feed-forward blocks."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    """heads of keys and values; as many as heads without grouped-query attention"""
    vocabulary: int
    positions: int
    """tokens of the longest sequence that the model declares"""
    tied: bool = False
    """True: one table of tokens serves both ends"""
    head_size: int = 0
    """0: hidden / heads"""
    known: bool = True
    """False: estimated from a number of parameters"""

    @property
    def head(self) -> int:
        """Numbers that one head computes with."""
        return self.head_size or self.hidden // self.heads

    @property
    def kv_width(self) -> int:
        """Numbers in the keys of one token and layer; the values are as many."""
        return self.kv_heads * self.head

    @property
    def layer_parameters(self) -> int:
        """Weights of one layer: attention and the gated feed-forward block (norms and biases are below 0.1 %)."""
        return 2 * self.hidden * (self.heads * self.head + self.kv_width) + 3 * self.hidden * self.intermediate

    @property
    def table_parameters(self) -> int:
        """Weights of one table of tokens, the largest matrix of most models."""
        return self.vocabulary * self.hidden

    @property
    def parameters(self) -> int:
        """All weights."""
        return self.layers * self.layer_parameters + (1 if self.tied else 2) * self.table_parameters


FAMILIES: Mapping[str, ModelShape] = {
    "deepseek-llm-7b": ModelShape(30, 4096, 11008, 32, 32, 102400, 4096),
    "deepseek-llm-67b": ModelShape(95, 8192, 22016, 64, 8, 102400, 4096),
    "llama-2-7b": ModelShape(32, 4096, 11008, 32, 32, 32000, 4096),
    "llama-2-13b": ModelShape(40, 5120, 13824, 40, 40, 32000, 4096),
    "llama-2-70b": ModelShape(80, 8192, 28672, 64, 8, 32000, 4096),
    "llama-3-8b": ModelShape(32, 4096, 14336, 32, 8, 128256, 8192),
    "llama-3-70b": ModelShape(80, 8192, 28672, 64, 8, 128256, 8192),
    "llama-3.1-8b": ModelShape(32, 4096, 14336, 32, 8, 128256, 131072),
    "llama-3.1-70b": ModelShape(80, 8192, 28672, 64, 8, 128256, 131072),
    "llama-3.2-1b": ModelShape(16, 2048, 8192, 32, 8, 128256, 131072, tied=True),
    "llama-3.2-3b": ModelShape(28, 3072, 8192, 24, 8, 128256, 131072, tied=True),
    "llama-3.3-70b": ModelShape(80, 8192, 28672, 64, 8, 128256, 131072),
    "mistral-7b": ModelShape(32, 4096, 14336, 32, 8, 32000, 32768),
    "qwen1.5-0.5b": ModelShape(24, 1024, 2816, 16, 16, 151936, 32768, tied=True),
    "qwen1.5-1.8b": ModelShape(24, 2048, 5504, 16, 16, 151936, 32768),
    "qwen1.5-4b": ModelShape(40, 2560, 6912, 20, 20, 151936, 32768),
    "qwen1.5-7b": ModelShape(32, 4096, 11008, 32, 32, 151936, 32768),
    "qwen1.5-14b": ModelShape(40, 5120, 13696, 40, 40, 152064, 32768),
    "qwen1.5-32b": ModelShape(64, 5120, 27392, 40, 8, 152064, 32768),
    "qwen1.5-72b": ModelShape(80, 8192, 24576, 64, 64, 152064, 32768),
    "qwen2-0.5b": ModelShape(24, 896, 4864, 14, 2, 151936, 131072, tied=True),
    "qwen2-1.5b": ModelShape(28, 1536, 8960, 12, 2, 151936, 131072, tied=True),
    "qwen2-7b": ModelShape(28, 3584, 18944, 28, 4, 152064, 131072),
    "qwen2-72b": ModelShape(80, 8192, 29568, 64, 8, 152064, 131072),
    "qwen2.5-0.5b": ModelShape(24, 896, 4864, 14, 2, 151936, 32768, tied=True),
    "qwen2.5-1.5b": ModelShape(28, 1536, 8960, 12, 2, 151936, 131072, tied=True),
    "qwen2.5-3b": ModelShape(36, 2048, 11008, 16, 2, 151936, 32768, tied=True),
    "qwen2.5-7b": ModelShape(28, 3584, 18944, 28, 4, 152064, 131072),
    "qwen2.5-14b": ModelShape(48, 5120, 13824, 40, 8, 152064, 131072),
    "qwen2.5-32b": ModelShape(64, 5120, 27648, 40, 8, 152064, 131072),
    "qwen2.5-72b": ModelShape(80, 8192, 29568, 64, 8, 152064, 131072),
    "qwen3-0.6b": ModelShape(28, 1024, 3072, 16, 8, 151936, 40960, tied=True, head_size=128),
    "qwen3-1.7b": ModelShape(28, 2048, 6144, 16, 8, 151936, 40960, tied=True, head_size=128),
    "qwen3-4b": ModelShape(36, 2560, 9728, 32, 8, 151936, 40960, tied=True, head_size=128),
    "qwen3-8b": ModelShape(36, 4096, 12288, 32, 8, 151936, 40960, head_size=128),
    "qwen3-14b": ModelShape(40, 5120, 17408, 40, 8, 151936, 40960, head_size=128),
    "qwen3-32b": ModelShape(64, 5120, 25600, 64, 8, 151936, 40960, head_size=128),
    "smollm2-135m": ModelShape(30, 576, 1536, 9, 3, 49152, 8192, tied=True),
    "smollm2-360m": ModelShape(32, 960, 2560, 15, 5, 49152, 8192, tied=True),
    "smollm2-1.7b": ModelShape(24, 2048, 8192, 32, 32, 49152, 8192, tied=True),
}
"""By what a model's name on the hub contains, in lower case. Source: `config.json` of each repository there, the base
model's; a test holds each to the published number of parameters."""

_LIKE = ("qwen1.5-0.5b", "qwen1.5-1.8b", "qwen1.5-4b", "qwen1.5-7b", "qwen1.5-14b", "llama-3-70b", "llama-3-8b")
"""Families that an unknown model is taken to be like: those of its size that need the most memory for their cache."""
_UNKNOWN_POSITIONS = 32768
_SAME_SIZE = 0.1
"""Share by which a declared number of parameters may differ from that of the family in the name."""
_VARIANTS = re.compile(r"-(math|coder|code)(?=-)")


def shape_of(source: ModelSource, parameters: float | None) -> ModelShape | None:
    """Return the shape of a model by its scratch settings, its name, or its number of parameters; None without any."""
    if source.scratch is not None:
        return _scratch(source.scratch)
    name = _VARIANTS.sub("", (source.hub.name if source.hub else source.path or source.s3 or "").lower())
    found = max((family for family in FAMILIES if _names(name, family)), key=len, default=None)
    if found is not None:
        shape = FAMILIES[found]
        if parameters is None or abs(parameters / shape.parameters - 1) <= _SAME_SIZE:
            return shape
    return None if parameters is None else shape_of_size(parameters)


def shape_of_size(parameters: float) -> ModelShape:
    """Estimate a shape: the widths of the family that is nearest in size, with as many layers as the size needs."""
    like = min((FAMILIES[name] for name in _LIKE), key=lambda shape: abs(math.log(shape.parameters / parameters)))
    tables = (1 if like.tied else 2) * like.table_parameters
    layers = max(1, math.ceil((parameters - tables) / like.layer_parameters))
    return replace(like, layers=layers, positions=_UNKNOWN_POSITIONS, known=False)


def _names(name: str, family: str) -> bool:
    """Tell whether a name contains a family, not as part of a longer word or number."""
    return re.search(rf"(?<![a-z0-9.]){re.escape(family)}(?![a-z0-9.])", name) is not None


def _scratch(model: ScratchModel) -> ModelShape:
    return ModelShape(
        layers=model.layers,
        hidden=model.hidden_size,
        intermediate=model.intermediate_size,
        heads=model.heads,
        kv_heads=model.heads,
        vocabulary=model.vocab_size,
        positions=model.max_positions,
    )
