"""HEAVY. Samplers and trainers behind small protocols."""
