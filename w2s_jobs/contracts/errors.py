"""Errors of the work side, and the exit code that each one means.

    JobError
    ├── InputError        42  this input or manifest can never work: do not try again
    ├── DependencyError   43  something outside was unavailable (S3, disk space, network): try again
    └── Stopped          143  told to stop (SIGTERM): what was done so far is saved, go on later

Every message names the object, the bad value, what was expected, and the next command or change.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["DependencyError", "ExitCode", "InputError", "JobError", "Stopped"]


class ExitCode(IntEnum):
    """The contract between a step's process and whoever started it."""

    DONE = 0
    CRASHED = 1
    INPUT = 42
    DEPENDENCY = 43
    STOPPED = 143


class JobError(Exception):
    """A failure with a message for a person. Shown without a traceback."""

    exit_code: ExitCode = ExitCode.CRASHED


class InputError(JobError):
    """The input can never work; a retry would fail in the same way."""

    exit_code = ExitCode.INPUT


class DependencyError(JobError):
    """Something outside the step was unavailable; a retry may succeed."""

    exit_code = ExitCode.DEPENDENCY


class Stopped(JobError):
    """The step was told to stop and has saved what it had."""

    exit_code = ExitCode.STOPPED
