"""Stores that fail: one clear error, the right class, nothing half-written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from w2s_jobs.contracts.artifact import ArtifactRef, StepResult
from w2s_jobs.contracts.errors import DependencyError, InputError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.open import open_store

REF = ArtifactRef(kind="grade", key="c" * 64)
RESULT = StepResult(kind=REF.kind, key=REF.key, attempt="1", spec={}, files=())


def test_an_unreachable_endpoint_is_a_dependency_error(s3_environment: Any) -> None:
    store = open_store(StoreSettings(uri="s3://bucket", endpoint="http://127.0.0.1:9"))
    with pytest.raises(DependencyError, match=r"s3://bucket/grade/.* \(http://127.0.0.1:9\) cannot be reached"):
        store.read_result(REF)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_bad_credentials_are_an_input_error_that_says_what_to_set(
    s3_environment: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "wrong")
    store = open_store(StoreSettings(uri=f"s3://{s3_environment.bucket()}", endpoint=s3_environment.endpoint))
    with pytest.raises(InputError, match=r"refused the credentials .* set AWS_ACCESS_KEY_ID"):
        store.write_result(RESULT)


def test_no_credentials_are_an_input_error(s3_environment: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    store = open_store(StoreSettings(uri="s3://bucket", endpoint=s3_environment.endpoint))
    with pytest.raises(InputError, match="no usable credentials"):
        store.read_result(REF)


def test_a_bucket_that_does_not_exist_is_an_input_error(s3_environment: Any) -> None:
    store = open_store(StoreSettings(uri="s3://no-such-bucket", endpoint=s3_environment.endpoint))
    with pytest.raises(InputError, match="the bucket does not exist; create it"):
        store.write_result(RESULT)


def test_a_full_disk_is_a_dependency_error_and_leaves_nothing(tmp_path: Path, full_disk: Path) -> None:
    store = open_store(StoreSettings(uri=f"file://{full_disk}"))
    source = tmp_path / "big"
    source.write_bytes(b"x" * 2_000_000)
    with pytest.raises(DependencyError, match=r"no space left at .* free some space"):
        store.put(REF, "1", "big", source)
    assert not [path for path in full_disk.rglob("*") if path.is_file()]
