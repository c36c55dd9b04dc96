"""Read what a failed step said last."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["error_of", "read_tail"]

_TAIL_BYTES = 16384


def read_tail(log: Path, lines: int = 12) -> list[str]:
    """Return the last lines of a log, without blank ones; empty when there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def error_of(tail: list[str], exit_code: int) -> tuple[str, list[str]]:
    """Split a log's tail into the step's own error and the other lines.

    A step ends with a line `error: …`; a process that was killed or crashed below Python does not.
    """
    for index in range(len(tail) - 1, -1, -1):
        if tail[index].startswith("error:"):
            return tail[index], tail[:index] + tail[index + 1 :]
    return f"error: {_end_of(exit_code)}", tail


def _end_of(exit_code: int) -> str:
    if exit_code == 0:
        return "the process ended well but published no result"
    if exit_code == 137:
        return (
            "the process was killed (signal 9). If nobody did that, memory ran out: "
            "lower maxTokens, microBatchSize or --cores"
        )
    if exit_code > 128:
        return f"the process ended by signal {exit_code - 128} before it could say why"
    return f"the process ended with exit code {exit_code} before it could say why"
