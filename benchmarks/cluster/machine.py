"""Who used the machine: CPU time by program, and how much went to others. A figure beside other work says so."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "cpu_seconds", "read_usage"]

_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)
"""fields of /proc/stat: idle, waiting for a disk"""
_COUNTED_TWICE = 8
"""where the fields begin that are part of others (guests)"""


@dataclass(frozen=True)
class Usage:
    """CPU seconds so far, or between two moments."""

    clock: float
    busy: float
    """CPU seconds of the whole machine"""
    programs: dict[str, float]
    """CPU seconds of each of our programs"""

    def __sub__(self, before: Usage) -> Usage:
        programs = {name: used - before.programs.get(name, 0.0) for name, used in self.programs.items()}
        return Usage(self.clock - before.clock, self.busy - before.busy, programs)

    @property
    def others(self) -> float:
        """Cores that other work had meanwhile."""
        return max(0.0, self.busy - sum(self.programs.values())) / self.clock

    def __str__(self) -> str:
        used = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.programs.items())
        return f"CPU seconds: {used}; other work had {self.others:.2f} of {os.cpu_count()} cores"


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def read_usage(pids: Mapping[str, int]) -> Usage:
    """Read the CPU time of the machine, of these processes, and of this one."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    busy = sum(value for place, value in enumerate(fields[:_COUNTED_TWICE]) if place not in _IDLE) / _TICKS
    programs = {name: cpu_seconds(pid) for name, pid in pids.items()}
    return Usage(time.monotonic(), busy, {**programs, "this benchmark": cpu_seconds(os.getpid())})
