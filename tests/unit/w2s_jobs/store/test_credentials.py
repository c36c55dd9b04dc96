"""Credentials that are rotated while a process runs: the store that it has open goes on with the new ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.s3_server import S3Server
from tests.support.token_service import TokenService
from w2s_jobs.contracts.artifact import ArtifactRef, StepResult
from w2s_jobs.contracts.errors import DependencyError, InputError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.open import open_store
from w2s_jobs.store.protocol import ArtifactStore

REF = ArtifactRef(kind="grade", key="e" * 64)
WRONG = "wrong-secret-of-old"


@pytest.fixture
def server(s3_environment: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """A server whose credentials are not in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    return s3_environment


def credentials_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))

    def rotate(key_id: str, secret: str) -> None:
        text = f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
        (folder / "credentials").write_text(text)

    return rotate


def mounted_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """A Secret as the kubelet mounts it: files that are links into a folder, which is exchanged at once."""
    monkeypatch.setenv("W2S_CREDENTIALS", str(folder))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-environment-which-nobody-can-rotate")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", WRONG)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (folder / name).symlink_to(f"..data/{name}")

    def rotate(key_id: str, secret: str) -> None:
        version = folder / f"..{len(list(folder.iterdir()))}"
        version.mkdir()
        (version / "AWS_ACCESS_KEY_ID").write_text(key_id)
        (version / "AWS_SECRET_ACCESS_KEY").write_text(f"{secret}\n")
        (folder / "..new").symlink_to(version.name)
        (folder / "..new").rename(folder / "..data")

    return rotate


@pytest.mark.parametrize("kept_in", [credentials_file, mounted_secret])
def test_a_store_that_is_open_follows_the_credentials_of_its_files(
    server: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept_in: Callable[..., Callable[[str, str], None]],
) -> None:
    (tmp_path / "credentials").mkdir()
    rotate = kept_in(tmp_path / "credentials", monkeypatch)
    rotate(server.access_key, WRONG)
    store = open_store(StoreSettings(uri=f"s3://{server.bucket()}", endpoint=server.endpoint))
    refused(store)

    rotate(server.access_key, server.secret_key)
    works(store, tmp_path)

    rotate(server.access_key, WRONG)
    refused(store)
    rotate(server.access_key, server.secret_key)
    works(store, tmp_path)


def test_files_that_are_gone_for_a_moment_leave_the_last_credentials_in_force(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate = credentials_file(tmp_path, monkeypatch)
    rotate(server.access_key, server.secret_key)
    store = open_store(StoreSettings(uri=f"s3://{server.bucket()}", endpoint=server.endpoint))
    works(store, tmp_path)
    (tmp_path / "credentials").unlink()
    works(store, tmp_path)


def test_a_web_identity_is_shown_as_its_file_has_it_now(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("token of the first hour")
    known = {"token of the first hour": WRONG, "token of the second hour": server.secret_key}
    with TokenService(server.access_key, known) as service:
        for name, value in service.environment(token).items():
            monkeypatch.setenv(name, value)
        store = open_store(StoreSettings(uri=f"s3://{server.bucket()}", endpoint=server.endpoint))
        refused(store)
        token.write_text("token of the second hour")
        works(store, tmp_path)


def web_identity(service: TokenService, token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token.write_text("a token")
    for name, value in {**service.environment(token), "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)


# What botocore raises passes through the CRT, which prints it and goes on.
printed_by_the_crt = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@printed_by_the_crt
def test_a_token_service_that_is_away_is_waited_for_by_small_requests_and_large_ones(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(StoreSettings(uri=f"s3://{server.bucket()}", endpoint=server.endpoint))
    with TokenService(server.access_key, {"a token": server.secret_key}) as service:
        web_identity(service, tmp_path / "token", monkeypatch)
        works(store, tmp_path)
    for tried in (lambda: store.read_result(REF), lambda: store.put(REF, "2", "large", tmp_path / "large")):
        with pytest.raises(DependencyError, match="cannot be reached: Could not connect to the endpoint URL"):
            tried()


@printed_by_the_crt
def test_a_token_that_is_refused_is_an_input_error_of_small_requests_and_large_ones(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(StoreSettings(uri=f"s3://{server.bucket()}", endpoint=server.endpoint))
    (tmp_path / "large").write_bytes(b"x" * 9_000_000)
    with TokenService(server.access_key, {}) as service:
        web_identity(service, tmp_path / "token", monkeypatch)
        for tried in (lambda: store.read_result(REF), lambda: store.put(REF, "1", "large", tmp_path / "large")):
            with pytest.raises(InputError, match="refused the credentials"):
                tried()


@printed_by_the_crt
def test_without_credentials_a_large_request_is_an_input_error(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    (tmp_path / "large").write_bytes(b"x" * 9_000_000)
    with pytest.raises(InputError, match="no usable credentials: Unable to locate credentials"):
        open_store(StoreSettings(uri="s3://bucket", endpoint=server.endpoint)).put(
            REF, "1", "large", tmp_path / "large"
        )


def refused(store: ArtifactStore) -> None:
    with pytest.raises(InputError, match="refused the credentials") as caught:
        store.read_result(REF)
    assert WRONG not in str(caught.value)


def works(store: ArtifactStore, folder: Path) -> None:
    """Small requests go through botocore, large files through the CRT."""
    (folder / "large").write_bytes(b"x" * 9_000_000)
    entry = store.put(REF, "1", "large", folder / "large")
    store.write_result(StepResult(kind=REF.kind, key=REF.key, attempt="1", spec={}, files=(entry,)))
    assert store.read_result(REF) is not None
