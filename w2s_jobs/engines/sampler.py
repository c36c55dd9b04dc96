"""What every sampling engine can do: take a stream of requests, give back completions, never run dry in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.core.prompts import Prompt

if TYPE_CHECKING:  # steps import this module to name what they ask for, before they know that there is work
    from transformers import PreTrainedTokenizerBase

__all__ = ["TOO_LONG", "Completion", "Request", "Sampler", "encode_prompt"]

TOO_LONG = "prompt_too_long"
"""Finish reason of a request that leaves the model no room to answer."""


@dataclass(frozen=True)
class Request:
    """One completion to draw."""

    chunk: int
    """chunk that the row belongs to; requests of a chunk are consecutive"""
    row_id: str
    sample: int
    prompt: tuple[int, ...]
    """token ids"""
    seed: int
    """seed of this row and sample (unused by greedy decoding)"""


@dataclass(frozen=True)
class Completion:
    """One completion drawn."""

    request: Request
    text: str
    finish_reason: str
    """`stop` (end token or stop string), `length`, or `prompt_too_long`"""
    tokens: int


class Sampler(Protocol):
    """A loaded model that samples."""

    def complete(self, requests: Iterable[Request], between_tokens: Callable[[], None]) -> Iterator[Completion]:
        """Yield a completion for each request, in any order; requests are taken as there is room for them.

        `between_tokens` is called whenever the batch has moved on by a token; what it raises ends the sampling, which
        otherwise would first finish a batch of minutes.
        """

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries behind it."""


def encode_prompt(tokenizer: PreTrainedTokenizerBase, prompt: Prompt, model: Path) -> tuple[int, ...]:
    """Turn a prompt into token ids, in the same way for every engine and for training.

    Raises
    ------
    InputError
        The prompt wants a chat template and the model has none.
    """
    if not prompt.chat:
        return tuple(tokenizer(prompt.text)["input_ids"])
    if tokenizer.chat_template is None:
        raise InputError(
            f"model {model}: its tokenizer has no chat template; "
            "use a template without chat (such as name: direct), or a chat model"
        )
    turns = [
        {"role": role, "content": content}
        for asked, answered in prompt.earlier
        for role, content in (("user", asked), ("assistant", answered))
    ]
    turns.append({"role": "user", "content": prompt.text})
    return tuple(tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))
