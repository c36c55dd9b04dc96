"""Nodes of a training start together, and when one is lost all come back."""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from w2s_jobs.engines.gang import Hub, Round, join

NODES = 3
Join = Callable[[int], "Future[Round | None]"]


@pytest.fixture
def hub() -> Hub:
    hub = Hub("train/abc", NODES, 0)
    hub.start()
    return hub


@pytest.fixture
def give_up() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def come(hub: Hub, give_up: threading.Event) -> Iterator[Join]:
    """Let a node join in a thread."""
    joined: list[Future[Round | None]] = []
    with ThreadPoolExecutor(8) as pool:

        def come(node: int) -> Future[Round | None]:
            address, wait = ("127.0.0.1", hub.port), lambda seconds: not give_up.wait(min(seconds, 0.05))
            joined.append(pool.submit(join, address, f"train/abc {node}", wait))
            return joined[-1]

        yield come
        give_up.set()
    for future in joined:
        if one := future.result(20):
            one.close()


def together(come: Join) -> list[Round]:
    rounds = [future.result(20) for future in [come(node) for node in range(NODES)]]
    assert all(rounds)
    return [one for one in rounds if one]


def ends(one: Round) -> None:
    one.link.settimeout(20)
    assert one.link.recv(1) == b""
    one.link.setblocking(False)
    assert one.is_over()


def test_all_nodes_go_at_once_to_the_same_port(come: Join) -> None:
    first, second = come(0), come(1)
    assert not first.done()
    third = come(2)
    rounds = [future.result(20) for future in (first, second, third)]
    assert len({one.port for one in rounds if one}) == 1
    assert not any(one.is_over() for one in rounds if one)


@pytest.mark.parametrize("lost", range(NODES))
def test_when_a_node_is_lost_all_others_hear_of_it_and_come_back(come: Join, lost: int) -> None:
    rounds = together(come)
    rounds.pop(lost).close()
    for one in rounds:
        ends(one)
        one.close()
    assert not any(one.is_over() for one in together(come))


def test_a_node_that_comes_again_before_its_end_was_noticed_ends_the_round(come: Join) -> None:
    rounds = together(come)
    again = come(1)
    for one in rounds:
        ends(one)
    others = [come(0), come(2)]
    assert all(future.result(20) for future in (again, *others))


def test_strangers_are_not_taken_in(hub: Hub, come: Join, give_up: threading.Event) -> None:
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"train/other 1\n", b"train/abc 3\n", b"train/abc -1\n", b"\xff\n", b""):
        with socket.create_connection(("127.0.0.1", hub.port), timeout=20) as stranger:
            stranger.sendall(said)
            stranger.shutdown(socket.SHUT_WR)
            try:
                assert stranger.recv(1) == b""
            except ConnectionResetError:
                continue
    assert len(together(come)) == NODES


def fails_once(monkeypatch: pytest.MonkeyPatch, name: str, code: int, port: int) -> threading.Event:
    """Let the next call of a socket's method fail on the hub's side, as the kernel does for a lost connection."""
    ours, failed = getattr(socket.socket, name), threading.Event()

    def once(self: socket.socket, *arguments: int) -> object:
        if not failed.is_set() and self.getsockname()[1] == port:
            failed.set()
            raise OSError(code, os.strerror(code))
        return ours(self, *arguments)

    monkeypatch.setattr(socket.socket, name, once, raising=True)
    return failed


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("accept", errno.ECONNABORTED),
        ("accept", errno.EMFILE),
        ("settimeout", errno.EBADF),
        ("setsockopt", errno.EINVAL),
    ],
)
def test_a_connection_that_breaks_while_it_is_welcomed_ends_nothing(
    hub: Hub, come: Join, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    failed = fails_once(monkeypatch, name, code, hub.port)
    assert len(together(come)) == NODES
    assert failed.is_set()


def test_a_port_scan_in_the_middle_of_a_round_ends_nothing(hub: Hub, come: Join) -> None:
    rounds = together(come)
    for _ in range(NODES):
        scan = socket.create_connection(("127.0.0.1", hub.port), timeout=20)
        scan.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        scan.close()  # with a reset, as a scan does
    with socket.create_connection(("127.0.0.1", hub.port), timeout=20) as last:
        last.shutdown(socket.SHUT_WR)
        assert last.recv(1) == b""  # so all of them were answered
    assert not any(one.is_over() for one in rounds)


def test_who_waits_can_give_up(come: Join, give_up: threading.Event) -> None:
    waiting = come(0)
    give_up.set()
    assert waiting.result(20) is None


def test_without_a_hub_one_tries_until_told_otherwise() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        tries = iter([True, True, False])
        assert join(nobody.getsockname(), "train/abc 1", lambda _: next(tries)) is None
        assert not list(tries)
