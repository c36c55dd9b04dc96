"""Divides the process of a pod's step in two: a child runs the step, the parent keeps the end of its log in the store.

What the child and all that it starts print comes through two pipes, is passed on without the secrets that the step was
given, and is remembered. So the pod's own log, from which Kubernetes takes the words for its status and events, is as
free of them as the one in the store.

The parent does little else, so the last words are kept however the step ends: done, failed, told to stop, ended by its
watchdog, killed for its memory, crashed below Python. A parent that is killed itself leaves what it stored last, and
takes the child with it.

The child is made by a fork, before the first thread is: it goes on with all that is imported already.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

from w2s_jobs.contracts.artifact import ArtifactRef, LogName
from w2s_jobs.contracts.errors import ExitCode
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.log.mask import Mask, hide
from w2s_jobs.log.secrets import Secrets
from w2s_jobs.log.tail import Tail
from w2s_jobs.log.upload import Upload
from w2s_jobs.store.open import open_store
from w2s_jobs.watchdog import margin_of, words_of_late

__all__ = ["keep_log"]

LOG_SECONDS = 30.0
"""seconds between two looks at whether there is news to store"""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_STRAGGLER_SECONDS = 2.0
"""seconds that processes which outlive the step get to say their last words"""
_LAST_SECONDS = 10.0
"""seconds that the end of the log may take to be stored"""
_MOMENT_SECONDS = 0.2
"""seconds after which the end of a line is passed on that might have been the beginning of a secret"""
_READ_BYTES = 64 * 1024


def keep_log(spec: StepSpec, pause: float = LOG_SECONDS) -> int | None:
    """Return None in the process that is to run the step; in the other one its exit code, once its log is stored.

    A step that a signal ended has the exit code that a shell gives it: 128 + signal.
    """
    store, name, ref = open_store(spec.store), _name_of(spec), ArtifactRef(kind=spec.kind, key=spec.key)
    tail, secrets = Tail(), Secrets()
    upload = Upload(
        tail,
        lambda text: store.write_log(ref, name, text),
        pause,
        lambda words: _write(2, hide(words.encode(), secrets())),
    )
    printed, complained = os.pipe(), os.pipe()
    # Threads must not be the ones that a signal interrupts: they are started while all signals are held back.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    parent, child = os.getpid(), os.fork()
    if child == 0:
        _become_step(parent, printed, complained)
        return None
    for _, write_end in (printed, complained):
        os.close(write_end)
    streams = [_Stream(printed[0], 1, tail, secrets), _Stream(complained[0], 2, tail, secrets)]
    pump = threading.Thread(target=_pass_on, args=(streams,), daemon=True)
    pump.start()
    upload.start()
    step = _Step(child, spec.execution.grace_seconds)
    code, deadline = step.wait()
    pump.join(min(_STRAGGLER_SECONDS, max(0.0, deadline - time.monotonic())))
    if step.was_late:
        last_words = f"error: {words_of_late(str(ref))}\n".encode()
        _write(2, last_words)
        tail.add(last_words)
    upload.finish(deadline - time.monotonic())
    return code


class _Step:
    """The child, as the parent sees it: signals go to it, and its end ends the parent.

    A child that is told to stop leaves by itself within the grace period, unless it is stuck where Python handles no
    signal: then the parent ends it, a moment before Kubernetes would end both and count a crash.
    """

    def __init__(self, child: int, grace_seconds: float | None) -> None:
        self._child, self._grace = child, grace_seconds
        self._told: float | None = None
        self.was_late = False
        self._running, self._lock = True, threading.Lock()
        for number in _SIGNALS:
            signal.signal(number, self._tell)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def wait(self) -> tuple[int, float]:
        """Return the exit code, and until when this process may go on after it."""
        os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOWAIT)  # its number is nobody else's until it is collected
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        with self._lock:
            self._running = False
        status = os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])
        self.was_late &= status == -signal.SIGKILL
        code = ExitCode.STOPPED if self.was_late else 128 - status if status < 0 else status
        for number in _SIGNALS:
            signal.signal(number, lambda *_: os._exit(code))  # who is told to stop now has nothing to save
        return code, self._deadline(time.monotonic())

    def _tell(self, number: int, _frame: FrameType | None) -> None:
        if self._told is None and self._grace is not None:
            late = threading.Timer(self._grace - margin_of(self._grace) / 2, self._end)
            late.daemon = True
            late.start()
        self._told = self._told or time.monotonic()
        os.kill(self._child, number)

    def _end(self) -> None:
        with self._lock:
            if self._running:
                self.was_late = True
                os.kill(self._child, signal.SIGKILL)

    def _deadline(self, now: float) -> float:
        """Return the time when SIGKILL may come, or as long as anybody would wait for a log."""
        if self._told is None or self._grace is None:
            return now + _LAST_SECONDS
        return min(now + _LAST_SECONDS, self._told + self._grace - margin_of(self._grace) / 5)


def _name_of(spec: StepSpec) -> LogName:
    execution = spec.execution
    part = execution.node if execution.nodes > 1 else execution.shard
    return LogName(part=part, started=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), attempt=execution.attempt)


def _become_step(parent: int, *pipes: tuple[int, int]) -> None:
    """Print into the pipes, and end when the parent does."""
    for sink, (read_end, write_end) in enumerate(pipes, start=1):
        os.dup2(write_end, sink)
        os.close(read_end)
        os.close(write_end)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(ExitCode.STOPPED)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


@dataclass
class _Stream:
    """One pipe on its way to a descriptor."""

    source: int
    sink: int
    tail: Tail
    secrets: Secrets
    mask: Mask = field(default_factory=Mask)
    last: float = 0.0

    def pass_on(self) -> bool:
        """Take what is there; return False once all who could write to the pipe have ended."""
        data = os.read(self.source, _READ_BYTES)
        self._send(self.mask.add(data, self.secrets()) if data else self.mask.end())
        self.last = time.monotonic()  # after a write that took its time: what came meanwhile has not been read
        return bool(data)

    def pause(self) -> None:
        """Send what is held where nothing came for a moment."""
        if self.mask.waits and time.monotonic() - self.last >= _MOMENT_SECONDS:
            self._send(self.mask.pause())

    def _send(self, data: bytes) -> None:
        _write(self.sink, data)
        self.tail.add(data)


def _pass_on(streams: Sequence[_Stream]) -> None:
    """Copy each pipe to its descriptor until all who could write to it have ended."""
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream.source, selectors.EVENT_READ, stream)
        while selector.get_map():
            waits = any(stream.mask.waits for stream in streams)
            ready = [key.data for key, _ in selector.select(_MOMENT_SECONDS if waits else None)]
            for stream in sorted(ready, key=lambda stream: stream.sink):
                if not stream.pass_on():
                    selector.unregister(stream.source)
            for stream in streams:
                stream.pause()


def _write(sink: int, data: bytes) -> None:
    """Write all of it; where nobody reads any more, the step goes on all the same."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(sink, data) :]
