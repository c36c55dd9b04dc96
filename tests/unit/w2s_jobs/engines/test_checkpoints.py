"""A checkpoint is complete or it is passed over."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.steps import Execution, StepSpec, StoreSettings
from w2s_jobs.engines.checkpoints import complete_checkpoint, fetch_newest_checkpoint, store_files
from w2s_jobs.store.folder import FolderStore

PLAIN = "plain PyTorch"


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    spec = StepSpec(
        kind="train",
        key="0" * 64,
        params={},
        store=StoreSettings(uri=(tmp_path / "store").as_uri()),
        execution=Execution(work_dir=str(tmp_path / "work")),
    )
    return StepContext(spec, FolderStore(tmp_path / "store"), threading.Event())


def save(context: StepContext, tmp_path: Path, step: int, layout: str = PLAIN) -> None:
    folder = tmp_path / f"checkpoint-{step}"
    (folder / "rank").mkdir(parents=True)
    (folder / "weights").write_bytes(b"w" * step)
    (folder / "rank" / "optimizer").write_text(f"optimizer of step {step}")
    complete_checkpoint(context, step, layout, store_files(context, folder, step))


def part(context: StepContext, name: str) -> Path:
    return next(Path(context.spec.store.uri.removeprefix("file://")).rglob(f"parts/checkpoints/{name}"))


def test_what_was_stored_is_fetched(context: StepContext, tmp_path: Path):
    save(context, tmp_path, 7)
    fetched = fetch_newest_checkpoint(context, PLAIN, tmp_path / "fetched")
    assert fetched is not None
    assert sorted(path.relative_to(fetched).as_posix() for path in fetched.rglob("*") if path.is_file()) == [
        "rank/optimizer",
        "weights",
    ]
    assert (fetched / "rank" / "optimizer").read_text() == "optimizer of step 7"


def test_there_is_none_before_the_first(context: StepContext, tmp_path: Path):
    assert fetch_newest_checkpoint(context, PLAIN, tmp_path / "fetched") is None


def test_older_ones_are_deleted_once_a_newer_one_is_complete(context: StepContext, tmp_path: Path):
    save(context, tmp_path, 7)
    save(context, tmp_path, 12)
    assert {name.split("/")[1] for name in context.store.list_parts(context.ref)} == {"step-000012"}


@pytest.mark.parametrize("broken", ["missing manifest", "unreadable manifest", "missing file", "changed file"])
def test_a_broken_one_is_passed_over_for_the_one_before(
    context: StepContext, tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
):
    save(context, tmp_path, 7)
    kept = {name: part(context, name.removeprefix("checkpoints/")) for name in context.store.list_parts(context.ref)}
    saved = {name: path.read_bytes() for name, path in kept.items()}
    save(context, tmp_path, 12)
    for name, content in saved.items():  # the older one as it was before the newer one replaced it
        kept[name].parent.mkdir(parents=True, exist_ok=True)
        kept[name].write_bytes(content)
    damage = {
        "missing manifest": lambda: part(context, "step-000012/manifest.json").unlink(),
        "unreadable manifest": lambda: part(context, "step-000012/manifest.json").write_text("{"),
        "missing file": lambda: part(context, "step-000012/weights").unlink(),
        "changed file": lambda: part(context, "step-000012/weights").write_bytes(b"x" * 12),
    }
    damage[broken]()
    fetched = fetch_newest_checkpoint(context, PLAIN, tmp_path / "fetched")
    assert fetched is not None
    assert (fetched / "weights").read_bytes() == b"w" * 7
    assert "step-000012 is passed over" in caplog.text


def test_another_layout_cannot_go_on_from_it(context: StepContext, tmp_path: Path):
    save(context, tmp_path, 7, "ZeRO stage 2 on 2 ranks")
    assert fetch_newest_checkpoint(context, PLAIN, tmp_path / "fetched") is None
