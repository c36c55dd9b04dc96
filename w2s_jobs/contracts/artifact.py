"""What a finished step leaves behind: the result, written last, is the proof that the step is done."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, JsonValue

from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Sha256

__all__ = ["ArtifactRef", "FileEntry", "Input", "LogName", "Progress", "StepResult"]


class ArtifactRef(Contract):
    """The address of an artifact inside a store: `<root>/<kind>/<key>/`."""

    kind: str = Field(pattern=r"^[a-z]+$")
    """kind of the step that makes it"""
    key: Sha256
    """key of the step that makes it"""

    def __str__(self) -> str:
        return f"{self.kind}/{self.key[:12]}"


class Input(Contract):
    """One file or folder of another step's artifact. Which file is read is part of the reader's key."""

    kind: str = Field(pattern=r"^[a-z]+$")
    key: Sha256
    file: str
    """file (`votes.parquet`) or folder (`model/`) inside the artifact; `samples/` is a folder of chunks"""

    @property
    def ref(self) -> ArtifactRef:
        """The artifact that this belongs to."""
        return ArtifactRef(kind=self.kind, key=self.key)


class FileEntry(Contract):
    """A file of an artifact, as the reader must find it."""

    name: str
    """name under which readers know it, such as `votes.parquet` or `model/config.json`"""
    path: str
    """path under the artifact's folder where the bytes lie (`attempts/<attempt>/…` or `parts/…`)"""
    size: int = Field(ge=0)
    """size in bytes"""
    sha256: Sha256
    """sha256 of the bytes; it names them in caches and in the history"""
    crc64nvme: str | None = Field(default=None, pattern=r"^[A-Za-z0-9+/]{11}=$")
    """CRC-64/NVME of the bytes in base64, as S3 writes it: what a download is checked against while it arrives;
    null in a folder, where the reader computes the SHA-256"""


class StepResult(Contract):
    """`result.json`."""

    kind: str
    key: Sha256
    attempt: str
    """attempt that won"""
    spec: dict[str, Any]
    """spec is the step's parameters and inputs as they entered the key"""
    files: tuple[FileEntry, ...]
    metrics: dict[str, JsonValue] = Field(default_factory=dict)
    """metrics are small numbers that depend only on the spec: accuracy, counts, losses"""
    timings: dict[str, float] = Field(default_factory=dict)
    """timings in seconds, and gpuSeconds; they differ from run to run"""
    versions: dict[str, str] = Field(default_factory=dict)
    """versions of the libraries that computed it"""

    @property
    def ref(self) -> ArtifactRef:
        """The artifact that this belongs to."""
        return ArtifactRef(kind=self.kind, key=self.key)


class Progress(Contract):
    """`progress.json`: how far a running attempt is. Shown, never trusted."""

    attempt: str
    done: int
    total: int
    unit: str
    """unit that is counted: rows, steps, files"""
    rate: float | None = None
    """rate in units a second"""


class LogName(Contract):
    """Whose log it is. Names sort by part, and within one by the time when its attempt began."""

    part: int = Field(ge=0)
    """part of the step: its shard, or the node of a training on many"""
    started: str = Field(pattern=r"^[0-9]{8}T[0-9]{6}Z$")
    """started in UTC, such as 20260131T235959Z"""
    attempt: str
    """attempt"""

    def __str__(self) -> str:
        return f"{self.part:04d}/{self.started}-{self.attempt}.log"

    @classmethod
    def parse(cls, text: str) -> LogName | None:
        """Return the name behind its text, or None where the text is another file's name."""
        match = re.fullmatch(r"(\d{4})/(\d{8}T\d{6}Z)-([^/]+)\.log", text)
        return cls(part=int(match[1]), started=match[2], attempt=match[3]) if match else None
