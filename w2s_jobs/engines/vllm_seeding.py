"""Per-row seeds for vLLM on a CPU, as a logits processor of the engine.

The engine decodes greedily; for each request that carries a seed in `extra_args` this processor leaves one token
possible: the one that the row's next uniform number draws (see `seeded_sampling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor, MoveDirectionality

from w2s_jobs.engines.seeded_sampling import draw_tokens, uniforms

if TYPE_CHECKING:
    from vllm.config import VllmConfig

__all__ = ["SEED_ARGUMENT", "SeededSampling"]

SEED_ARGUMENT = "w2s_seeded"
"""Key in `extra_args`: {"seed", "temperature", "top_p"}."""


@dataclass(frozen=True)
class _Row:
    numbers: npt.NDArray[np.float32]
    temperature: float
    top_p: float
    output: list[int]
    """the request's tokens so far; the engine appends to this very list"""


class SeededSampling(LogitsProcessor):
    """Draws every seeded row of the batch."""

    def __init__(self, vllm_config: VllmConfig, device: torch.device, is_pin_memory: bool) -> None:  # noqa: ARG002  the engine's signature
        self._rows: dict[int, _Row] = {}

    def is_argmax_invariant(self) -> bool:
        """It decides the argmax, so greedy decoding must not skip it."""
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follow the engine's batch: which request stands in which row."""
        if batch_update is None:
            return
        for index in batch_update.removed:
            self._rows.pop(index, None)
        for index, params, _, output in batch_update.added:
            self._rows.pop(index, None)
            if (row := _seeded_row(params, output)) is not None:
                self._rows[index] = row
        for source, target, direction in batch_update.moved:
            moved, replaced = self._rows.pop(source, None), self._rows.pop(target, None)
            if moved is not None:
                self._rows[target] = moved
            if direction is MoveDirectionality.SWAP and replaced is not None:
                self._rows[source] = replaced

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Leave one token possible in each seeded row; shape (rows, vocabulary)."""
        by_settings: dict[tuple[float, float], list[int]] = {}
        for index, row in self._rows.items():
            by_settings.setdefault((row.temperature, row.top_p), []).append(index)
        for (temperature, top_p), indices in by_settings.items():
            rows = [self._rows[index] for index in indices]
            numbers = torch.tensor([float(row.numbers[len(row.output)]) for row in rows])
            place = torch.tensor(indices, device=logits.device)
            tokens = draw_tokens(logits[place], numbers.to(logits.device), temperature, top_p)
            logits[place] = float("-inf")
            logits[place, tokens] = 0.0
        return logits


def _seeded_row(params: SamplingParams, output: list[int]) -> _Row | None:
    settings = (params.extra_args or {}).get(SEED_ARGUMENT)
    if settings is None:
        return None
    return _Row(
        numbers=uniforms(settings["seed"], (params.max_tokens or 1) + 1),
        temperature=settings["temperature"],
        top_p=settings["top_p"],
        output=output,
    )
