"""`w2s` in a folder of its own, as a person would run it."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from controller.local.tether import RUN_MARK, marked_processes

__all__ = ["Sandbox", "wait_for_exit"]

_W2S = (sys.executable, "-P", "-c", "from controller.cli.main import main; main()")
_NOT_INHERITED = re.compile(r"^(AWS_|W2S_|CUDA_|HF_)")


class Sandbox:
    """A folder with one manifest, in which runs leave their state."""

    def __init__(self, folder: Path, manifest: dict[str, Any], store: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "experiment.yaml"
        self.store = store
        self.seconds = 0.0
        """how long the first run took, where somebody measured it"""
        self.environment = {k: v for k, v in os.environ.items() if not _NOT_INHERITED.match(k)}
        self.write(manifest)

    def write(self, manifest: dict[str, Any]) -> None:
        self.file.write_text(yaml.safe_dump(manifest))

    def w2s(self, *arguments: str, timeout: float = 900, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run one command to its end; both outputs are in `stdout`."""
        with self.start(*arguments, **options) as process:
            try:
                printed, _ = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, printed)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start one command in the folder."""
        command, *rest = arguments
        store = ["--store", self.store] if self.store and command in ("run", "plan", "status", "report") else []
        return subprocess.Popen(
            [*_W2S, command, str(self.file), *rest, *store],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def run(self, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.w2s("run", "--plain", **options)

    def invalidate(self, artifact: str) -> subprocess.CompletedProcess[str]:
        command = [*_W2S, "invalidate", artifact, *(["--store", self.store] if self.store else [])]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    @property
    def runs(self) -> Path:
        return self.folder / ".w2s" / "runs" / str(yaml.safe_load(self.file.read_text())["metadata"]["name"])

    def report_bytes(self) -> dict[str, bytes]:
        """Read the machine-readable report of the last finished run."""
        return {name: (self.runs / name).read_bytes() for name in ("results.json", "results.csv")}

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Return the metrics of each finished step by its key: they depend on the work alone, not on how it went."""
        return {path.parent.name: json.loads(path.read_text())["metrics"] for path in self.results()}

    def plan_keys(self) -> dict[str, str]:
        """Return the name of each step by its key."""
        done = self.w2s("plan", "-o", "json")
        assert done.returncode == 0, done.stdout
        return {step["key"]: step["name"] for step in json.loads(done.stdout)["steps"]}

    def results(self) -> dict[Path, tuple[int, int]]:
        """Return the identity (inode and time of change) of each result in the folder's own store."""
        found = (self.folder / ".w2s" / "store").glob("*/*/result.json")
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}

    def started_after(self, names: dict[Path, tuple[int, int]]) -> list[str]:
        """Return the logs of attempts that began after the result of their step was there."""
        late = []
        for result, (_, finished) in names.items():
            key8 = result.parent.name[:8]
            specs = (self.runs / "specs").glob(f"*-{key8}*.json")
            late += [spec.name for spec in specs if spec.stat().st_mtime_ns > finished]
        return late

    def processes(self) -> list[int]:
        """Return the processes that runs in this folder have started and that still live."""
        return marked_processes(RUN_MARK, str(self.runs.resolve()))


def wait_for_exit(pids: list[int], timeout: float) -> list[int]:
    """Wait until processes that are not our children have ended; return those that have not."""
    alive = []
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([handle], [], [], timeout)[0]:
                alive.append(pid)
        finally:
            os.close(handle)
    return alive
