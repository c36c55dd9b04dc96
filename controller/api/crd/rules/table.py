"""All rules."""

from __future__ import annotations

from controller.api.crd.rules.dataset import DATASET_RULES
from controller.api.crd.rules.growth import GROWTH_RULES
from controller.api.crd.rules.models import MODEL_RULES
from controller.api.crd.rules.operations import OPERATION_RULES
from controller.api.crd.rules.reward import REWARD_RULES
from controller.api.crd.rules.rule import Rule
from controller.api.crd.rules.sweep import SWEEP_RULES

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (
    *SWEEP_RULES,
    *DATASET_RULES,
    *MODEL_RULES,
    *REWARD_RULES,
    *OPERATION_RULES,
    *GROWTH_RULES,
)
