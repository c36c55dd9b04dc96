"""A 1 GB model folder to S3 and back: our store, checksums included, against the bare CRT client, in one run.

    python -m benchmarks.s3_transfer

Both sides talk to the same versitygw over a folder on this disk, turn and turn about; the best of three counts. Ours
does more: SHA-256 of every file on the way up, its verification on the way down. Prints bare time over our time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.s3_server import find_binary, start_server
from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry, Input, StepResult
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.s3 import S3Store
from w2s_jobs.store.s3_client import S3Clients

FILES, FILE_BYTES, TURNS = 4, 256 * 1024 * 1024, 3
SHARED = Path(__file__).resolve().parents[2] / "shared" / "cluster" / "bin"


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def main() -> None:
    """Measure up and down."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        binary = find_binary(SHARED, folder)
        if binary is None:
            raise SystemExit("error: no S3 server: put versitygw on PATH, or ../shared/cluster beside the repository")
        (folder / "s3").mkdir()
        with start_server(binary, folder / "s3") as server:
            os.environ.update(server.environment(), W2S_CACHE=str(folder / "cache"))
            measure(server.bucket(), server.endpoint, folder)


def measure(bucket: str, endpoint: str, folder: Path) -> None:
    """Move the same files both ways, three times."""
    source = folder / "model"
    source.mkdir()
    for number in range(FILES):
        (source / f"{number}.safetensors").write_bytes(os.urandom(FILE_BYTES))
    files = sorted(source.iterdir())
    settings = StoreSettings(uri=f"s3://{bucket}/ours", endpoint=endpoint)
    store, bare = S3Store(bucket, "ours", settings), S3Clients(settings)
    ups: list[tuple[float, float]] = []
    downs: list[tuple[float, float]] = []
    ref = ArtifactRef(kind="train", key="0" * 64)
    item = Input(kind=ref.kind, key=ref.key, file="model/")
    for _ in range(TURNS):
        entries: list[FileEntry] = []
        ups.append(
            (
                timed(lambda: bare_upload(bare, files, bucket)),
                timed(lambda into=entries: into.extend(our_upload(store, ref, files))),  # type: ignore[misc]
            )
        )
        store.write_result(StepResult(kind=ref.kind, key=ref.key, attempt="1", spec={}, files=tuple(entries)))
        downs.append(
            (
                timed(lambda: bare_download(bare, files, bucket, folder / "bare")),
                timed(lambda: store.fetch(item, folder / "ours")),
            )
        )
        store.delete(ref)
        for used in ("bare", "ours", "cache"):
            shutil.rmtree(folder / used, ignore_errors=True)
    for name, times in (("up", ups), ("down", downs)):
        plain, ours = (min(column) for column in zip(*times, strict=True))
        print(f"{name}: bare CRT {plain:.2f} s, store {ours:.2f} s; ratio {plain / ours:.2f}")


def our_upload(store: S3Store, ref: ArtifactRef, files: list[Path]) -> list[FileEntry]:
    """As the runner stores a model."""
    with ThreadPoolExecutor(len(files)) as pool:
        return list(pool.map(lambda path: store.put(ref, "1", f"model/{path.name}", path), files))


def bare_upload(clients: S3Clients, files: list[Path], bucket: str) -> None:
    """All files at once through one CRT transfer manager."""
    with clients.transfers() as transfers:
        for path in files:
            transfers.upload(str(path), bucket, f"bare/{path.name}")


def bare_download(clients: S3Clients, files: list[Path], bucket: str, into: Path) -> None:
    """The same, down."""
    into.mkdir()
    with clients.transfers() as transfers:
        for path in files:
            transfers.download(bucket, f"bare/{path.name}", str(into / path.name))


if __name__ == "__main__":
    main()
