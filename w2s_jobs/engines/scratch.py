"""A decoder from random weights with a tokenizer of its own, as a folder in Hugging Face layout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
from transformers.utils.logging import disable_progress_bar

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.settings import ScratchModel

__all__ = ["build_scratch_model", "learn_tokenizer"]

END, PAD = "<|end|>", "<|pad|>"
WORDS = Regex(r" ?\p{N}| ?[^\s\p{N}]+|\s")
"""what a token may span: a digit (numbers are read digit by digit), a word with the blank before it, or a blank"""

_ARCHITECTURES = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}


def build_scratch_model(source: ScratchModel, texts: Iterable[str], folder: Path) -> Path:
    """Write a model with random weights and a tokenizer learnt from `texts` to `folder`, and return it.

    The same source and texts give the same bytes.

    Raises
    ------
    InputError
        The sizes do not make a decoder.
    """
    head_size, left_over = divmod(source.hidden_size, source.heads)
    if left_over or head_size % 2:
        raise InputError(
            f"scratch model: hiddenSize={source.hidden_size} over heads={source.heads} must give an even whole number "
            f"(rotary positions turn pairs); choose another heads or hiddenSize"
        )
    tokenizer = learn_tokenizer(texts, source.vocab_size, source.max_positions)
    config_class, model_class = _ARCHITECTURES[source.architecture]
    config = config_class(
        vocab_size=len(tokenizer),
        hidden_size=source.hidden_size,
        intermediate_size=source.intermediate_size,
        num_hidden_layers=source.layers,
        num_attention_heads=source.heads,
        num_key_value_heads=source.heads,
        max_position_embeddings=source.max_positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(source.seed)
        model = model_class(config)
    disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def learn_tokenizer(texts: Iterable[str], vocab_size: int, max_positions: int) -> PreTrainedTokenizerFast:
    """Learn a byte-level BPE (any text can be written) of at most `vocab_size` entries."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(WORDS, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        model_max_length=max_positions,
        clean_up_tokenization_spaces=False,
    )
