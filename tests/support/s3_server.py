"""A real S3 server (versitygw) over a folder, for the tests of the store."""

from __future__ import annotations

import json
import lzma
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3

_ACCESS = "access.log"


@dataclass(frozen=True)
class S3Server:
    """A running server."""

    endpoint: str
    folder: Path
    access_key: str = "w2s-tests"
    secret_key: str = "not-a-secret-" + "0" * 8
    notes: Path | None = None
    """folder of the users, and of what was asked"""
    stop: Callable[[], None] = field(default=lambda: None, compare=False)
    """ends the server at once"""
    start: Callable[[], None] = field(default=lambda: None, compare=False)
    """starts it again at the same address"""

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let nobody answer until the block ends."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def environment(self) -> dict[str, str]:
        """The variables in which boto3 looks for credentials."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def add_user(self, binary: Path, name: str, bucket: str) -> S3Server:
        """Make a user with a bucket, who is let at nothing else; return the server as it is to that user.

        The server must have been started with a folder for notes.
        """
        user = replace(self, access_key=name, secret_key=f"not-a-secret-of-{name}")
        self._administer(binary, "create-user", f"--access={name}", f"--secret={user.secret_key}", "--role=user")
        self._administer(binary, "create-bucket", f"--bucket={bucket}", f"--owner={name}")
        return user

    def add_guest(self, binary: Path, name: str, owner: S3Server, bucket: str) -> S3Server:
        """Make a user who is let at the bucket of another, as that one may be."""
        guest = replace(self, access_key=name, secret_key=f"not-a-secret-of-{name}")
        self._administer(binary, "create-user", f"--access={name}", f"--secret={guest.secret_key}", "--role=user")
        whole = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        allowed = {"Effect": "Allow", "Principal": {"AWS": [name]}, "Action": "s3:*", "Resource": whole}
        owner.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [allowed]}))
        return guest

    def remove_user(self, binary: Path, name: str) -> None:
        """Let a user at nothing any more."""
        self._administer(binary, "delete-user", f"--access={name}")

    def _administer(self, binary: Path, *command: str) -> None:
        keys = (f"--access={self.access_key}", f"--secret={self.secret_key}", f"--endpoint-url={self.endpoint}")
        done = subprocess.run([str(binary), "admin", *keys, *command], check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    def client(self) -> Any:
        """Return a client with the keys of this user."""
        keys = {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)

    def requests(self, who: str, what: str = "") -> list[str]:
        """Return the requests of a user that begin with `what`, such as `s3_GetObject models/tiny/config.json`."""
        assert self.notes is not None
        lines = [line.split() for line in (self.notes / _ACCESS).read_text().splitlines()]
        found = [" ".join(words[7:9]) for words in lines if words[5:6] == [who]]
        return [request for request in found if request.startswith(what)]

    def bucket(self) -> str:
        """Make a new bucket: a folder, as far as this server is concerned."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        (self.folder / name).mkdir()
        return name


def find_binary(shared: Path, unpack_to: Path) -> Path | None:
    """Return the server's program: on PATH, in KUBEBUILDER_ASSETS, or packed in the shared folder."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / "versitygw").is_file():
        return Path(assets) / "versitygw"
    if found := shutil.which("versitygw"):
        return Path(found)
    packed = shared / "versitygw.xz"
    if not packed.is_file():
        return None
    # One unpacking for all test processes of a run: the rename makes it appear at once.
    target = unpack_to / "versitygw"
    if not target.exists():
        incoming = target.with_name(f"versitygw.{uuid.uuid4().hex}")
        with lzma.open(packed) as source, incoming.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        incoming.chmod(0o755)
        incoming.rename(target)
    return target


@contextmanager
def start_server(
    binary: Path, folder: Path, address: str = "127.0.0.1", notes: Path | None = None
) -> Iterator[S3Server]:
    """Run a server on a free port of an address of this machine until the block ends; `notes`: a folder for users."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port = probe.getsockname()[1]
    server = S3Server(endpoint=f"http://{address}:{port}", folder=folder, notes=notes)
    environment = {**os.environ, "ROOT_ACCESS_KEY": server.access_key, "ROOT_SECRET_KEY": server.secret_key}
    keeping = [f"--iam-dir={notes}", f"--access-log={notes / _ACCESS}"] if notes else []
    command = [str(binary), "--quiet", f"--port={address}:{port}", *keeping, "posix", str(folder)]
    processes: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        quiet = subprocess.DEVNULL
        processes.append(subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet))
        _wait_until_it_answers(server.endpoint, processes[-1])

    def stop() -> None:
        processes[-1].kill()
        processes[-1].wait()

    server = replace(server, start=start, stop=stop)
    try:
        start()
        yield server
    finally:
        processes[-1].terminate()
        processes[-1].wait(timeout=10)


def _wait_until_it_answers(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(2000):
        if process.poll() is not None:
            raise RuntimeError(f"the S3 server ended with {process.returncode}")
        try:
            urllib.request.urlopen(endpoint, timeout=1).close()
        except urllib.error.HTTPError:
            return  # it answers, if only to refuse
        except OSError:
            _rest(process)
        else:
            return
    raise RuntimeError("the S3 server does not answer")


def _rest(process: subprocess.Popen[bytes]) -> None:
    """Give the server a moment, or notice that it ended."""
    try:
        process.wait(timeout=0.02)
    except subprocess.TimeoutExpired:
        return
