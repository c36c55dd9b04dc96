"""Sampling with plain transformers: for tiny models on a CPU, where an engine's start outlasts the work."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, DynamicCache, PreTrainedTokenizerBase

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.settings import SamplingSettings
from w2s_jobs.engines.sampler import TOO_LONG, Completion, Request
from w2s_jobs.engines.seeded_sampling import draw_tokens, uniforms

__all__ = ["TransformersSampler"]

_BATCH_TOKENS = 65_536
"""Most tokens a batch may come to hold, prompts and completions together."""
_BATCH_ROWS = 512


class TransformersSampler:
    """A model in this process. Batches are formed inside one chunk only, so a resumed run repeats them exactly."""

    def __init__(self, folder: Path, tokenizer: PreTrainedTokenizerBase, sampling: SamplingSettings) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = sampling.dtype
        if dtype == "auto":
            dtype = "bfloat16" if self._device.type == "cuda" else "float32"
        self._model = _load(folder, getattr(torch, dtype)).to(self._device).eval()
        self._tokenizer = tokenizer
        self._sampling = sampling
        self._limit = int(self._model.config.max_position_embeddings)
        self._ends = _end_tokens(self._model, tokenizer)

    def complete(self, requests: Iterable[Request], between_tokens: Callable[[], None]) -> Iterator[Completion]:
        """Yield completions chunk by chunk; inside a chunk, batches of similar length."""
        for _, chunk in groupby(requests, key=lambda request: request.chunk):
            fitting = []
            for request in chunk:
                if len(request.prompt) >= self._limit:
                    yield Completion(request, "", TOO_LONG, 0)
                else:
                    fitting.append(request)
            fitting.sort(key=lambda request: len(request.prompt))
            for batch in self._batches(fitting):
                yield from self._complete_batch(batch, between_tokens)

    def versions(self) -> dict[str, str]:
        """Return the versions of torch and transformers."""
        return {name: importlib.metadata.version(name) for name in ("torch", "transformers")}

    def _batches(self, requests: list[Request]) -> Iterator[list[Request]]:
        batch: list[Request] = []
        for request in requests:
            longest = (
                len(request.prompt) + self._sampling.max_tokens
            )  # requests are sorted: this is the batch's longest
            if batch and (len(batch) >= _BATCH_ROWS or (len(batch) + 1) * longest > _BATCH_TOKENS):
                yield batch
                batch = []
            batch.append(request)
        if batch:
            yield batch

    @torch.inference_mode()
    def _complete_batch(self, batch: list[Request], between_tokens: Callable[[], None]) -> list[Completion]:
        ids, mask = _left_padded([request.prompt for request in batch], self._device)
        # Each row has the room that its own prompt leaves, whatever stands beside it in the batch.
        rooms = [min(self._sampling.max_tokens, self._limit - len(request.prompt)) for request in batch]
        numbers = self._numbers(batch, max(rooms))
        drawn: list[list[int]] = [[] for _ in batch]
        reasons = ["length"] * len(batch)
        alive = torch.arange(len(batch), device=self._device)
        cache = DynamicCache()
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        for step in range(max(rooms)):
            between_tokens()
            logits = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
            tokens = self._pick(logits, None if numbers is None else numbers[alive, step])
            stopped = self._record(tokens.tolist(), alive.tolist(), drawn, reasons)
            going = [p for p, row in enumerate(alive.tolist()) if not stopped[p] and len(drawn[row]) < rooms[row]]
            if not going:
                break
            if len(going) < len(alive):
                # Finished rows are dropped, so the batch gets cheaper as it goes.
                kept = torch.tensor(going, device=self._device)
                cache.batch_select_indices(kept)
                alive, tokens, mask, positions = alive[kept], tokens[kept], mask[kept], positions[kept]
            ids = tokens.unsqueeze(-1)
            mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=-1)
            positions = positions[:, -1:] + 1
        return [self._completion(*row) for row in zip(batch, drawn, reasons, strict=True)]

    def _numbers(self, batch: list[Request], room: int) -> torch.Tensor | None:
        if self._sampling.temperature == 0:
            return None
        return torch.from_numpy(np.stack([uniforms(r.seed, room) for r in batch])).to(self._device)

    def _pick(self, logits: torch.Tensor, numbers: torch.Tensor | None) -> torch.Tensor:
        if numbers is None:
            return logits.argmax(dim=-1)
        return draw_tokens(logits, numbers, self._sampling.temperature, self._sampling.top_p)

    def _record(self, tokens: list[int], alive: list[int], drawn: list[list[int]], reasons: list[str]) -> list[bool]:
        """Append each row's token and say of each row whether that ended it."""
        for token, row in zip(tokens, alive, strict=True):
            if token in self._ends:
                reasons[row] = "stop"
                continue
            drawn[row].append(token)
            if self._sampling.stop and self._stopped(drawn[row]):
                reasons[row] = "stop"
        return [reasons[row] == "stop" for row in alive]

    def _stopped(self, tokens: list[int]) -> bool:
        tail: Any = self._tokenizer.decode(tokens[-32:])
        return any(stop in tail for stop in self._sampling.stop)

    def _completion(self, request: Request, tokens: list[int], reason: str) -> Completion:
        text: Any = self._tokenizer.decode(tokens, skip_special_tokens=True)
        for stop in self._sampling.stop:
            text = text.split(stop)[0]
        return Completion(request, text, reason, len(tokens))


def _load(folder: Path, dtype: torch.dtype) -> Any:
    """Load a model whose every weight is in its files; transformers alone would draw a missing one at random."""
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, output_loading_info=True, ignore_mismatched_sizes=True
    )
    wrong = sorted({*info["missing_keys"], *(name for name, *_ in info["mismatched_keys"])})
    if wrong:
        raise InputError(
            f"model {folder}: {len(wrong)} weights are missing or not of the shape that config.json asks for, "
            f"such as {wrong[0]}; fetch the model again"
        )
    return model


def _left_padded(prompts: list[tuple[int, ...]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    return ids, mask


def _end_tokens(model: Any, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    configured = getattr(model.generation_config, "eos_token_id", None)
    ends = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*ends, tokenizer.eos_token_id] if token is not None)
