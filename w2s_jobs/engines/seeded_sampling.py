"""Sampling that each row's seed decides alone: one uniform number a token, looked up in the cumulative distribution.

The k-th token of a completion is drawn with the k-th number of a counter-based generator (Philox) keyed by the row's
seed. So neither batches nor chunks, shards or a resumed run change what is drawn, beyond the rounding of the logits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["draw_tokens", "uniforms"]

_HEAD = 256
"""Likeliest tokens that are looked at first; a nucleus is nearly always smaller, and sorting a vocabulary is slow."""


def uniforms(seed: int, count: int) -> npt.NDArray[np.float32]:
    """Return the first `count` numbers in [0, 1) of a row's generator; shape (count,)."""
    return np.random.Generator(np.random.Philox(key=seed)).random(count, dtype=np.float32)


def draw_tokens(logits: torch.Tensor, numbers: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """Draw a token for each row by inverse transform sampling of the nucleus.

    Parameters
    ----------
    logits
        Shape (rows, vocabulary).
    numbers
        Shape (rows,): one uniform number each.
    temperature, top_p
        As in SamplingParams; temperature is above 0.

    Returns
    -------
    torch.Tensor
        Shape (rows,): token ids.
    """
    probabilities = torch.softmax(logits.float() / temperature, dim=-1)
    if probabilities.shape[-1] <= _HEAD:
        return _draw(*_by_likelihood(probabilities), numbers, top_p)
    head, tokens = _head(probabilities)
    drawn = _draw(head, tokens, numbers, top_p)
    open_ended = (~_closes_within(head, top_p)).nonzero().squeeze(-1)
    if len(open_ended):
        drawn[open_ended] = _draw(*_by_likelihood(probabilities[open_ended]), numbers[open_ended], top_p)
    return drawn


def _by_likelihood(probabilities: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Order tokens from likely to unlikely, equally likely ones by their id."""
    ordered, tokens = probabilities.sort(dim=-1, descending=True, stable=True)
    return ordered, tokens


def _head(probabilities: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what `_by_likelihood` begins with; topk leaves the order of equals open, so they are ordered here."""
    by_id = probabilities.topk(_HEAD, dim=-1).indices.sort(dim=-1).values
    ordered, places = _by_likelihood(probabilities.gather(-1, by_id))
    return ordered, by_id.gather(-1, places)


def _closes_within(head: torch.Tensor, top_p: float) -> torch.Tensor:
    """Say of each row whether its nucleus ends before the head's last value, whose equals may lie outside the head."""
    return ((head.cumsum(dim=-1) >= top_p) & (head > head[:, -1:])).any(dim=-1)


def _draw(ordered: torch.Tensor, tokens: torch.Tensor, numbers: torch.Tensor, top_p: float) -> torch.Tensor:
    cumulative = ordered.cumsum(dim=-1)
    # The nucleus is the fewest tokens whose mass reaches top_p; the most likely one is always in it.
    outside = torch.zeros_like(ordered, dtype=torch.bool)
    outside[:, 1:] = cumulative[:, :-1] >= top_p
    last = (~outside).sum(dim=-1, keepdim=True) - 1
    threshold = numbers.to(cumulative).unsqueeze(-1) * cumulative.gather(-1, last)
    rank = torch.searchsorted(cumulative, threshold, right=True)
    # Rounding may step past the nucleus: stay on its last token.
    return tokens.gather(-1, torch.minimum(rank, last)).squeeze(-1)
