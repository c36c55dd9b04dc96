"""The thread of one watch.

    list -> watch from its version -> (the stream ends) watch from the last version -> … -> (410, or it is time) list

Between lists nothing is missed: a watch goes on where the last event or bookmark was. What a watch lost in spite of
that is made good by the next list, after `relist_seconds`.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from controller.kube.api import KubeApi, Object
from controller.kube.backoff import Backoff
from controller.kube.errors import Forbidden, Gone, KubeError, TooManyRequests
from controller.kube.resource import Resource
from controller.kube.watch import Watch

__all__ = ["ListWatch", "Rhythm", "Selection", "Sink"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selection:
    """What is followed."""

    resource: Resource
    namespace: str = ""
    """empty for all"""
    label_selector: str = ""


@dataclass(frozen=True)
class Rhythm:
    """How often it does things."""

    watch_seconds: float = 300.0
    """length of one watch request"""
    relist_seconds: float = 1800.0
    """time between two lists when nothing goes wrong"""
    backoff: Backoff = field(default_factory=Backoff)
    """wait after failures in a row"""


class Sink(Protocol):
    """Takes what the API server tells. `namespace` is that of the selection."""

    def project(self, obj: Object) -> Object:
        """Keep what is needed of an object."""

    def listed(self, namespace: str, objects: list[Object], version: int) -> None:
        """All (projected) objects at `version`."""

    def changed(self, namespace: str, kind: str, obj: Object) -> None:
        """One (projected) object was ADDED, MODIFIED or DELETED."""

    def passed(self, namespace: str, version: int) -> None:
        """Everything up to `version` has been told."""

    def check(self) -> None:
        """Whether it was ever listed, or may be, has changed."""


class ListWatch:
    """Follows a selection of objects in a thread of its own until it is stopped; failures only make it wait."""

    def __init__(self, api: KubeApi, selection: Selection, sink: Sink, rhythm: Rhythm) -> None:
        self.selection = selection
        self.has_list = False
        """whether the first list came"""
        self.problem: KubeError | None = None
        """what keeps it from following now"""
        self._api = api
        self._sink = sink
        self._rhythm = rhythm
        self._ended = threading.Event()
        self._watch: Watch | None = None
        self._version = ""
        """where the next watch starts; empty when a list must come first"""
        self._list_at = 0.0
        self._failures = 0
        """in a row"""
        name = f"watch {selection.resource.plural} {selection.namespace}".rstrip()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_refused(self) -> bool:
        """Whether the API server says now that this may not be listed or watched. A token it does not know is no no."""
        problem = self.problem  # once: another thread may ask while this one's thread mends it
        return isinstance(problem, Forbidden) and problem.code == 403

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        self._ended.set()
        if (watch := self._watch) is not None:
            watch.stop()

    def join(self, seconds: float) -> None:
        """Wait until it has ended."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._ended.is_set():
            pause = 0.0
            self._failures += 1  # until a word comes: a stream that ends without one counts too
            try:
                if not self._version or time.monotonic() >= self._list_at:
                    self._list()
                self._follow()
            except KubeError as error:
                self._failed(error)
                pause = error.retry_after if isinstance(error, TooManyRequests) else 0.0
            except Exception:  # a defect must not leave the controller blind for ever: it lists anew
                log.exception("following %s failed; this is a defect of w2s", self.selection.resource.plural)
                self._version = ""
            if self._failures:
                self._ended.wait(max(pause, self._rhythm.backoff.seconds(self._failures, random.random)))

    def _failed(self, error: KubeError) -> None:
        if isinstance(error, Gone):
            self._version = ""  # nothing is wrong: it was away for long
        else:
            is_news = str(error) != str(self.problem)
            self.problem = error
            if is_news:
                log.warning("%s%s", error, self._consequence())
            if self.is_refused and not self.has_list:
                self._sink.check()

    def _consequence(self) -> str:
        namespace = self.selection.namespace
        if not namespace or not self.is_refused or self.has_list:
            return ""
        return (
            f" Until then namespace {namespace} is passed over; where it is gone, remove it from `namespaces` in the "
            "installation."
        )

    def _list(self) -> None:
        what, objects, version = self.selection, [], ""
        for page, page_version in self._api.pages(what.resource, what.namespace, what.label_selector):
            objects += [self._sink.project(obj) for obj in page]
            version = page_version
        self._sink.listed(what.namespace, objects, int(version))
        self.has_list = True  # not before the objects are there: who asks would see none
        self._sink.check()
        self._version = version
        self._list_at = time.monotonic() + self._rhythm.relist_seconds * (1 + 0.1 * random.random())  # noqa: S311
        self.problem = None

    def _follow(self) -> None:
        what = self.selection
        seconds = min(self._rhythm.watch_seconds, self._list_at - time.monotonic())
        watch = self._api.watch(what.resource, what.namespace, what.label_selector, self._version, seconds)
        self._watch = watch
        if self._ended.is_set():  # stop() came before there was a watch to stop
            watch.stop()
        self.problem = None
        for kind, obj in watch:
            self._failures = 0
            self._take(kind, obj)

    def _take(self, kind: str, obj: Object) -> None:
        namespace, version = self.selection.namespace, obj["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            self._sink.passed(namespace, int(version))
        else:
            self._sink.changed(namespace, kind, self._sink.project(obj))
        self._version = max(self._version, version, key=int)
