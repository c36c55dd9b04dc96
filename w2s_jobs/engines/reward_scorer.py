"""Judge labels with a reward model: batches of similar length, one forward pass each."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers.utils.logging import disable_progress_bar

from w2s_jobs.core.prompts import Prompt
from w2s_jobs.engines.batches import Cut, group_by_length
from w2s_jobs.engines.packing import lay_padded
from w2s_jobs.engines.reward_model import ends_of, open_reward_model
from w2s_jobs.engines.tokenization import longest_sequence, tokenize_pairs

__all__ = ["RewardScorer"]

_BATCH_TOKENS = {"cpu": 4096, "cuda": 32_768}
"""tokens of a batch, padding included; never less than one pair"""


class RewardScorer:
    """A loaded reward model: in float32 on a CPU, in bfloat16 with a head in float32 on GPUs, its layers spread."""

    def __init__(
        self, folder: Path, max_seq_len: int, threads: int, gpus: int = 1, batch_tokens: int | None = None
    ) -> None:
        torch.set_num_threads(threads)
        disable_progress_bar()
        self._folder = folder
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._batch_tokens = batch_tokens or _BATCH_TOKENS[self._device.type]
        self._longest = longest_sequence(folder, max_seq_len)
        dtype = torch.bfloat16 if self._device.type == "cuda" else torch.float32
        # One GPU after the other computes its layers: slower than tensor parallelism, and exactly the same numbers.
        spread: dict[str, Any] = {"device_map": "balanced"} if gpus > 1 and self._device.type == "cuda" else {}
        model = open_reward_model(folder, dtype=dtype, **spread)
        self._model = (model if spread else model.to(self._device)).eval()
        self._model.score.float()  # bfloat16 has 3 digits: too few to tell rewards apart

    @torch.inference_mode()
    def rewards(
        self, prompts: Sequence[Prompt], completions: Sequence[str], between_batches: Callable[[], None]
    ) -> list[float]:
        """Return sigmoid(R) of each pair, in the order given.

        `between_batches` is called before every batch; what it raises ends the scoring.
        """
        if not prompts:
            return []
        pairs = tokenize_pairs(self._folder, prompts, completions, self._longest)
        rewards = [0.0] * len(pairs)
        for members in group_by_length(pairs.lengths.tolist(), Cut(packing=False, tokens=self._batch_tokens)):
            between_batches()
            layout = lay_padded(pairs, members)
            given = {**layout.inputs, **ends_of(pairs, members, layout)}
            heads = self._model(**{name: tensor.to(self._device) for name, tensor in given.items()})
            for index, reward in zip(members, torch.sigmoid(heads.double()).tolist(), strict=True):
                rewards[index] = reward
        return rewards

    def versions(self) -> dict[str, str]:
        """Return the versions of torch and transformers."""
        return {name: importlib.metadata.version(name) for name in ("torch", "transformers")}
