"""Small objects that no controller of Kubernetes touches, and namespaces of their own for tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from controller.kube.api import KubeApi
from controller.kube.errors import Conflict, NotFound
from controller.kube.resource import Resource

__all__ = ["CONFIG_MAPS", "NAMESPACES", "config_map", "make_namespace", "own_namespace"]

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)

_numbers = itertools.count(1)


def make_namespace(api: KubeApi, prefix: str, labels: Mapping[str, str] | None = None) -> str:
    """Create a namespace that no other test of this process has."""
    name = f"{prefix}-{next(_numbers)}"
    api.create(NAMESPACES, {"metadata": {"name": name, "labels": dict(labels or {})}})
    return name


@contextmanager
def own_namespace(api: KubeApi, prefix: str, labels: Mapping[str, str] | None = None) -> Iterator[str]:
    """Create a namespace that goes with the block, and with it what a test left running there."""
    name = make_namespace(api, prefix, labels)
    try:
        yield name
    finally:
        with suppress(NotFound, Conflict):  # it is going already
            api.delete(NAMESPACES, name)


def config_map(namespace: str, name: str, value: str = "") -> dict[str, Any]:
    """A labelled object with one value."""
    metadata = {"namespace": namespace, "name": name, "labels": {"test": "small"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}
