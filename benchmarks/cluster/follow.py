"""Watches that read a clock: when a Job is there, when it is complete, when an experiment has succeeded.

Lines are searched, not parsed, for two cores carry everything. What is noted is when this process read the event.
"""

from __future__ import annotations

import http.client
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator

from benchmarks.cluster.load import NAMESPACE, Load
from controller.kube.resource import Resource
from tests.support.control_plane import ControlPlane

__all__ = ["Progress", "follow", "name_of_job"]

_CHUNK = 1 << 18
_JOB = re.compile(rb'"metadata":\{"name":"(w2s-[a-z]+-[0-9a-f-]+)"')
_EXPERIMENT = re.compile(rb'"name":"(bench-\d{5,})"')
_COMPLETE = b'"type":"Complete","status":"True"'
_SUCCEEDED = b'"status":"True","type":"Succeeded"'


class Progress:
    """When what was seen. Seconds of the monotonic clock, by name of Job or experiment."""

    def __init__(self, load: Load) -> None:
        self.created: dict[str, float] = {}
        self.completed: dict[str, float] = {}
        self.succeeded: dict[str, float] = {}
        self._load = load
        self._changed = threading.Condition()

    def job(self, line: bytes) -> None:
        """Note what an event says of a Job; the result of a new one is written at once."""
        now = time.monotonic()
        name = name_of_job(line)
        if name is None:
            return
        if name not in self.created:
            self._load.write(name)
            self.created[name] = now
            self._tell()
        if name not in self.completed and _COMPLETE in line:
            self.completed[name] = now

    def experiment(self, line: bytes) -> None:
        """Note an experiment that has succeeded."""
        if _SUCCEEDED in line and (found := _EXPERIMENT.search(line)):
            self.succeeded.setdefault(found[1].decode(), time.monotonic())
            self._tell()

    def wait(self, what: str, is_so: Callable[[], bool], seconds: float) -> None:
        """Wait until something is so."""
        with self._changed:
            if not self._changed.wait_for(is_so, seconds):
                raise TimeoutError(
                    f"{what}: not in {seconds:g} s; {len(self.created)} Jobs created, {len(self.completed)} complete, "
                    f"{len(self.succeeded)} experiments succeeded"
                )

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()


def follow(plane: ControlPlane, resource: Resource, take: Callable[[bytes], None]) -> None:
    """Give each event of the benchmark's namespace to `take`, in a thread that ends with the API server."""
    lines = _lines(plane, f"{resource.path(NAMESPACE)}?watch=true&timeoutSeconds=3600")
    threading.Thread(target=lambda: [take(line) for line in lines], daemon=True).start()


def name_of_job(line: bytes) -> str | None:
    """Read the name of the Job that an event tells of."""
    found = _JOB.search(line)
    return found[1].decode() if found else None


def _lines(plane: ControlPlane, path: str) -> Iterator[bytes]:
    response = _open(plane, path)
    rest = b""
    try:
        while chunk := response.read1(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
    except (OSError, http.client.HTTPException):  # the API server has ended
        return


def _open(plane: ControlPlane, path: str) -> http.client.HTTPResponse:
    """Send the request, again where a definition is so new that the API server has not got its storage ready."""
    for _ in range(100):
        connection = connect(plane)
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        if response.status == 200:
            return response
        answer = response.read()
        connection.close()
        if response.status != 429:
            break
        time.sleep(0.1)
    raise AssertionError(f"GET {path}: {answer.decode()}")


def connect(plane: ControlPlane) -> http.client.HTTPSConnection:
    """Open a connection as the administrator."""
    context = ssl.create_default_context(cafile=str(plane.folder / "pki" / "ca.crt"))
    context.load_cert_chain(plane.folder / "pki" / "admin.crt", plane.folder / "pki" / "admin.key")
    return http.client.HTTPSConnection("127.0.0.1", plane.port, context=context)
