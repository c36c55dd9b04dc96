"""The controller as a process of its own, and what Linux says of a process."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.control_plane import ControlPlane
from tests.support.operator_process import NAMESPACE

__all__ = ["Controller", "run_controller"]

_REQUEST = re.compile(r'^w2s_api_requests_total\{code="\d+",resource="(\w+)",verb="(\w+)"\} ([\d.e+]+)$', re.MULTILINE)
_WRITES = frozenset({"create", "apply", "patch", "update", "delete"})


@dataclass
class Controller:
    """A running controller."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def peak_memory(self) -> float:
        """Most resident memory so far, in MB."""
        return self._memory("VmHWM")

    @property
    def memory(self) -> float:
        """Resident memory now, in MB."""
        return self._memory("VmRSS")

    def writes(self) -> Counter[str]:
        """Return how often it has written, by verb and resource; its Lease, renewed every two seconds, is left out."""
        text = self.read("/metrics")
        counts: Counter[str] = Counter()
        for resource, verb, count in _REQUEST.findall(text):
            if verb in _WRITES and resource != "leases":
                counts[f"{verb} {resource}"] += int(float(count))
        return counts

    def read(self, path: str) -> str:
        """Read from its own endpoint."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def leads(self) -> bool:
        """Tell whether it has listed everything and leads."""
        try:
            return self.read("/readyz") == "ok\n" and "\nw2s_leader 1.0" in self.read("/metrics")
        except urllib.error.HTTPError:
            return False

    def _memory(self, field: str) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(rf"{field}:\s+(\d+) kB", text)[0]) / 1024


@contextmanager
def run_controller(plane: ControlPlane, store: Path, workers: int | None = None) -> Iterator[Controller]:
    """Run `w2s controller` at its defaults, under its own service account, until the block ends."""
    settings = plane.folder / "installation.yaml"
    settings.write_text(yaml.safe_dump({"stores": [_store(store)], "defaultStore": "main"}))
    port = _free_port()
    command = [
        *(str(Path(sys.executable).with_name("w2s")), "controller", "--settings", str(settings)),
        *("--kubeconfig", str(plane.kubeconfig_for(NAMESPACE, "w2s-controller"))),
        *("--health", f"127.0.0.1:{port}"),
        *(("--workers", str(workers)) if workers else ()),
    ]
    with (plane.folder / "controller.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    plane.processes["controller"] = process
    try:
        controller = Controller(process, port)
        plane.wait_for("the controller", controller.leads)
        yield controller
        if process.poll() is not None:
            raise AssertionError(f"the controller ended with {process.returncode}")
    finally:
        del plane.processes["controller"]
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _store(store: Path) -> dict[str, object]:
    return {"name": "main", "settings": {"uri": store.as_uri()}}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
