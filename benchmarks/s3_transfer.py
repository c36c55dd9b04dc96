"""A 1 GB model folder to S3 and back: our store, checksums included, against the bare CRT client, in one run.

    python -m benchmarks.s3_transfer

Both sides talk to the same versitygw over a folder on this disk, turn and turn about, each first in every other turn;
the median of the turns' ratios counts. The bare side does what the aws CLI does by default with the CRT: CRC-64/NVME
on the way up, kept by the server, which the CRT compares on the way down. Ours also computes the SHA-256 and the
CRC-64/NVME of every local file on the way up, and on the way down checks against that CRC and not the server's.
Prints bare time over our time, and the CPU seconds of this process for each side (the server's are not in them).
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.support.s3_server import find_binary, start_server
from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry, Input, StepResult
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.s3 import S3Store
from w2s_jobs.store.s3_client import UPLOAD_ARGUMENTS, S3Clients

FILES, FILE_BYTES, TURNS = 4, 256 * 1024 * 1024, 5
SHARED = Path(__file__).resolve().parents[2] / "shared" / "cluster" / "bin"


class Cost(NamedTuple):
    """What one side took in one turn, in seconds."""

    wall: float
    cpu: float


def timed(work: Callable[[], object]) -> Cost:
    """Do it once."""
    wall, cpu = time.monotonic(), time.process_time()
    work()
    return Cost(time.monotonic() - wall, time.process_time() - cpu)


def both(turn: int, bare: Callable[[], object], ours: Callable[[], object]) -> tuple[Cost, Cost]:
    """Do both, in turn the one and the other first; return bare's cost and ours."""
    if turn % 2 == 0:
        return timed(bare), timed(ours)
    ours_cost = timed(ours)
    return timed(bare), ours_cost


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
    """Move the same files both ways, five times."""
    source = folder / "model"
    source.mkdir()
    for number in range(FILES):
        (source / f"{number}.safetensors").write_bytes(os.urandom(FILE_BYTES))
    files = sorted(source.iterdir())
    settings = StoreSettings(uri=f"s3://{bucket}/ours", endpoint=endpoint)
    store, bare = S3Store(bucket, "ours", settings), S3Clients(settings)
    ups: list[tuple[Cost, Cost]] = []
    downs: list[tuple[Cost, Cost]] = []
    ref = ArtifactRef(kind="train", key="0" * 64)
    item = Input(kind=ref.kind, key=ref.key, file="model/")
    for turn in range(TURNS):
        entries: list[FileEntry] = []
        ours_up = partial(our_upload, store, ref, files, entries)
        ups.append(both(turn, partial(bare_upload, bare, files, bucket), ours_up))
        store.write_result(StepResult(kind=ref.kind, key=ref.key, attempt="1", spec={}, files=tuple(entries)))
        bare_down = partial(bare_download, bare, files, bucket, folder / "bare")
        downs.append(both(turn, bare_down, partial(store.fetch, item, folder / "ours")))
        store.delete(ref)
        for used in ("bare", "ours", "cache"):
            shutil.rmtree(folder / used, ignore_errors=True)
    show("up", ups)
    show("down", downs)


def show(way: str, turns: list[tuple[Cost, Cost]]) -> None:
    """Print the median ratio, and what lies behind it."""
    ratios = sorted(bare.wall / ours.wall for bare, ours in turns)
    bare, ours = (Cost(*map(statistics.median, zip(*side, strict=True))) for side in zip(*turns, strict=True))
    print(
        f"{way}: bare CRT {bare.wall:.2f} s ({bare.cpu:.2f} s of CPU), "
        f"store {ours.wall:.2f} s ({ours.cpu:.2f} s of CPU); "
        f"ratio {statistics.median(ratios):.2f} (turns: {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
    )


def our_upload(store: S3Store, ref: ArtifactRef, files: list[Path], entries: list[FileEntry]) -> None:
    """As the runner stores a model; the entries of its result are added to `entries`."""
    with ThreadPoolExecutor(len(files)) as pool:
        entries.extend(pool.map(lambda path: store.put(ref, "1", f"model/{path.name}", path), files))


def bare_upload(clients: S3Clients, files: list[Path], bucket: str) -> None:
    """All files at once through one CRT transfer manager."""
    with clients.transfers() as transfers:
        for path in files:
            transfers.upload(str(path), bucket, f"bare/{path.name}", extra_args=dict(UPLOAD_ARGUMENTS))


def bare_download(clients: S3Clients, files: list[Path], bucket: str, into: Path) -> None:
    """The same, down."""
    into.mkdir()
    with clients.transfers() as transfers:
        for path in files:
            transfers.download(bucket, f"bare/{path.name}", str(into / path.name))


if __name__ == "__main__":
    main()
