"""Sampling that each row's seed decides alone: one uniform number a token, looked up in the cumulative distribution.

The k-th token of a completion is drawn with the k-th number of a counter-based generator (Philox) keyed by the row's
seed. So neither batches nor chunks, shards or a resumed run change what is drawn, beyond the rounding of the logits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["draw_tokens", "uniforms"]


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
    ordered, tokens = probabilities.sort(dim=-1, descending=True, stable=True)
    cumulative = ordered.cumsum(dim=-1)
    # The nucleus is the fewest tokens whose mass reaches top_p; the most likely one is always in it.
    outside = cumulative - ordered >= top_p
    outside[:, 0] = False
    mass = ordered.masked_fill(outside, 0.0).cumsum(dim=-1)
    threshold = numbers.to(mass).unsqueeze(-1) * mass[:, -1:]
    rank = torch.searchsorted(mass, threshold, right=True).clamp(max=logits.shape[-1] - 1)
    # Rounding may step past the nucleus, where the mass no longer grows: stay on its last token.
    rank = torch.minimum(rank, (~outside).sum(dim=-1, keepdim=True) - 1)
    return tokens.gather(-1, rank).squeeze(-1)
