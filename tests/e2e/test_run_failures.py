"""What can go wrong outside: one clear error, the right exit code, nothing published."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest


def gsm8k(manifest: dict, folder: Path, lines: list[str]) -> dict:
    """Make the manifest read GSM8K records from a folder."""
    folder.mkdir()
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "test.jsonl").write_text("\n".join(record(i) for i in range(100, 140)) + "\n")
    spec = manifest["spec"]
    spec["task"] = {"family": "gsm8k"}
    spec["dataset"] = {
        "source": {"path": str(folder)},
        "splits": {"pretrain": 20, "labelled": 20, "unlabelled": 20, "test": 20},
    }
    return manifest


def record(number: int) -> str:
    return json.dumps({"question": f"What is {number} plus 1?", "answer": f"It is {number + 1}.\n#### {number + 1}"})


def assert_one_clear_error(printed: str) -> None:
    """Each failed attempt says one thing, and nobody is shown a traceback."""
    assert "Traceback" not in printed
    attempts = printed.count("failed    ") + printed.count("retrying  ")
    assert 0 < printed.count("error: ") == attempts, printed


def test_a_broken_line_names_its_file_and_line_and_is_not_tried_again(fresh, manifest, tmp_path):
    lines = [record(i) for i in range(80)]
    lines[6] = '{"question": "What is'
    fresh.write(gsm8k(manifest(), tmp_path / "data", lines))
    done = fresh.run()
    assert done.returncode == 42, done.stdout
    assert "train.jsonl" in done.stdout
    assert "line 7" in done.stdout or "train.jsonl:7" in done.stdout
    assert "retrying" not in done.stdout
    assert_one_clear_error(done.stdout)
    assert [path for path in fresh.results() if path.parts[-3] not in ("prepare",)] == []


def test_a_wrong_checksum_of_a_data_file_is_refused_before_anything_runs(fresh, manifest, tmp_path):
    changed = gsm8k(manifest(), tmp_path / "data", [record(i) for i in range(80)])
    changed["spec"]["dataset"]["source"]["sha256"] = {"train.jsonl": "0" * 64, "test.jsonl": "0" * 64}
    fresh.write(changed)
    done = fresh.run()
    assert done.returncode == 42, done.stdout
    assert "spec.dataset.source.sha256" in done.stdout
    assert "0" * 64 in done.stdout
    assert fresh.results() == {}


def test_a_missing_model_is_refused_before_anything_runs(fresh, manifest):
    changed = manifest()
    changed["spec"]["models"]["weak"] = {"source": {"path": "no/such/model"}, "template": {"name": "direct"}}
    fresh.write(changed)
    done = fresh.run()
    assert done.returncode == 42, done.stdout
    assert "spec.models.weak.source.path" in done.stdout
    assert "no/such/model" in done.stdout
    assert fresh.results() == {}


def test_a_corrupted_artifact_is_found_by_its_reader_and_named(finished):
    keys = {name: key for key, name in finished.plan_keys().items()}
    store = finished.folder / ".w2s" / "store"
    gold = store / "prepare" / keys["prepare test gold"]
    (data,) = gold.glob("attempts/*/examples.parquet")
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    for kind, name in (("evaluate", "evaluate weak/seed0"), ("report", "report")):
        (store / kind / keys[name] / "result.json").unlink()
    done = finished.run()
    assert done.returncode == 42, done.stdout
    assert "examples.parquet" in done.stdout
    assert keys["prepare test gold"][:12] in done.stdout
    assert_one_clear_error(done.stdout)
    assert not (store / "evaluate" / keys["evaluate weak/seed0"] / "result.json").exists()


def full_disk() -> None:
    """Let no file grow beyond 4 kB from here on; writing on fails as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))


def test_a_full_disk_is_named_tried_again_and_publishes_nothing_half(fresh):
    done = fresh.run(preexec_fn=full_disk)
    assert done.returncode == 43, done.stdout
    assert "no space left" in done.stdout
    assert "retrying" in done.stdout
    assert_one_clear_error(done.stdout)
    for result in fresh.results():
        for entry in json.loads(result.read_text())["files"]:
            assert (result.parent / entry["path"]).stat().st_size == entry["size"]


def test_an_unreachable_store_is_named(fresh):
    fresh.store = "s3://bucket/prefix"
    fresh.environment |= {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    done = fresh.run()
    assert done.returncode == 43, done.stdout
    assert "127.0.0.1:9" in done.stdout
    assert "Traceback" not in done.stdout


def test_missing_credentials_are_named(fresh):
    fresh.store = "s3://bucket/prefix"
    fresh.environment |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(fresh.folder)}
    done = fresh.run()
    assert done.returncode == 42, done.stdout
    assert "credentials" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("text", ["", "{", "apiVersion: w2s.dev/v1alpha1\nkind: Other\n"])
def test_a_file_that_is_no_manifest_is_refused(fresh, text):
    fresh.file.write_text(text)
    done = fresh.w2s("run")
    assert done.returncode == 42, done.stdout
    assert "experiment.yaml" in done.stdout
    assert "Traceback" not in done.stdout
