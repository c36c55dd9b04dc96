"""Passes HTTP requests on to an API server over TLS, watches line by line, and asks a judge what to do with each."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

__all__ = ["Answer", "ApiRequest", "Cut", "Judge", "OpenWatch", "Relay"]

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_SHORT_LIVED = frozenset({"connection", "host", "transfer-encoding", "content-length", "accept-encoding", "keep-alive"})


@dataclass(frozen=True)
class ApiRequest:
    """A request as RBAC would name it."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    authorization: str = ""
    resource_version: str = ""
    """where a watch starts"""

    @property
    def is_write(self) -> bool:
        return self.verb in _VERBS.values()

    @classmethod
    def of(cls, method: str, target: str, authorization: str = "") -> ApiRequest:
        url = urlsplit(target)
        parts = [part for part in url.path.split("/") if part]
        parts = parts[3:] if parts[:1] == ["apis"] else parts[2:] if parts[:1] == ["api"] else []
        namespace = ""
        if len(parts) > 2 and parts[0] == "namespaces":
            namespace, parts = parts[1], parts[2:]
        resource, name, subresource = (*parts, "", "", "")[:3]
        query = parse_qs(url.query)
        if method == "GET":
            watches = query.get("watch", [""])[0] in ("1", "true")
            verb = "watch" if watches else "get" if name or not resource else "list"
        else:
            verb = _VERBS.get(method, method.lower())
        version = query.get("resourceVersion", [""])[0]
        return cls(verb, resource, namespace, name, subresource, authorization, version)


@dataclass(frozen=True)
class Answer:
    """Answer this instead of the API server."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """Close the connection without an answer."""

    forward_first: bool
    """whether the API server gets the request before"""


class Judge(Protocol):
    """Decides about requests and events. Called by many threads."""

    def judge(self, request: ApiRequest) -> Answer | Cut | None: ...
    def events(self, request: ApiRequest, event: dict[str, Any]) -> Iterable[dict[str, Any]]: ...
    def watch_opened(self) -> None: ...


class OpenWatch:
    """A watch on its way through the relay; another thread may speak into it or end it."""

    def __init__(self, request: ApiRequest, client: socket.socket, upstream: socket.socket) -> None:
        self.request = request
        self._client = client
        self._upstream = upstream
        self._lock = threading.Lock()

    def send(self, event: dict[str, Any]) -> None:
        line = json.dumps(event).encode() + b"\n"
        with self._lock:
            self._client.sendall(b"%x\r\n%s\r\n" % (len(line), line))

    def end(self) -> None:
        """End it as an API server does."""
        with self._lock:
            self._client.sendall(b"0\r\n\r\n")

    def expire(self, status: dict[str, Any]) -> None:
        """End it with an error. One that ended by itself meanwhile has ended too."""
        try:
            self.send({"type": "ERROR", "object": status})
        except OSError:
            return
        self.break_off()

    def break_off(self) -> None:
        """Close both connections in the middle."""
        for connection in (self._upstream, self._client):
            _shut(connection)


class Relay(ThreadingHTTPServer):
    """Listens on the loopback, plain HTTP."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: tuple[str, int], as_bearer: ssl.SSLContext, as_admin: ssl.SSLContext, judge: Judge):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.as_bearer = as_bearer
        self.as_admin = as_admin
        self.judge = judge
        self.watches: set[OpenWatch] = set()
        self.clients: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.clients.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.clients.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), (OSError, http.client.HTTPException, ValueError)):
            super().handle_error(request, client_address)

    def break_everything(self) -> None:
        """Close every connection in the middle."""
        for watch in list(self.watches):
            watch.break_off()
        for client in list(self.clients):
            _shut(client)


class _Handler(BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: http.client.HTTPSConnection | None = None
    is_admin = False

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        request = ApiRequest.of(self.command, self.path, self.headers.get("Authorization", ""))
        verdict = self.server.judge.judge(request)
        if isinstance(verdict, Answer):
            self._reply(verdict.status, json.dumps(verdict.body).encode(), verdict.headers.items())
        elif isinstance(verdict, Cut):
            if verdict.forward_first:
                self._forward(body).read()
            self.close_connection = True
            _shut(self.connection)
        elif request.verb == "watch":
            self._stream(request, self._forward(body))
        else:
            response = self._forward(body)
            self._reply(response.status, response.read(), response.getheaders())

    def finish(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
        super().finish()

    def log_message(self, *_: Any) -> None:
        return

    def _forward(self, body: bytes | None) -> http.client.HTTPResponse:
        as_admin = "Authorization" not in self.headers
        if self.upstream is None or self.is_admin != as_admin:
            if self.upstream is not None:
                self.upstream.close()
            context = self.server.as_admin if as_admin else self.server.as_bearer
            self.upstream, self.is_admin = http.client.HTTPSConnection(*self.server.upstream, context=context), as_admin
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _SHORT_LIVED}
        self.upstream.request(self.command, self.path, body=body, headers=headers)
        return self.upstream.getresponse()

    def _reply(self, status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _SHORT_LIVED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, request: ApiRequest, response: http.client.HTTPResponse) -> None:
        if response.status != 200:
            self._reply(response.status, response.read(), response.getheaders())
            return
        assert self.upstream is not None
        watch = OpenWatch(request, self.connection, self.upstream.sock)
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.server.watches.add(watch)
        self.server.judge.watch_opened()
        try:
            while line := response.readline():
                for event in self.server.judge.events(request, json.loads(line)):
                    watch.send(event)
            watch.end()
        finally:
            self.server.watches.discard(watch)
            self.close_connection = True
            response.close()


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # closed already
        return
