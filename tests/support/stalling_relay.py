"""Passes TCP connections on to a server, until a request of a certain kind: that one hangs, and all after it."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit

__all__ = ["StallingRelay"]


class StallingRelay:
    """Listens on the loopback until its block ends.

    Parameters
    ----------
    endpoint
        URL of the server behind it.
    request
        Pattern of the first bytes of a request that hangs.
    """

    def __init__(self, endpoint: str, request: bytes) -> None:
        address = urlsplit(endpoint)
        self._behind = (address.hostname or "", address.port or 80)
        self._pattern = re.compile(request)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.stalled = threading.Event()
        """set when such a request came"""

    def __enter__(self) -> StallingRelay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._behind)
                self._sockets += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, are_requests: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if are_requests and self._pattern.match(data):
                    self.stalled.set()
                if not self.stalled.is_set():
                    sink.sendall(data)
