"""Errors of the control side.

    W2sError
    ├── InvalidExperiment    the manifest can never work: fix it and apply again
    │   └── DoesNotFit       no placement on the pools that it names holds a model
    ├── PlanRefused          the compiled plan breaks a rule that protects the science (gold labels)
    ├── RunFailed            steps failed for good; what they said is in the message
    ├── NoCluster            no API server is named (controller/kube/connect.py)
    └── KubeError            a request to the API server failed (controller/kube/errors.py has the tree)

Every message names the object, the bad value, what was expected, and the next command or change.
"""

from __future__ import annotations

__all__ = ["DoesNotFit", "InvalidExperiment", "PlanRefused", "RunFailed", "W2sError"]


class W2sError(Exception):
    """A failure with a message for a person. Shown without a traceback."""


class InvalidExperiment(W2sError):
    """The manifest is wrong. Holds one line for each problem."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


class DoesNotFit(InvalidExperiment):
    """A model fits nowhere on its pool. Holds the arithmetic, and where in the manifest the placement is."""

    def __init__(self, source: str, problems: list[str], found: list[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__(source, problems)
        self.found = found
        """path and message of each problem"""


class PlanRefused(W2sError):
    """The plan would let a step see what it must not see."""


class RunFailed(W2sError):
    """The run ended with failed steps."""
