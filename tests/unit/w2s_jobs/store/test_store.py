"""One suite for every store: a folder, and a real S3 server."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry, Input, LogName, Progress, StepResult
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.open import open_store
from w2s_jobs.store.protocol import ArtifactStore
from w2s_jobs.store.s3_checksums import sha256_and_crc64nvme

REF = ArtifactRef(kind="train", key="a" * 64)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "folder":
        return open_store(StoreSettings(uri=f"file://{tmp_path}/store"))
    server = request.getfixturevalue("s3_environment")
    return open_store(StoreSettings(uri=f"s3://{server.bucket()}/some/prefix", endpoint=server.endpoint))


def a_file(tmp_path: Path, content: bytes = b"weights", name: str = "source") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def a_result(files: tuple[FileEntry, ...] = (), attempt: str = "1") -> StepResult:
    return StepResult(kind=REF.kind, key=REF.key, attempt=attempt, spec={"params": {}}, files=files)


def stored_path(store: Any, entry: FileEntry) -> Path:
    """Where the bytes of an entry lie on this disk, behind either store."""
    home = store.root if hasattr(store, "root") else None
    if home is None:
        pytest.fail("only a folder store lies on this disk")
    return Path(home) / REF.kind / REF.key / entry.path


def test_a_result_is_read_back_as_it_was_written(store: ArtifactStore) -> None:
    assert store.read_result(REF) is None
    assert store.write_result(a_result())
    assert store.read_result(REF) == a_result()
    assert store.finished([REF, ArtifactRef(kind="grade", key="b" * 64)]) == {REF}


def test_many_results_are_found_by_listing(store: ArtifactStore) -> None:
    refs = [ArtifactRef(kind="grade", key=f"{number:064x}") for number in range(100)]
    for ref in refs[::2]:
        store.write_result(a_result().model_copy(update={"kind": ref.kind, "key": ref.key}))
    assert store.finished(refs) == set(refs[::2])


def test_of_eight_racing_writers_exactly_one_wins(store: ArtifactStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        wins = list(pool.map(lambda n: store.write_result(a_result(attempt=str(n))), range(8)))
    assert sum(wins) == 1
    winner = store.read_result(REF)
    assert winner is not None
    assert winner.attempt == str(wins.index(True))


@pytest.mark.parametrize("size", [0, 7, 20 * 1024 * 1024], ids=["empty", "small", "multipart"])
def test_a_file_comes_back_as_it_went_in(store: ArtifactStore, tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    entry = store.put(REF, "1", "model/weights.bin", a_file(tmp_path, content))
    store.write_result(a_result((entry,)))
    folder = store.fetch(Input(kind=REF.kind, key=REF.key, file="model/"), tmp_path / "into")
    assert (folder / "weights.bin").read_bytes() == content


def test_a_folder_of_parts_and_attempt_files_is_fetched_whole(store: ArtifactStore, tmp_path: Path) -> None:
    one = store.put_part(REF, "samples/one", a_file(tmp_path, b"1"))
    two = store.put_part(REF, "samples/two", a_file(tmp_path, b"2"))
    store.write_result(a_result((one, two)))
    folder = store.fetch(Input(kind=REF.kind, key=REF.key, file="samples/"), tmp_path / "into")
    assert sorted(path.name for path in folder.iterdir()) == ["one", "two"]


def test_parts_are_listed_overwritten_and_deleted(store: ArtifactStore, tmp_path: Path) -> None:
    store.put_part(REF, "checkpoints/1/state", a_file(tmp_path, b"old"))
    store.put_part(REF, "checkpoints/1/state", a_file(tmp_path, b"newer"))
    store.put_part(REF, "checkpoints/2/state", a_file(tmp_path, b"x"))
    assert store.list_parts(REF) == {"checkpoints/1/state": 5, "checkpoints/2/state": 1}
    store.get_part(REF, "checkpoints/1/state", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"newer"
    store.delete_parts(REF, "checkpoints/1/")
    assert store.list_parts(REF, "checkpoints/") == {"checkpoints/2/state": 1}


def test_progress_is_the_last_one_written(store: ArtifactStore) -> None:
    assert store.read_progress(REF) is None
    for done in (1, 2):
        store.write_progress(REF, Progress(attempt="1", done=done, total=3, unit="rows"))
    progress = store.read_progress(REF)
    assert progress is not None
    assert progress.done == 2


def test_logs_are_listed_by_part_and_start_and_go_with_the_artifact(store: ArtifactStore) -> None:
    assert store.list_logs(REF) == []
    names = [
        LogName(part=part, started=f"202601{day}T000000Z", attempt=attempt)
        for part, day, attempt in ((0, 10, "uid-b"), (0, 11, "uid-a"), (2, 10, "uid-c"), (10, 10, "uid-d"))
    ]
    for name in reversed(names):
        store.write_log(REF, name, b"begun")
        store.write_log(REF, name, str(name).encode())
    assert store.list_logs(REF) == names
    assert [store.read_log(REF, name).decode() for name in names] == [str(name) for name in names]
    store.delete(REF)
    assert store.list_logs(REF) == []


def test_an_artifact_that_is_not_there_is_named(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"artifact train/aaaaaaaaaaaa does not exist, but a step needs its model/"):
        store.fetch(Input(kind=REF.kind, key=REF.key, file="model/"), tmp_path)


def test_a_file_that_the_artifact_lacks_is_named_with_those_it_has(store: ArtifactStore, tmp_path: Path) -> None:
    store.write_result(a_result((store.put(REF, "1", "loss.json", a_file(tmp_path)),)))
    with pytest.raises(InputError, match=r"has no model/; it has: loss.json"):
        store.fetch(Input(kind=REF.kind, key=REF.key, file="model/"), tmp_path)


def test_a_deleted_artifact_is_gone_with_all_its_files(store: ArtifactStore, tmp_path: Path) -> None:
    store.put_part(REF, "x", a_file(tmp_path))
    store.write_result(a_result((store.put(REF, "1", "y", a_file(tmp_path)),)))
    store.delete(REF)
    assert store.read_result(REF) is None
    assert store.list_parts(REF) == {}


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.write_bytes(b"weightz"), "corrupted: sha256"),
        (lambda path: path.write_bytes(b"weig"), "truncated or overwritten: 4 bytes, expected 7"),
        (lambda path: path.unlink(), "is missing"),
    ],
    ids=["corrupted", "truncated", "missing"],
)
def test_a_damaged_file_is_found_by_the_reader_and_named(tmp_path: Path, harm: Any, message: str) -> None:
    store = open_store(StoreSettings(uri=f"file://{tmp_path}/store"))
    entry = store.put(REF, "1", "model/weights.bin", a_file(tmp_path))
    store.write_result(a_result((entry,)))
    harm(stored_path(store, entry))
    with pytest.raises(InputError, match=message) as caught:
        store.fetch(Input(kind=REF.kind, key=REF.key, file="model/"), tmp_path)
    assert "model/weights.bin" in str(caught.value)
    assert f"w2s invalidate train/{REF.key}" in str(caught.value)


def flip_a_bit(path: Path) -> None:
    """Change the last byte in place, so that whatever the server keeps beside the file stays as it was."""
    with path.open("r+b") as stream:
        stream.seek(-1, 2)
        byte = stream.read(1)[0]
        stream.seek(-1, 2)
        stream.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("size", [7, 20 * 1024 * 1024], ids=["small", "multipart"])
@pytest.mark.parametrize(
    "harm",
    [flip_a_bit, lambda path: path.write_bytes(path.read_bytes()[:-1]), lambda path: path.write_bytes(b"")],
    ids=["corrupted", "truncated", "emptied"],
)
@pytest.mark.parametrize("crc_known", [True, False], ids=["crc", "no-crc"])
def test_a_damaged_object_in_s3_is_found_and_never_enters_the_cache(
    s3_environment: Any, tmp_path: Path, size: int, harm: Callable[[Path], Any], crc_known: bool
) -> None:
    bucket = s3_environment.bucket()
    store = open_store(StoreSettings(uri=f"s3://{bucket}", endpoint=s3_environment.endpoint))
    entry = store.put(REF, "1", "w", a_file(tmp_path, b"w" * size))
    if not crc_known:
        entry = entry.model_copy(update={"crc64nvme": None})
    store.write_result(a_result((entry,)))
    harm(s3_environment.folder / bucket / REF.kind / REF.key / entry.path)
    for _ in range(2):
        with pytest.raises(InputError, match=r"\bw .*(corrupted|truncated)") as caught:
            store.fetch(Input(kind=REF.kind, key=REF.key, file="w"), tmp_path / "into")
        assert f"w2s invalidate train/{REF.key}" in str(caught.value)


def test_the_crc_of_a_file_is_the_one_that_s3_computes(s3_environment: Any, tmp_path: Path) -> None:
    bucket = s3_environment.bucket()
    store = open_store(StoreSettings(uri=f"s3://{bucket}", endpoint=s3_environment.endpoint))
    entry = store.put(REF, "1", "w", a_file(tmp_path, b"w" * 20_000_000))
    head = store.clients.api.head_object(  # type: ignore[attr-defined]
        Bucket=bucket, Key=f"{REF.kind}/{REF.key}/{entry.path}", ChecksumMode="ENABLED"
    )
    assert head["ChecksumCRC64NVME"] == entry.crc64nvme


def test_the_crc_is_that_of_the_catalogue(tmp_path: Path) -> None:
    # The value that the catalogue of parametrised CRC algorithms gives as "check" for CRC-64/NVME.
    _, crc = sha256_and_crc64nvme(a_file(tmp_path, b"123456789"))
    assert base64.b64decode(crc).hex() == "ae8b14860a799888"


def test_a_verified_file_is_fetched_from_s3_once(s3_environment: Any, tmp_path: Path) -> None:
    bucket = s3_environment.bucket()
    store = open_store(StoreSettings(uri=f"s3://{bucket}", endpoint=s3_environment.endpoint))
    entry = store.put(REF, "1", "w", a_file(tmp_path))
    store.write_result(a_result((entry,)))
    store.fetch(Input(kind=REF.kind, key=REF.key, file="w"), tmp_path / "one")
    (s3_environment.folder / bucket / REF.kind / REF.key / entry.path).unlink()
    assert store.fetch(Input(kind=REF.kind, key=REF.key, file="w"), tmp_path / "two").read_bytes() == b"weights"


def test_a_store_uri_of_no_known_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected file:///absolute/folder or s3://bucket/prefix"):
        open_store(StoreSettings(uri="file://relative/folder"))


def test_the_endpoint_of_the_environment_serves_large_files_too(
    s3_environment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_environment.endpoint)
    store = open_store(StoreSettings(uri=f"s3://{s3_environment.bucket()}"))
    entry = store.put(REF, "1", "w", a_file(tmp_path, b"x" * 9_000_000))
    store.write_result(a_result((entry,)))
    assert store.fetch(Input(kind=REF.kind, key=REF.key, file="w"), tmp_path / "into").stat().st_size == 9_000_000


def test_buckets_of_one_name_at_two_endpoints_of_the_environment_share_no_cache(
    s3_environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = set()
    for endpoint in (s3_environment.endpoint, "http://127.0.0.1:9"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        store = open_store(StoreSettings(uri="s3://models/w2s"))
        roots.add(store.cache.root)  # type: ignore[attr-defined]
    assert len(roots) == 2


def test_readers_of_one_store_never_get_the_cached_file_of_another(tmp_path: Path, s3_environment: Any) -> None:
    bucket = s3_environment.bucket()
    mine, theirs = (
        open_store(StoreSettings(uri=f"s3://{bucket}/{prefix}", endpoint=s3_environment.endpoint))
        for prefix in ("mine", "theirs")
    )
    entry = theirs.put(REF, "1", "model/weights.bin", a_file(tmp_path))
    theirs.write_result(a_result((entry,)))
    model = Input(kind=REF.kind, key=REF.key, file="model/")
    theirs.fetch(model, tmp_path / "fetched")
    mine.write_result(a_result((entry,)))  # it names a file that this store does not hold
    with pytest.raises(InputError, match="there is no such object"):
        mine.fetch(model, tmp_path / "again")
