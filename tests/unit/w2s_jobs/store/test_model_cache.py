"""The files of remote stores on one machine, shared by processes that know nothing of each other."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from w2s_jobs.contracts.errors import DependencyError, InputError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store import cache as cache_module
from w2s_jobs.store.cache import FileCache
from w2s_jobs.store.s3_client import S3Clients
from w2s_jobs.store.s3_folder import fetch_s3_folder

CONTENT = b"weights" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("W2S_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def of_store() -> FileCache:
    return FileCache.of_this_machine().of_store("s3://bucket")


def provide(target: Path, content: bytes = CONTENT) -> None:
    """Put a file that the cache lacks at `target`."""
    of_store().provide(
        hashlib.sha256(content).hexdigest(), len(content), target, lambda path: ignore(path.write_bytes(content))
    )


def ignore(_: object) -> None:
    return


def never(_: Path) -> None:
    raise AssertionError("it is in the cache")


def files(folder: Path) -> list[str]:
    """Names of all files of a cache, those of files that lie under their digest shortened."""
    return sorted(path.name[:8] for path in folder.rglob("*") if path.is_file())


# --- one process ---


def test_a_file_is_fetched_once(home: Path, tmp_path: Path) -> None:
    provide(tmp_path / "one")
    of_store().provide(SHA, len(CONTENT), tmp_path / "two", never)
    assert (tmp_path / "two").read_bytes() == CONTENT
    assert files(home) == [SHA[:8]]


@pytest.mark.parametrize("damage", [b"", b"weights", b"weightz" * 1000], ids=["empty", "cut", "changed"])
def test_a_damaged_file_is_fetched_again(home: Path, tmp_path: Path, damage: bytes) -> None:
    provide(tmp_path / "one")
    (tmp_path / "one").unlink()
    of_store().path(SHA).write_bytes(damage)
    provide(tmp_path / "two")
    assert (tmp_path / "two").read_bytes() == CONTENT
    of_store().provide(SHA, len(CONTENT), tmp_path / "three", never)


def test_a_fetch_that_fails_leaves_nothing(home: Path, tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(CONTENT[:10])
        raise DependencyError("S3 has gone")

    with pytest.raises(DependencyError, match="S3 has gone"):
        of_store().provide(SHA, len(CONTENT), tmp_path / "one", fail)
    assert files(home) == []
    provide(tmp_path / "one")


def test_what_was_used_longest_ago_goes_first_when_the_cache_is_full(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CACHE_BYTES", "300")
    contents = [bytes([65 + number]) * 100 for number in range(4)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    for number, content in enumerate(contents[:3]):
        provide(tmp_path / "target", content)
        os.utime(of_store().path(digests[number]), (number, number))
    of_store().provide(digests[0], 100, tmp_path / "target", never)
    (tmp_path / "target").unlink()
    provide(tmp_path / "target", contents[3])
    assert files(home) == sorted(digest[:8] for digest in (digests[0], digests[2], digests[3]))


def test_a_file_that_lies_on_another_disk_is_used_where_it_is_and_held(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(cache_module.os, "link", other_disk)
    monkeypatch.setenv("W2S_CACHE_BYTES", "100")
    provide(tmp_path / "small", b"s" * 100)
    assert not (tmp_path / "small").is_symlink()
    monkeypatch.setattr(cache_module, "_COPIED_BYTES", 1000)
    provide(tmp_path / "large")
    assert (tmp_path / "large").readlink() == of_store().path(SHA)
    provide(tmp_path / "another", b"a" * 100)
    assert (tmp_path / "large").read_bytes() == CONTENT
    assert (tmp_path / "small").read_bytes() == b"s" * 100


def test_a_limit_that_is_no_number_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("W2S_CACHE_BYTES", "500Gi")
    with pytest.raises(InputError, match="W2S_CACHE_BYTES is '500Gi'; expected a number of bytes"):
        provide(tmp_path / "one")


# --- full disks ---


def test_a_file_that_does_not_fit_is_refused_before_it_is_fetched(
    full_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CACHE", str(full_disk))
    with pytest.raises(DependencyError, match=r"no space left at .*/disk: .* bytes free, 2,000,000 needed"):
        of_store().provide(SHA, 2_000_000, tmp_path / "one", never)
    assert files(full_disk) == []


def test_a_disk_that_fills_up_during_a_download_leaves_no_half_file(
    full_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_environment: Any
) -> None:
    monkeypatch.setenv("W2S_CACHE", str(full_disk))
    bucket, clients = s3_environment.bucket(), S3Clients(StoreSettings(uri="s3://x", endpoint=s3_environment.endpoint))
    clients.api.put_object(Bucket=bucket, Key="large", Body=b"x" * 3_000_000)
    with pytest.raises(DependencyError, match=r"no space left at .*/disk .* free some space there"):
        of_store().provide(SHA, 10, tmp_path / "one", lambda path: clients.download(bucket, "large", path))
    assert files(full_disk) == []


def test_without_a_limit_a_part_of_the_disk_stays_free(
    full_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CACHE", str(full_disk))
    for number in range(20):
        provide(tmp_path / "target", bytes([65 + number]) * 100_000)
    disk = os.statvfs(full_disk)
    assert disk.f_bavail >= 0.15 * disk.f_blocks
    assert len(files(full_disk)) >= 5


# --- a model in S3 that is no artifact ---


def test_a_model_in_s3_is_fetched_once_until_its_objects_change(
    s3_environment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = s3_environment.bucket()
    settings = StoreSettings(uri="s3://x", endpoint=s3_environment.endpoint)
    api = S3Clients(settings).api
    api.put_object(Bucket=bucket, Key="models/tiny/config.json", Body=b"{}")
    api.put_object(Bucket=bucket, Key="models/tiny/weights/one", Body=CONTENT)
    uri = f"s3://{bucket}/models/tiny"
    fetched = fetch_s3_folder(uri, settings, tmp_path / "one")
    assert [path.relative_to(tmp_path / "one").as_posix() for path in fetched] == ["config.json", "weights/one"]
    lost = s3_environment.folder / bucket / "models" / "tiny" / "weights" / "one"
    with lost.open("r+b") as stream:
        stream.write(b"X")
    fetch_s3_folder(uri, settings, tmp_path / "two")
    assert (tmp_path / "two" / "weights" / "one").read_bytes() == CONTENT
    api.put_object(Bucket=bucket, Key="models/tiny/weights/one", Body=b"other weights")
    fetch_s3_folder(uri, settings, tmp_path / "three")
    assert (tmp_path / "three" / "weights" / "one").read_bytes() == b"other weights"


# --- many processes ---

OTHER = """
import os, sys
from pathlib import Path
from w2s_jobs.store import cache
from w2s_jobs.store.cache import FileCache
sha, target, content = sys.argv[1], Path(sys.argv[2]), b"weights" * 1000
def download(path):
    path.write_bytes(content[:3000])
    print("begun", flush=True)
    sys.stdin.readline()
    path.write_bytes(content)
{before}
FileCache.of_this_machine().of_store("s3://bucket").provide(sha, len(content), target, download)
print("provided", flush=True)
sys.stdin.readline()
"""
USED_WHERE_IT_IS = "def fail(*_): raise OSError\ncache.os.link, cache._COPIED_BYTES = fail, 1000"


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes that want the same file; a download goes on with the next line of their input."""
    started: list[subprocess.Popen[str]] = []

    def begin(before: str = "") -> subprocess.Popen[str]:
        target = tmp_path / f"target{len(started)}"
        command = [sys.executable, "-c", OTHER.format(before=before), SHA, str(target)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_of_many_processes_one_fetches_and_the_others_wait(
    home: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    first = start()
    assert says(first) == "begun"
    others = [start() for _ in range(3)]
    go_on(first)
    assert [says(process) for process in (first, *others)] == ["provided"] * 4
    assert all((tmp_path / f"target{number}").read_bytes() == CONTENT for number in range(4))
    assert files(home) == [SHA[:8]]


def test_when_the_one_that_fetches_is_killed_another_begins_anew_and_nothing_is_left_of_it(
    home: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    first = start()
    assert says(first) == "begun"
    second = start()
    first.kill()
    assert says(second) == "begun"
    go_on(second)
    assert says(second) == "provided"
    assert (tmp_path / "target1").read_bytes() == CONTENT
    assert files(home) == [SHA[:8]]


def test_what_a_killed_process_left_is_cleared_away_by_a_fetch_of_something_else(
    home: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    first = start()
    assert says(first) == "begun"
    first.kill()
    first.wait()
    assert len(files(home)) == 2
    provide(tmp_path / "other", b"other")
    assert files(home) == [hashlib.sha256(b"other").hexdigest()[:8]]


def test_what_a_live_process_uses_is_not_evicted_until_it_ends(
    home: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = start(USED_WHERE_IT_IS)
    assert says(user) == "begun"
    go_on(user)
    assert says(user) == "provided"
    monkeypatch.setenv("W2S_CACHE_BYTES", "100")
    provide(tmp_path / "one", b"1" * 100)
    assert (tmp_path / "target0").read_bytes() == CONTENT
    user.kill()
    user.wait()
    provide(tmp_path / "two", b"2" * 100)
    assert SHA[:8] not in files(home)
