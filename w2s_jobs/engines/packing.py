"""Micro-batches as tensors, and the attention that keeps packed examples apart.

A packed row is several examples one after the other, without padding. Position ids start again at each border, and
attention runs within each example: FlashAttention's variable-length kernel on a GPU in half precision, else PyTorch's
scaled dot product once for each example. Both compute what an unpacked forward pass computes, up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, PretrainedConfig

from w2s_jobs.engines.batches import MicroBatch
from w2s_jobs.engines.token_examples import TokenExamples

__all__ = ["PACKED_ATTENTION", "Layout", "lay_packed", "lay_padded", "supports_packing"]

PACKED_ATTENTION = "w2s_packed"
"""name under which transformers finds the attention"""


@dataclass(frozen=True)
class Layout:
    """A micro-batch's examples as a model reads them."""

    inputs: dict[str, Any]
    """inputs of the model: input_ids of shape (rows, T), and what its attention must know"""
    places: tuple[tuple[int, int], ...]
    """places of the examples' first tokens: row and column of each"""


def lay_packed(examples: TokenExamples, members: MicroBatch) -> Layout:
    """Put examples into one row of length T = sum of their lengths.

    Beside input_ids, the inputs are position_ids : (1, T); sequence_lengths : list of the examples' lengths;
    cu_seq_lens : (examples + 1,) their borders. Without members an example is read all the same, and has no place.
    """
    rows = [torch.from_numpy(examples[index]).long() for index in members or (0,)]
    lengths = [len(row) for row in rows]
    borders = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
    inputs = {
        "input_ids": torch.cat(rows)[None],
        "position_ids": torch.cat([torch.arange(length) for length in lengths])[None],
        "sequence_lengths": lengths,
        "cu_seq_lens": borders,
    }
    return Layout(inputs, tuple((0, start) for start in borders.tolist()[: len(members)]))


def lay_padded(examples: TokenExamples, members: MicroBatch) -> Layout:
    """Put examples under each other, padded on the right to the longest, T.

    Causal attention never looks right, so padding needs no mask: what it computes is never read. Without members an
    example is read all the same, and has no place.
    """
    rows = [torch.from_numpy(examples[index]).long() for index in members or (0,)]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    return Layout({"input_ids": ids}, tuple((row, 0) for row in range(len(members))))


def supports_packing(model_class: type, config: PretrainedConfig) -> bool:
    """Tell whether a model's attention is plain causal attention, which is what the packed attention computes."""
    layers = set(getattr(config, "layer_types", None) or ["full_attention"])
    return (
        bool(getattr(model_class, "_supports_attention_backend", False))
        and layers == {"full_attention"}
        and not (getattr(config, "use_sliding_window", True) and getattr(config, "sliding_window", None))
        and getattr(config, "attn_logit_softcapping", None) is None
    )


def _attend_within_sequences(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **packed: Any,
) -> tuple[torch.Tensor, None]:
    """Attend causally within each sequence of a packed row: (1, heads, T, d) -> (1, T, heads, d)."""
    shared = query.shape[1] != key.shape[1]
    if query.is_cuda and query.dtype in (torch.bfloat16, torch.float16) and not dropout:
        from torch.nn.attention.varlen import varlen_attn  # needs a GPU build

        borders, longest = packed["cu_seq_lens"], max(packed["sequence_lengths"])
        rows = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
        mixed = varlen_attn(
            *rows, borders, borders, longest, longest, scale=scaling, window_size=(-1, 0), enable_gqa=shared
        )
        return mixed[None], None
    pieces = (tensor.split(packed["sequence_lengths"], dim=2) for tensor in (query, key, value))
    mixed = [
        functional.scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scaling, enable_gqa=shared, dropout_p=dropout if module.training else 0.0
        )
        for q, k, v in zip(*pieces, strict=True)
    ]
    return torch.cat(mixed, dim=2).transpose(1, 2), None


AttentionInterface.register(PACKED_ATTENTION, _attend_within_sequences)
