"""A dataset on the hub that cannot be had: a server on this machine answers as the hub does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

from w2s_jobs.contracts.errors import DependencyError, InputError, JobError
from w2s_jobs.contracts.settings import DatasetSource
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.sources import find_source_file

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Refusing(BaseHTTPRequestHandler):
    """Answers every request with the status and error code that the path's repository is named after."""

    def do_HEAD(self) -> None:
        status, _, code = self.path.split("/")[3].partition("-")
        self.send_response(int(status))
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD  # noqa: N815  the base class calls it by this name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        template = f"http://127.0.0.1:{server.server_port}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        yield
        server.shutdown()


def find(name: str, tmp_path: Path) -> Path:
    source = DatasetSource.model_validate({"hub": {"name": name, "revision": REVISION}, "train": "train.jsonl"})
    return find_source_file(source, "train.jsonl", (), tmp_path, StoreSettings(uri="file:///nowhere"))


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        (
            "org/404-RevisionNotFound",
            InputError,
            f"has no revision {REVISION}; give the commit hash of one that exists",
        ),
        ("org/404-RepoNotFound", InputError, "does not exist or is gated; check the name, or set HF_TOKEN"),
        ("org/403-GatedRepo", InputError, "does not exist or is gated; check the name, or set HF_TOKEN"),
        ("org/404-EntryNotFound", InputError, "no file train.jsonl; name the file"),
        ("org/403", DependencyError, "the hub cannot be reached and train.jsonl is not cached"),
        ("not/a/name", InputError, "hub dataset not/a/name: "),
    ],
)
@pytest.mark.usefixtures("hub")
def test_a_file_that_the_hub_refuses_is_one_clear_error(
    tmp_path: Path, name: str, kind: type[JobError], message: str
) -> None:
    with pytest.raises(kind) as refused:
        find(name, tmp_path)
    assert message in str(refused.value)
