"""The controller's own HTTP endpoint: /healthz, /readyz, /metrics."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

__all__ = ["HealthServer"]

Check = Callable[[], str | None]
"""Returns what is wrong, or None"""


class HealthServer:
    """Answers until it is stopped."""

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry, alive: Check, ready: Check) -> None:
        self._server = ThreadingHTTPServer(address, _handler(registry, {"/healthz": alive, "/readyz": ready}))
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def __enter__(self) -> HealthServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(registry: CollectorRegistry, checks: dict[str, Check]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # a probe that would not wait longer has hung up
                super().handle()

        def do_GET(self) -> None:
            if self.path == "/metrics":
                return self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            if self.path not in checks:
                return self._answer(404, "text/plain", b"expected /healthz, /readyz or /metrics\n")
            wrong = checks[self.path]()
            return self._answer(200 if wrong is None else 503, "text/plain", f"{wrong or 'ok'}\n".encode())

        def _answer(self, code: int, content: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", content)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: probes come every few seconds."""

    return Handler
