"""A proxy between a controller and the API server that makes the network and the server fail as a test wants.

with ApiProxy(plane) as proxy:
    proxy.cut_after_write(3)          # the third write from now happens, but its answer never comes
    run_controller(proxy.kubeconfig)
"""

from __future__ import annotations

import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.api_relay import Answer, ApiRequest, Cut, Relay
from tests.support.control_plane import ControlPlane

__all__ = ["ApiProxy", "ApiRequest"]

_UNCOUNTED = frozenset({"leases"})
"""Writes of these come by the clock, so they are not counted as the k-th write"""

Event = dict[str, Any]


@dataclass
class _Fault:
    answer: Answer
    verb: str
    resource: str
    times: int

    def hits(self, request: ApiRequest) -> bool:
        return self.times > 0 and self.verb in ("", request.verb) and self.resource in ("", request.resource)


class ApiProxy:
    """Listens on `url`. Requests with a token keep it; those without are the administrator's.

    Every fault holds for what comes after it was asked for. `heal` ends them all.
    """

    def __init__(self, plane: ControlPlane) -> None:
        pki = plane.folder / "pki"
        as_bearer = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        as_admin = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        as_admin.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self._relay = Relay(("127.0.0.1", plane.port), as_bearer, as_admin, self)
        self._thread = threading.Thread(target=self._relay.serve_forever, args=(0.02,), daemon=True)
        self._changed = threading.Condition()
        self._plane = plane
        self._ended = threading.Event()
        self.requests: Counter[tuple[str, str]] = Counter()
        """how many came by (verb, resource); verbs are those of RBAC, an apply is a `patch`"""
        self.tokens: list[str] = []
        """Authorization headers in the order in which they changed"""
        self.watches: list[ApiRequest] = []
        """watches that were asked for, with the version from which"""
        self.writes: list[ApiRequest] = []
        """writes that came, but for those of Leases"""
        self.has_cut = threading.Event()
        """set when the cut that was asked for has happened"""
        self._reset()

    def _reset(self) -> None:
        self._faults: list[_Fault] = []
        self._cut: tuple[int, Cut, bool] | None = None
        self._down = False
        self._hung: set[tuple[str, str]] = set()
        self._change: dict[str, Callable[[Event], Iterable[Event]]] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._relay.shutdown()
        self._relay.break_everything()
        self._relay.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._relay.server_address[1]}"

    @property
    def kubeconfig(self) -> Path:
        """Credentials of a cluster administrator, through the proxy."""
        path = self._plane.folder / f"kubeconfig-proxy-{self._relay.server_address[1]}"
        cluster = {"name": "proxy", "cluster": {"server": self.url}}
        context = {"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}
        content = {"apiVersion": "v1", "kind": "Config", "current-context": "proxy", "clusters": [cluster]}
        path.write_text(json.dumps({**content, "contexts": [context], "users": [{"name": "proxy", "user": {}}]}))
        return path

    def kubeconfig_for(self, namespace: str, service_account: str) -> Path:
        """Credentials of a service account, through the proxy."""
        return self._plane.kubeconfig_for(namespace, service_account, self.url)

    def cut_after_write(self, count: int, *, stay_down: bool = False) -> None:
        """Let the `count`-th write (from 1) happen and close the connection without its answer."""
        self._cut_at(count, Cut(forward_first=True), stay_down)

    def cut_before_write(self, count: int, *, stay_down: bool = False) -> None:
        """Close the connection of the `count`-th write (from 1) before the API server gets it."""
        self._cut_at(count, Cut(forward_first=False), stay_down)

    def go_down(self) -> None:
        """Close every connection, and each new one at its first request."""
        with self._changed:
            self._down = True
        self._relay.break_everything()

    def fail(
        self, status: int, *, verb: str = "", resource: str = "", times: int = 1, retry_after: int | None = None
    ) -> None:
        """Answer `status` to the next `times` requests of this verb and resource (any where not given)."""
        with self._changed:
            headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
            self._faults.append(_Fault(Answer(status, _status(status), headers), verb, resource, times))

    def hang(self, verb: str, resource: str) -> None:
        """Take such requests and never answer."""
        with self._changed:
            self._hung.add((verb, resource))

    def change_events(self, resource: str, change: Callable[[Event], Iterable[Event]]) -> None:
        """Put what `change` makes of each event of a watch of `resource` in its place."""
        with self._changed:
            self._change[resource] = change

    def drop_events(self, resource: str) -> None:
        """Let no event of `resource` through, as if it had never been; bookmarks go on."""
        self.change_events(resource, lambda event: [event] if event["type"] == "BOOKMARK" else [])

    def repeat_events(self, resource: str, times: int = 2) -> None:
        """Send the last few events again after each event, oldest first."""
        last: list[Event] = []

        def again(event: Event) -> list[Event]:
            last.append(event)
            del last[:-times]
            return [event, *last]

        self.change_events(resource, again)

    def delay_events(self, resource: str, seconds: float) -> None:
        """Hold each event back for `seconds`."""

        def later(event: Event) -> list[Event]:
            self._ended.wait(seconds)
            return [event]

        self.change_events(resource, later)

    def break_watches(self, resource: str = "") -> None:
        """Close the connections of open watches in the middle."""
        for watch in self._open(resource):
            watch.break_off()

    def expire_watches(self, resource: str = "") -> None:
        """End open watches with 410: what they were to tell of next is gone. Waits until one is open."""
        with self._changed:
            open_now = self._changed.wait_for(lambda: self._open(resource), 60)
        assert open_now, f"no watch of {resource} came in 60 s"
        for watch in open_now:
            watch.expire(_status(410))

    def heal(self) -> None:
        """End every fault."""
        with self._changed:
            self._reset()

    def wait_for(self, verb: str, resource: str, count: int, timeout: float = 60) -> None:
        """Wait until `count` requests of a kind have come since the start."""
        with self._changed:
            came = self._changed.wait_for(lambda: self.requests[verb, resource] >= count, timeout)
        assert came, f"{self.requests[verb, resource]} of {count} requests to {verb} {resource} came in {timeout} s"

    def judge(self, request: ApiRequest) -> Answer | Cut | None:
        """Count a request and decide what becomes of it."""
        with self._changed:
            self.requests[request.verb, request.resource] += 1
            if request.authorization and self.tokens[-1:] != [request.authorization]:
                self.tokens.append(request.authorization)
            if request.verb == "watch":
                self.watches.append(request)
            counts = request.is_write and request.resource not in _UNCOUNTED
            if counts:
                self.writes.append(request)
            self._changed.notify_all()
            hangs = (request.verb, request.resource) in self._hung
            if self._down:
                return Cut(forward_first=False)
            for fault in self._faults:
                if fault.hits(request):
                    fault.times -= 1
                    return fault.answer
            if not hangs:
                return self._cut_now() if counts else None
        self._ended.wait()
        return Cut(forward_first=False)

    def events(self, request: ApiRequest, event: Event) -> Iterable[Event]:
        """Return what goes to the client in place of an event."""
        with self._changed:
            change = self._change.get(request.resource)
        return change(event) if change else [event]

    def watch_opened(self) -> None:
        """Wake those who wait for a watch."""
        with self._changed:
            self._changed.notify_all()

    def _cut_at(self, count: int, cut: Cut, stay_down: bool) -> None:
        with self._changed:
            self.has_cut.clear()
            self._cut = (len(self.writes) + count, cut, stay_down)

    def _cut_now(self) -> Cut | None:
        if self._cut is None or len(self.writes) < self._cut[0]:
            return None
        _, cut, self._down = self._cut
        self._cut = None
        self.has_cut.set()
        return cut

    def _open(self, resource: str) -> list[Any]:
        return [watch for watch in list(self._relay.watches) if resource in ("", watch.request.resource)]


def _status(code: int) -> dict[str, Any]:
    reasons = {409: "Conflict", 410: "Expired", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
    reason = reasons.get(code, "Unknown")
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**status, "message": f"the test's proxy answers {code}", "reason": reason, "code": code}
