"""A stream of changes from the API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import urllib3

from controller.kube.errors import RequestName, broken_connection, error_of_status

__all__ = ["Watch"]

_CHUNK = 1 << 16


class Watch:
    """Iterate it for (type, object): ADDED, MODIFIED, DELETED, BOOKMARK. It ends when the API server ends it.

    Raises Gone (or what else the server says) for an ERROR event, and Unavailable when the connection breaks.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, request: RequestName) -> None:
        self._response = response
        self._request = request
        self._stopped = False

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            for line in self._lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise error_of_status(self._request, event["object"])
                yield event["type"], event["object"]
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if not self._stopped:
                raise broken_connection(self._request, error) from error
        finally:
            self._response.close()

    def stop(self) -> None:
        """End it from another thread."""
        self._stopped = True
        try:
            self._response.shutdown()
        except (OSError, ValueError, RuntimeError):  # it has ended by itself
            return

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self._response.stream(_CHUNK, decode_content=False):
            if b"\n" not in chunk:
                rest += chunk
                continue
            *lines, rest = (rest + chunk).split(b"\n")
            yield from filter(None, lines)
