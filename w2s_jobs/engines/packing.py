"""Micro-batches as tensors, and the attention that keeps packed examples apart.

A packed row is several examples one after the other, without padding. Position ids start again at each border, and
attention runs within each example: FlashAttention's variable-length kernel on a GPU in half precision, else PyTorch's
scaled dot product once for each example. Both compute what an unpacked forward pass computes, up to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, PretrainedConfig

from w2s_jobs.engines.batches import MicroBatch
from w2s_jobs.engines.token_examples import TokenExamples

__all__ = ["PACKED_ATTENTION", "collate_packed", "collate_padded", "supports_packing"]

PACKED_ATTENTION = "w2s_packed"
"""name under which transformers finds the attention"""
IGNORED = -100
"""target of a position that the loss leaves out"""


def collate_packed(examples: TokenExamples, members: MicroBatch) -> dict[str, Any]:
    """Put examples into one row of length T = sum of their lengths.

    Returns
    -------
    input_ids, position_ids : (1, T); keep : (K,) positions whose next token is learnt; targets : (K,) those tokens;
    sequence_lengths : list of the examples' lengths; cu_seq_lens : (examples + 1,) their borders.
    """
    rows = [torch.from_numpy(examples[index]).long() for index in members or (0,)]
    lengths = [len(row) for row in rows]
    borders = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
    keep = [
        torch.arange(start + int(examples.prompt_lengths[index]) - 1, start + length - 1)
        for index, start, length in zip(members, borders.tolist(), lengths, strict=False)
    ]
    positions = torch.cat(keep) if keep else torch.zeros(0, dtype=torch.long)
    ids = torch.cat(rows)
    return {
        "input_ids": ids[None],
        "position_ids": torch.cat([torch.arange(length) for length in lengths])[None],
        "keep": positions,
        "targets": ids[positions + 1],
        "sequence_lengths": lengths,
        "cu_seq_lens": borders,
    }


def collate_padded(examples: TokenExamples, members: MicroBatch) -> dict[str, Any]:
    """Put examples under each other, padded on the right to the longest, T.

    Causal attention never looks right, so padding needs no mask: what it computes is left out of the loss.

    Returns
    -------
    input_ids : (examples, T); keep : (K,) columns from the first learnt one on; targets : (examples, K), -100 where
    nothing is learnt.
    """
    rows = [torch.from_numpy(examples[index]).long() for index in members or (0,)]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    targets = torch.full_like(ids, IGNORED)
    for row, index in enumerate(members):
        start, end = int(examples.prompt_lengths[index]), len(rows[row])
        targets[row, start - 1 : end - 1] = ids[row, start:end]
    first = min((int(examples.prompt_lengths[index]) for index in members), default=1) - 1
    # The last column predicts nothing.
    return {
        "input_ids": ids,
        "keep": torch.arange(first, ids.shape[1] - 1),
        "targets": targets[:, first:-1],
    }


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
