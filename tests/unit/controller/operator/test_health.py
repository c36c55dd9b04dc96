"""The controller's own HTTP endpoint."""

from __future__ import annotations

import socket
import struct
import threading
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from controller.operator.health import HealthServer


def test_a_probe_that_hangs_up_before_the_answer_leaves_no_word(capfd: pytest.CaptureFixture[str]) -> None:
    asked, gone = threading.Event(), threading.Event()

    def slow() -> None:
        asked.set()
        assert gone.wait(10)

    with HealthServer(("127.0.0.1", 0), CollectorRegistry(), slow, lambda: None) as server:
        probe = socket.create_connection(("127.0.0.1", server.port))
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends with a reset
        probe.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert asked.wait(10)
        probe.close()
        gone.set()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=10) as answer:
            assert answer.read() == b"ok\n"
    assert capfd.readouterr().err == ""
