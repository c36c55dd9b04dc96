"""What this machine has, and which running step holds which part of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Machine", "Room", "Share", "detect_machine"]


@dataclass(frozen=True)
class Machine:
    """The part of a machine that a run may use."""

    cores: int
    gpus: tuple[str, ...] = ()
    """names of the GPUs as CUDA_VISIBLE_DEVICES takes them (indexes or UUIDs)"""


@dataclass(frozen=True)
class Share:
    """What one process was given."""

    cores: int
    gpus: tuple[str, ...]


@dataclass
class Room:
    """The cores and GPUs that nobody holds."""

    machine: Machine
    _free_cores: int = field(init=False)
    _free_gpus: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._free_cores = self.machine.cores
        self._free_gpus = list(self.machine.gpus)

    def take(self, cores: int, gpus: int) -> Share | None:
        """Hand out a share, or None when it is not free now.

        A step that asks for more cores than the machine has gets all of them: it is slower there, not impossible.
        """
        cores = min(cores, self.machine.cores)
        if cores > self._free_cores or gpus > len(self._free_gpus):
            return None
        self._free_cores -= cores
        taken, self._free_gpus = self._free_gpus[:gpus], self._free_gpus[gpus:]
        return Share(cores=cores, gpus=tuple(taken))

    def give_back(self, share: Share) -> None:
        """Make a share free again."""
        self._free_cores += share.cores
        # Kept in the machine's order, so that the same run hands out the same devices.
        self._free_gpus = [gpu for gpu in self.machine.gpus if gpu in {*self._free_gpus, *share.gpus}]


def detect_machine(cores: int | None = None, gpus: int | None = None) -> Machine:
    """Find out what this process may use; `cores` and `gpus` limit it (`gpus`) or replace it (`cores`)."""
    found = _visible_gpus()
    return Machine(cores=cores or _usable_cores(), gpus=found if gpus is None else found[:gpus])


def _usable_cores() -> int:
    """Count the cores of the affinity mask, or fewer where a cgroup's quota gives less time."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(affinity, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup v2 here, or its quota is `max`
        return affinity


def _visible_gpus() -> tuple[str, ...]:
    """Name the GPUs without loading torch: the environment, then the driver's tool, then its device files."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return tuple(name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1"))
    tool = shutil.which("nvidia-smi")
    if tool:
        listed = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False)
        return tuple(str(i) for i, line in enumerate(filter(_names_a_gpu, listed.stdout.splitlines())) if line)
    return tuple(sorted(path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")))


def _names_a_gpu(line: str) -> bool:
    return line.startswith("GPU ")
