"""The objects that a watch has told of, with indexes. Pure: no thread of its own, no clock, no IO.

Versions are compared as integers. Kubernetes 1.35 and later promise that two resourceVersions of one resource can be
compared so; etcd's revisions have always been integers that grow.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

__all__ = ["Cache", "Change", "Indexer", "Object", "version_of"]

Object = dict[str, Any]
Name = tuple[str, str]
"""(namespace, name)"""
Indexer = Callable[[Object], list[str]]
"""The values under which an object is found"""


class Change(NamedTuple):
    """What happened to one object: None before it was there, None after it went."""

    old: Object | None
    new: Object | None


class Cache:
    """Objects by name and by index. An object in it is never changed, only replaced as a whole. Threads share one."""

    def __init__(self, indexers: Mapping[str, Indexer] | None = None) -> None:
        self._indexers = dict(indexers or {})
        self._objects: dict[Name, Object] = {}
        self._index: dict[str, dict[str, dict[Name, None]]] = {name: {} for name in self._indexers}
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, namespace: str, name: str) -> Object | None:
        """Return the object, or None."""
        with self._lock:  # between its old and its new state an object is absent for a moment
            return self._objects.get((namespace, name))

    def all(self) -> list[Object]:
        """Return every object."""
        with self._lock:
            return list(self._objects.values())

    def by_index(self, index: str, value: str) -> list[Object]:
        """Return the objects that the indexer `index` puts under `value`."""
        with self._lock:
            return [self._objects[name] for name in self._index[index].get(value, ())]

    def note(self, scope: str, obj: Object) -> bool:
        """Take in an object that the API server just returned to a writer; say whether it was news.

        What the watch of `scope` has passed already is not taken in: an object that is absent then was deleted since.
        """
        with self._lock:
            known = self._objects.get(_name(obj))
            if known is None and version_of(obj) <= self._seen.get(scope, 0):
                return False
            return self._put(known, obj)

    def put(self, scope: str, obj: Object) -> Change | None:
        """Take in an event's object; None where the same or a newer one is here, or was deleted since."""
        with self._lock:
            known = self._objects.get(_name(obj))
            if known is None and version_of(obj) < self._seen.get(scope, 0):
                return None  # an event that came a second time
            self._pass(scope, version_of(obj))
            return Change(known, obj) if self._put(known, obj) else None

    def remove(self, scope: str, obj: Object) -> Change | None:
        """Take out the object of a deletion; None where it is absent, or a newer one of that name is here."""
        with self._lock:
            self._pass(scope, version_of(obj))
            known = self._objects.get(_name(obj))
            if known is None or version_of(known) > version_of(obj):
                return None
            self._drop(known)
            return Change(known, None)

    def bookmark(self, scope: str, version: int) -> None:
        """Note that the watch of `scope` has passed `version`."""
        with self._lock:
            self._pass(scope, version)

    def relist(self, scope: str, objects: Iterable[Object], version: int) -> list[Change]:
        """Make the objects of `scope` (a namespace, or all: '') those of a list at `version`; return what that changed.

        What is newer than the list stays: a writer noted it while the list was on its way. Unless the versions went
        back, as they do when etcd comes from a backup: then the list is all there is.
        """
        changes = []
        with self._lock:
            seen = self._seen.get(scope, 0)
            listed = {_name(obj): obj for obj in objects}
            for name, known in list(self._objects.items()):
                if name not in listed and scope in ("", name[0]) and version_of(known) <= max(version, seen):
                    self._drop(known)
                    changes.append(Change(known, None))
            for name, obj in listed.items():
                before = self._objects.get(name)
                if self._put(before, obj, force=version < seen):
                    changes.append(Change(before, obj))
            self._seen[scope] = version
        return changes

    def _pass(self, scope: str, version: int) -> None:
        self._seen[scope] = max(version, self._seen.get(scope, 0))

    def _put(self, known: Object | None, obj: Object, *, force: bool = False) -> bool:
        if known is not None:
            if version_of(known) >= version_of(obj) and not force:
                return False
            self._drop(known)
        name = _name(obj)
        self._objects[name] = obj
        for index, values in self._index.items():
            for value in self._indexers[index](obj):
                values.setdefault(value, {})[name] = None
        return True

    def _drop(self, obj: Object) -> None:
        name = _name(obj)
        del self._objects[name]
        for index, values in self._index.items():
            for value in self._indexers[index](obj):
                names = values[value]
                names.pop(name, None)
                if not names:
                    del values[value]


def version_of(obj: Object) -> int:
    """Return an object's resourceVersion as a number."""
    return int(obj["metadata"]["resourceVersion"])


def _name(obj: Object) -> Name:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
