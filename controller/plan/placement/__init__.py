"""Placement: from the size of a model and the GPUs of a pool to processes, shards, ZeRO stage and micro-batch."""
