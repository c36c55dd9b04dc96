"""Which ends of a pod count: the exit-code contract (w2s_jobs.contracts.errors) in Kubernetes' words.

The first rule that matches decides, and a pod that none matches is charged to the step's budget:

| the pod                                             | rule   | then                                          |
|-----------------------------------------------------|--------|-----------------------------------------------|
| was evicted, preempted or lost with its node        | Ignore | another attempt, not charged                  |
| was deleted before it had a node                    | Ignore | another attempt, not charged                  |
| ended with 42: this input can never work            | FailJob| the step has failed                           |
| ended with 143: it was told to stop (pod deleted)   | Ignore | another attempt, not charged                  |
| ended otherwise: a crash, no memory, no dependency  | -      | another attempt after a pause, charged        |

DisruptionTarget comes first: what a pod said while it was being thrown out is not the step's last word. Deleting a pod
sets no such condition; its worker saves and ends with 143, within the grace period whatever it was doing (watchdog.py).
`podReplacementPolicy: Failed`, the only one allowed beside these rules, starts the next attempt when the last one has
ended, so two attempts never hold GPUs at once.
"""

from __future__ import annotations

from typing import Any

from controller.plan.graph import Step
from w2s_jobs.contracts.errors import ExitCode

__all__ = ["WORKER", "build_failure_policy"]

WORKER = "worker"
"""Name of the container"""


def build_failure_policy(step: Step, limit: int) -> dict[str, Any]:
    """Build the part of a Job's spec that says what failures cost; `limit` attempts after the first are charged.

    Pods of an Indexed Job have a budget each: shards fail on their own, and when a training on many nodes fails, each
    of its nodes does. The first index that has used its budget up ends the Job.
    """
    budget: dict[str, Any] = {"backoffLimit": limit}
    if step.shards > 1 or step.resources.nodes > 1:
        budget = {"backoffLimitPerIndex": limit, "maxFailedIndexes": 0}
    return {
        **budget,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {
            "rules": [
                {
                    "action": "Ignore",
                    "onPodConditions": [
                        {"type": "DisruptionTarget", "status": "True"},
                        {"type": "PodScheduled", "status": "False"},
                    ],
                },
                {"action": "FailJob", "onExitCodes": _ended_with(ExitCode.INPUT)},
                {"action": "Ignore", "onExitCodes": _ended_with(ExitCode.STOPPED)},
            ]
        },
    }


def _ended_with(code: ExitCode) -> dict[str, Any]:
    return {"containerName": WORKER, "operator": "In", "values": [int(code)]}
