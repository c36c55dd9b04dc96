"""The Kubernetes programs that tests run: from a folder that the environment names, or from ../shared/cluster."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["CONTROL_PLANE", "SIMULATED_NODES", "find_assets", "missing_assets"]

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
SIMULATED_NODES = ("kwok",)
VARIABLES = ("W2S_CLUSTER_ASSETS", "KUBEBUILDER_ASSETS")
"""Environment variables that may name the folder; the second is the one that envtest users know"""


def find_assets(shared: Path) -> Path | None:
    """Return the folder of programs, unpacking those of the shared folder once into the user's cache."""
    for variable in VARIABLES:
        if folder := os.environ.get(variable):
            return Path(folder)
    script = shared / "cluster" / "cluster"
    if not script.is_file():
        return None
    # One process at a time: two that unpack at once trip over each other's links.
    with (Path(tempfile.gettempdir()) / "w2s-unpack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unpacked = subprocess.run([sys.executable, str(script), "unpack"], check=True, capture_output=True, text=True)
    return Path(unpacked.stdout.strip())


def missing_assets(folder: Path | None) -> str | None:
    """Say what is missing to start a control plane with simulated nodes, or None."""
    if folder is None:
        return f"no Kubernetes programs: neither {' nor '.join(VARIABLES)} is set, nor is there a ../shared/cluster"
    absent = [name for name in (*CONTROL_PLANE, *SIMULATED_NODES) if not (folder / name).exists()]
    return f"{folder} has no {', '.join(absent)}" if absent else None
