"""Bytes that a training holds on each GPU, and on its hosts: the arithmetic of what the trainer really runs.

Sources: ZeRO (Rajbhandari et al. 2020), section 3 for the states of mixed precision, section 5 for what each stage
divides; DeepSpeed 0.19 for its buffers (`runtime/zero/config.py`) and for the gradients that an update holds in
float32 (`estimate_zero2_model_states_mem_needs`); Korthikanti et al. 2022, section 4, for the way of counting
activations: what each operation keeps for the backward pass. The counts are those of transformers' decoders, which
keep more than that paper's fused kernels (norms in float32, gate and product apart); a test measures them.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller.plan.placement.shapes import ModelShape
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings

__all__ = ["MICRO_BATCH_TOKENS", "TrainingMemory", "TrainingShape", "host_bytes", "training_memory"]

MICRO_BATCH_TOKENS = 8192
"""Tokens that one rank trains at once on a GPU where microBatchSize is null (`w2s_jobs/engines/trainer.py`)."""
REDUCE_BUCKET = 500_000_000
"""Gradients that DeepSpeed collects before it sends them (`reduce_bucket_size`)."""
LIVE_PARAMETERS = 1_050_000_000
"""Weights that ZeRO-3 holds gathered: `stage3_max_live_parameters` and `stage3_prefetch_bucket_size`."""
UPDATE_GROUP = 1_000_000_000
"""Weights that ZeRO-3 updates together (`sub_group_size`)."""
CONTEXT_BYTES = 1.5e9
"""CUDA context, workspaces of the matrix products, buffers of the communication."""
LOGIT_BYTES = (6, 12)
"""Bytes a logit at the end of the forward pass (bfloat16 and float32), and while the loss goes back: the logarithms of
the probabilities, their gradient and the logits' gradient, all in float32."""


@dataclass(frozen=True)
class TrainingShape:
    """What a training is of: all that memory depends on beside how it is spread."""

    model: ModelShape
    training: TrainingSettings
    reward: bool = False
    """True: a reward model, which has one number at an example's end instead of logits"""

    @property
    def bf16(self) -> bool:
        """Tell whether it computes in bfloat16; every GPU type that a pool can name has it."""
        return self.training.dtype != "float32"


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes on one GPU, by what they are for."""

    weights: float
    gradients: float
    optimizer: float
    """two moments of Adam, and DeepSpeed's copy of the weights in float32"""
    working: float
    """working: buffers, gathered weights and other copies, the same at every micro-batch"""
    activations: float
    """activations of one micro-batch, logits included, at the moment at which most is held"""
    update: float
    """update: what the optimizer holds beside the states, when the activations are gone"""

    @property
    def states(self) -> float:
        """Weights, gradients and optimizer."""
        return self.weights + self.gradients + self.optimizer

    @property
    def total(self) -> float:
        """Peak: of a micro-batch, or of the update."""
        return CONTEXT_BYTES + self.states + max(self.working + self.activations, self.update)


def training_memory(shape: TrainingShape, how: Parallelism, tokens: int) -> TrainingMemory:
    """Compute what one GPU holds, with micro-batches of `tokens` tokens."""
    if how.zero_stage is None:
        return _plain(shape, tokens)
    number, ranks = shape.model.parameters, how.ranks
    low = 2 if shape.bf16 else 4
    weights, gradients, optimizer = _states(shape, how)
    copies = 0.0
    if how.zero_stage == 3:
        # The gathered weights, and both tables of tokens with a gradient, which is whole until it is sent.
        copies = low * (min(number, LIVE_PARAMETERS) + 2 * shape.model.table_parameters)
    # Stage 3 sends one bucket while it fills the next (`overlap_comm`).
    buckets = low * REDUCE_BUCKET * (2 if how.zero_stage == 3 else 1)
    share = number / ranks if how.zero_stage else number
    update = 0.0
    if shape.bf16 and not how.offload:
        update = 4.0 * (min(share, UPDATE_GROUP) if how.zero_stage == 3 else share)
    return TrainingMemory(
        weights, gradients, optimizer, copies + buckets, _activations(shape, tokens, residual=low, copies=0.0), update
    )


def host_bytes(shape: TrainingShape, how: Parallelism, ranks_here: int) -> float:
    """Compute the bytes of a node's own memory that `ranks_here` ranks need for the model, beside their programs.

    Every rank loads the weights before it moves them (ZeRO-3 loads a part), and one gathers them to save. With
    offload, DeepSpeed keeps copy, gradients and moments in float32 there, and weights (or a buffer of them) in 16 bit;
    at stage 3 the gradients in 16 bit too.
    """
    number, low = float(shape.model.parameters), 2 if shape.bf16 and how.zero_stage is not None else 4
    loading = low * number * (1 if how.zero_stage == 3 else ranks_here)
    if not how.offload:
        return loading
    kept = 16 + low * (2 if how.zero_stage == 3 else 1)
    return loading + kept * number * ranks_here / how.ranks


def _plain(shape: TrainingShape, tokens: int) -> TrainingMemory:
    """Plain PyTorch: all in float32; bfloat16 is autocast, whose copies of the weights last until they are used."""
    number = float(shape.model.parameters)
    copies = 2 * number if shape.bf16 else 0.0
    activations = _activations(shape, tokens, residual=4, copies=copies)
    return TrainingMemory(4 * number, 4 * number, 8 * number, working=0.0, activations=activations, update=0.0)


def _states(shape: TrainingShape, how: Parallelism) -> tuple[float, float, float]:
    """Compute weights, gradients and optimizer under DeepSpeed (ZeRO, section 5: stage 1, 2, 3 divide them in turn).

    In bfloat16 that is 2 + 2 + 12 bytes a parameter (section 3.1); in float32 no copy is needed but for the part that
    stages 1 and 2 update.
    """
    number, stage, low = float(shape.model.parameters), how.zero_stage or 0, 2 if shape.bf16 else 4
    copy = 4 if shape.bf16 or stage in (1, 2) else 0
    weights = low * number / (how.ranks if stage == 3 else 1)
    gradients = low * number / (how.ranks if stage >= 2 else 1)
    optimizer = (8 + copy) * number / (how.ranks if stage >= 1 else 1)
    if not how.offload:
        return weights, gradients, optimizer
    return (0.0 if stage == 3 else weights), 0.0, 0.0


def _activations(shape: TrainingShape, tokens: int, residual: int, copies: float) -> float:
    """Compute what forward and backward pass of a micro-batch hold at most.

    `residual`: bytes of a number that passes from layer to layer; `copies`: bytes of autocast's copies of the weights.
    """
    model, checkpointing = shape.model, shape.training.gradient_checkpointing
    layer = tokens * _kept_by_layer(shape, residual)
    kept = tokens * model.layers * residual * model.hidden if checkpointing else model.layers * layer
    forward, backward = (0.0, 0.0) if shape.reward else (tokens * model.vocabulary * size for size in LOGIT_BYTES)
    # Gradients that are on their way through one layer: of gate, up and product, and of the residual stream.
    moving = tokens * (3 * model.intermediate * (2 if shape.bf16 else 4) + 8 * model.hidden)
    within = layer + moving if checkpointing else moving
    # With checkpointing the copies go with the forward pass, and come again for one layer at a time.
    at_end = copies + kept + forward
    going_back = (0.0 if checkpointing else copies) + kept + max(backward, within)
    return max(at_end, going_back)


def _kept_by_layer(shape: TrainingShape, residual: int) -> int:
    """Count the bytes a token that one layer keeps for its backward pass.

    In bfloat16, with h hidden, k kv_width, f intermediate: two norms keep their input in float32, the normed values
    and their own output (2 x (4 + 2 + 2)h = 16h); attention keeps q, k, v and its output (4h + 4k; FlashAttention
    keeps no matrix of scores: Dao et al. 2022); the feed-forward block keeps gate, its activation, up and the product
    (8f). Under autocast the residual stream and the norms are in float32 (2 x (4 + 4 + 4 + 1)h = 26h); in float32
    everything is.
    """
    model = shape.model
    width = model.heads * model.head
    if not shape.bf16:
        return 24 * model.hidden + 8 * width + 8 * model.kv_width + 16 * model.intermediate
    norms = 16 if residual == 2 else 26
    return norms * model.hidden + 4 * width + 4 * model.kv_width + 8 * model.intermediate
