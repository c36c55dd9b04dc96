"""While bytes travel, whoever watches over a step learns it: a long download is no step that hangs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.labels import GSM8K, Labels, votes_of
from tests.support.s3_server import S3Server
from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import ArtifactRef, Input, StepResult
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store import signs as signs_module
from w2s_jobs.store.cache import FileCache
from w2s_jobs.store.file_lock import sole
from w2s_jobs.store.open import open_store
from w2s_jobs.store.signs import growing

REF = ArtifactRef(kind="train", key="a" * 64)
CONTENT = b"weights" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("W2S_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(signs_module, "LOOK_SECONDS", 0.01)
    return tmp_path / "cache"


def test_one_file_that_travels_to_s3_or_from_it_gives_signs(
    s3_environment: S3Server, home: Path, tmp_path: Path
) -> None:
    given: list[None] = []
    settings = StoreSettings(uri=f"s3://{s3_environment.bucket()}", endpoint=s3_environment.endpoint)
    store = open_store(settings, lambda: given.append(None))
    (tmp_path / "large").write_bytes(b"x" * 40_000_000)

    def signs() -> int:
        found = len(given)
        given.clear()
        return found

    part = store.put_part(REF, "checkpoint", tmp_path / "large")
    assert signs() >= 1
    store.get_part(REF, "checkpoint", tmp_path / "checkpoint")
    assert signs() >= 1
    entry = part.model_copy(update={"name": "large"})
    store.write_result(StepResult(kind=REF.kind, key=REF.key, attempt="1", spec={}, files=(entry,)))
    store.fetch(Input(kind=REF.kind, key=REF.key, file="large"), tmp_path / "inputs")
    assert signs() >= 2, "while it comes, and when it is there"


def grow_until(given: threading.Event, file: Path) -> None:
    for _ in range(1000):
        with file.open("ab") as stream:
            stream.write(b"more")
        if given.wait(0.02):
            return
    pytest.fail("nobody saw that the file grows")


def test_whoever_waits_for_a_file_that_another_fetches_gives_a_sign_when_it_grows(home: Path, tmp_path: Path) -> None:
    given = threading.Event()
    cache = FileCache.of_this_machine(given.set).of_store("s3://bucket")
    incoming = cache.root / "incoming" / f"{SHA}.of-another"
    incoming.parent.mkdir(parents=True)
    with ThreadPoolExecutor(1) as pool:
        with sole(cache.root / "locks" / SHA):
            waiting = pool.submit(cache.provide, SHA, len(CONTENT), tmp_path / "target", pytest.fail)
            grow_until(given, incoming)
            cache.path(SHA).parent.mkdir(parents=True)
            cache.path(SHA).write_bytes(CONTENT)
        waiting.result(50)
    assert (tmp_path / "target").read_bytes() == CONTENT


def test_a_file_that_stands_still_gives_no_sign(home: Path, tmp_path: Path) -> None:
    looked, given = threading.Event(), threading.Event()

    class Folder(type(tmp_path)):  # type: ignore[misc]
        def glob(self, *arguments: Any) -> Any:
            looked.set()
            return super().glob(*arguments)

    (tmp_path / "still").write_bytes(CONTENT)
    with growing(Folder(tmp_path), "still", given.set):
        for _ in range(3):
            looked.clear()
            assert looked.wait(50)
        assert not given.is_set()
        grow_until(given, tmp_path / "still")


RECORDING = """
import sys
from w2s_jobs.__main__ import main
from w2s_jobs.watchdog import Watchdog
feed = Watchdog.feed
def recorded(self):
    print("fed by", sys._getframe(1).f_globals["__name__"], flush=True)
    feed(self)
Watchdog.feed = recorded
sys.exit(main(sys.argv[1:]))
"""


def test_the_watchdog_of_a_step_is_fed_by_the_bytes_of_its_inputs(
    s3_environment: S3Server, home: Path, tmp_path: Path
) -> None:
    bench = Bench(tmp_path)
    bench.settings = StoreSettings(uri=f"s3://{s3_environment.bucket()}", endpoint=s3_environment.endpoint)
    bench.store = open_store(bench.settings)
    labels = Labels(bench)
    votes = labels.votes(votes_of({"a": "4"}))
    spec = bench.spec("partition", GSM8K, {"weak": [votes], "strong": [votes], "questions": [labels.questions(["a"])]})
    (tmp_path / "spec.json").write_text(spec.model_dump_json(by_alias=True))
    command = [sys.executable, "-c", RECORDING, "partition", "--spec", str(tmp_path / "spec.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "fed by w2s_jobs.store.s3_client" in done.stdout
