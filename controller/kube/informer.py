"""A copy of the cluster's objects of one kind, kept current by watches."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from controller.kube.api import KubeApi, Object
from controller.kube.cache import Cache, Change, Indexer
from controller.kube.errors import KubeError
from controller.kube.list_watch import ListWatch, Rhythm, Selection
from controller.kube.resource import Resource

__all__ = ["Informer", "Listener"]

log = logging.getLogger(__name__)

Listener = Callable[[Object | None, Object | None], None]
"""Called with (old, new) after each change; old is None for a new object, new is None for one that went"""


class Informer:
    """Follows objects of one kind: in all namespaces by one watch, or by one for each namespace named.

    `project` keeps what is needed of an object (at least metadata.name, namespace, resourceVersion), so that memory
    stays small. Objects handed out must not be changed. Listeners are called by the watching threads and must be
    quick; of one namespace they hear one change at a time, in order.
    """

    def __init__(
        self,
        api: KubeApi,
        resource: Resource,
        *,
        namespaces: Sequence[str] = (),
        label_selector: str = "",
        project: Callable[[Object], Object] = lambda obj: obj,
        indexers: Mapping[str, Indexer] | None = None,
    ) -> None:
        self.resource = resource
        self.synced = threading.Event()
        """set once everything is listed, but for namespaces that may not be"""
        self._cache = Cache(indexers)
        self._listeners: list[Listener] = []
        self._api = api
        self._project = project
        self._selections = [Selection(resource, namespace, label_selector) for namespace in namespaces or ("",)]
        self._watches: list[ListWatch] = []

    def on_change(self, listener: Listener) -> None:
        """Call `listener` after each change that the API server tells of. Before `start`."""
        self._listeners.append(listener)

    def start(self, rhythm: Rhythm | None = None) -> None:
        """Begin to list and watch, in threads of its own."""
        sink = _Sink(self._cache, self._project, self._tell, self._check_synced)
        self._watches = [ListWatch(self._api, what, sink, rhythm or Rhythm()) for what in self._selections]
        for watch in self._watches:
            watch.start()

    def stop(self, seconds: float = 5.0) -> None:
        """End the watches and their threads."""
        for watch in self._watches:
            watch.stop()
        for watch in self._watches:
            watch.join(seconds)

    @property
    def problem(self) -> KubeError | None:
        """What keeps it from following now, or None."""
        return next((watch.problem for watch in self._watches if watch.problem), None)

    @property
    def obstacle(self) -> KubeError | None:
        """What keeps it from being synced, or None of what has not answered yet.

        A namespace that may not be listed is passed over, unless there is no other.
        """
        blind = [watch for watch in self._watches if not watch.has_list]
        in_the_way = [watch for watch in blind if not watch.is_refused] or blind
        return next((watch.problem for watch in in_the_way if watch.problem), None)

    @property
    def refused(self) -> list[str]:
        """Namespaces in which these objects may not be listed or watched now; '' where that is all of them."""
        return [watch.selection.namespace for watch in self._watches if watch.is_refused]

    def unseen(self, namespace: str) -> KubeError | None:
        """What has kept it from listing a namespace since it started, or None."""
        blind = (one for one in self._watches if not one.has_list and one.selection.namespace in ("", namespace))
        return next((watch.problem for watch in blind), None)

    def __len__(self) -> int:
        return len(self._cache)

    def get(self, namespace: str, name: str) -> Object | None:
        """Return the object, or None."""
        return self._cache.get(namespace, name)

    def all(self) -> list[Object]:
        """Return every object."""
        return self._cache.all()

    def by_index(self, index: str, value: str) -> list[Object]:
        """Return the objects for which the indexer named `index` gives `value`."""
        return self._cache.by_index(index, value)

    def note(self, obj: Object) -> None:
        """Take in what the API server answered to a write, so that the next pass sees it before its event comes.

        Listeners are not told: who wrote knows. An event that is not newer changes nothing then.
        """
        namespace = obj["metadata"].get("namespace", "")
        followed = {what.namespace for what in self._selections}
        if followed & {"", namespace}:
            self._cache.note("" if "" in followed else namespace, self._project(obj))

    def _tell(self, change: Change | None) -> None:
        if change is None:
            return
        for listener in self._listeners:
            try:
                listener(*change)
            except Exception:  # the other objects must still be followed
                log.exception("a listener of %s failed", self.resource.plural)

    def _check_synced(self) -> None:
        """Of namespaces that may not be listed the others take no harm; who may list none has no rights at all."""
        blind = [watch for watch in self._watches if not watch.has_list]
        if len(blind) < len(self._watches) and all(watch.is_refused for watch in blind):
            self.synced.set()


class _Sink:
    """Puts what a watch tells into the cache, and tells the listeners what that changed."""

    def __init__(
        self,
        cache: Cache,
        project: Callable[[Object], Object],
        tell: Callable[[Change | None], None],
        check: Callable[[], None],
    ) -> None:
        self.project = project
        self._cache = cache
        self._tell = tell
        self._check = check

    def listed(self, namespace: str, objects: list[Object], version: int) -> None:
        for change in self._cache.relist(namespace, objects, version):
            self._tell(change)

    def changed(self, namespace: str, kind: str, obj: Object) -> None:
        move = self._cache.remove if kind == "DELETED" else self._cache.put
        self._tell(move(namespace, obj))

    def passed(self, namespace: str, version: int) -> None:
        self._cache.bookmark(namespace, version)

    def check(self) -> None:
        self._check()
