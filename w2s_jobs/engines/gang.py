"""The nodes of one training hold together: they start at once, and when one is lost all of them start again.

Every node keeps one connection to the hub, a thread of node 0. When all nodes are connected, the hub says go to all and
a round begins. When any connection ends (its process died, its pod was deleted, its machine went silent), the hub ends
all of them: each node kills its ranks, fetches the newest checkpoint and comes back, and the next round begins when the
node that was lost has come back too. No process that survived has to end for it, so none is charged with a failure.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Hub", "Round", "join"]

log = logging.getLogger(__name__)

HELLO_SECONDS = 10.0
"""seconds that a new connection gets to say which node it is"""
TRY_SECONDS = 1.0
"""seconds between two tries to reach the hub, and between two looks at whether to go on trying"""
_SILENT_AFTER, _PROBES, _PROBE_SECONDS = 10, 3, 5
"""a machine that is gone without a word is noticed after 10 + 3 * 5 seconds"""


@dataclass
class Round:
    """A training of all nodes together."""

    link: socket.socket
    port: int
    """port on node 0 where the ranks meet"""

    def is_over(self) -> bool:
        """Tell whether a node was lost."""
        try:
            return self.link.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Leave; for the others the round is over then."""
        self.link.close()


def join(address: tuple[str, int], hello: str, wait: Callable[[float], bool]) -> Round | None:
    """Connect to the hub and wait for the next round.

    Parameters
    ----------
    hello
        `<training> <number of this node>`.
    wait
        Waits as many seconds and tells whether to go on trying; join returns None when it says no.
    """
    while True:
        try:
            link = socket.create_connection(address, timeout=TRY_SECONDS)
        except OSError as error:
            log.debug("the hub is not there: %s", error)
            if not wait(TRY_SECONDS):
                return None
            continue
        _notice_silence(link)
        round_ = _wait_for_go(link, hello, wait)
        if round_ is not None:
            return round_
        link.close()
        if not wait(TRY_SECONDS):
            return None


def _wait_for_go(link: socket.socket, hello: str, wait: Callable[[float], bool]) -> Round | None:
    link.settimeout(TRY_SECONDS)
    said = b""
    try:
        link.sendall(f"{hello}\n".encode())
        while not said.endswith(b"\n"):
            try:
                part = link.recv(64)
            except TimeoutError:
                if not wait(0):
                    return None
                continue
            if not part:
                return None
            said += part
    except OSError:
        return None
    link.setblocking(False)
    return Round(link, int(said))


@dataclass
class Hub:
    """Gathers the nodes of a training, round after round, in a thread of its own."""

    training: str
    nodes: int
    port: int
    """port to listen on, 0 for any"""
    _members: dict[int, socket.socket] = field(default_factory=dict)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def start(self) -> None:
        """Listen, and gather from now on until this process ends."""
        dual = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if dual else socket.AF_INET
        self._server = socket.create_server(("", self.port), family=family, dualstack_ipv6=dual, backlog=self.nodes)
        self.port = self._server.getsockname()[1]
        self._selector.register(self._server, selectors.EVENT_READ)
        threading.Thread(target=self._run, name="hub", daemon=True).start()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._server:
                    self._welcome()
                elif self._members.get(key.data) is key.fileobj:  # nobody speaks after hello: the connection has ended
                    self._dismiss(f"node {key.data} of {self.nodes} is lost")

    def _welcome(self) -> None:
        """Take a node in; when it is the last, let all of them go. A connection that breaks is nobody's loss."""
        try:
            link, _ = self._server.accept()
        except OSError as error:
            log.warning("a connection to port %d was lost before it was taken: %s", self.port, error)
            time.sleep(TRY_SECONDS)  # it may wait there still, as when this process has no file left to open
            return
        number = self._read_hello(link)
        if number is None:
            link.close()
            return
        if number in self._members:
            self._dismiss(f"node {number} of {self.nodes} came again")
        self._members[number] = link
        self._selector.register(link, selectors.EVENT_READ, number)
        if len(self._members) == self.nodes:
            port = _free_port()
            log.info("all %d nodes are here", self.nodes)
            for member in self._members.values():
                with contextlib.suppress(OSError):  # its end is noticed in the next look
                    member.sendall(f"{port}\n".encode())

    def _read_hello(self, link: socket.socket) -> int | None:
        """Return the number of a node of this training, or None for anybody else."""
        try:
            link.settimeout(HELLO_SECONDS)
            _notice_silence(link)
            training, _, number = link.makefile("r").readline(200).strip().rpartition(" ")
        except (OSError, UnicodeDecodeError):
            return None
        known = training == self.training and number.isdecimal() and int(number) < self.nodes
        return int(number) if known else None

    def _dismiss(self, why: str) -> None:
        """End the round: all nodes come back."""
        log.info("%s; the nodes gather again", why)
        for link in self._members.values():
            self._selector.unregister(link)
            link.close()
        self._members.clear()


def _notice_silence(link: socket.socket) -> None:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _SILENT_AFTER),
        ("TCP_KEEPCNT", _PROBES),
        ("TCP_KEEPINTVL", _PROBE_SECONDS),
    ):
        if hasattr(socket, name):
            link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
