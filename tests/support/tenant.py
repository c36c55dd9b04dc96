"""Who works in a namespace of a cluster, and what the steps of its experiments have left in its store."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controller.plan.graph import Step
from tests.support.s3_server import S3Server

__all__ = ["Tenant"]


@dataclass(frozen=True)
class Tenant:
    """A namespace, with a bucket and keys of its own. What lies in the bucket is read past the server."""

    namespace: str
    store: S3Server
    """the S3 server with the tenant's keys"""

    @property
    def bucket(self) -> str:
        """Bucket that its keys open, and no other."""
        return f"{self.namespace}-experiments"

    @property
    def uri(self) -> str:
        """Where its artifacts lie."""
        return f"s3://{self.bucket}/w2s"

    @property
    def folder(self) -> Path:
        """The same as a folder of this machine."""
        return self.store.folder / self.bucket / "w2s"

    def environment(self) -> dict[str, str]:
        """Variables with which this machine's programs reach the store."""
        return self.store.environment() | {"AWS_ENDPOINT_URL": self.store.endpoint}

    def with_keys(self, store: S3Server) -> Tenant:
        """Return the same tenant with other keys."""
        return replace(self, store=store)

    def upload(self, folder: Path, prefix: str) -> None:
        """Put the files of a folder into the bucket."""
        for file in folder.iterdir():
            self.store.client().upload_file(str(file), self.bucket, f"{prefix}/{file.name}")

    def results(self) -> dict[str, dict[str, Any]]:
        """Return the results in the store, by key."""
        return {path.parent.name: json.loads(path.read_text()) for path in self.folder.glob("*/*/result.json")}

    def result(self, step: Step) -> dict[str, Any] | None:
        """Return the result of a step, if it is there."""
        path = self._folder_of(step) / "result.json"
        found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
        return found

    def files(self, step: Step, result: dict[str, Any]) -> dict[str, Path]:
        """Return the files that a result names."""
        return {entry["name"]: self._folder_of(step) / entry["path"] for entry in result["files"]}

    def progress(self, step: Step) -> int:
        """Return how far a running step says it is."""
        path = self._folder_of(step) / "progress.json"
        return int(json.loads(path.read_text())["done"]) if path.exists() else 0

    def checkpoints(self, step: Step) -> list[int]:
        """Return the steps of a training after which there is a whole checkpoint."""
        found = self._folder_of(step).glob("parts/checkpoints/step-*/manifest.json")
        return sorted(int(path.parent.name.removeprefix("step-")) for path in found)

    def chunks(self, step: Step) -> list[str]:
        """Return the chunks of a sampling that are committed."""
        return sorted(path.name for path in self._folder_of(step).glob("parts/samples/*.parquet"))

    def logs(self, step: Step, part: str = "*") -> list[str]:
        """Return what the pods of a step, or of one part of it, left of their logs, in the order of their starts."""
        found = (path for path in self._folder_of(step).glob(f"logs/{part}/*") if path.is_file())
        return [path.read_text() for path in sorted(found, key=lambda path: path.name)]

    def _folder_of(self, step: Step) -> Path:
        return self.folder / step.kind / step.key
