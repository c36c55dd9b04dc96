"""An experiment's pod template, laid over the one that we build: it adds, and cannot break the contract.

Everything that may be given is in `_POD`, `_CONTAINER` and `_METADATA` below, each with how it is added; all else is
refused with its path and the reason. What the API server checks by itself (is this a valid volume?) is left to it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from controller.api.labels import QUEUE
from controller.errors import InvalidExperiment
from controller.plan.jobs.context import JobContext
from controller.plan.jobs.failure_policy import WORKER
from controller.plan.jobs.volumes import MOUNT_PATHS, VOLUMES
from w2s_jobs.contracts.spec_file import ATTEMPT, INDEX

__all__ = ["OverlayRefused", "check_overlay", "lay_over"]

PATH = "spec.podTemplate"
_OWN_PREFIXES = (
    "w2s.dev/",
    "batch.kubernetes.io/",
    "app.kubernetes.io/managed-by",
    "job-name",
    "controller-uid",
    QUEUE,
)
_OWN_VARIABLES = frozenset({ATTEMPT, INDEX, "HF_HOME", "HOME", "PYTHONHOME", "PYTHONPATH", "TMPDIR"})
_REASONS: Mapping[str, str] = {
    "activeDeadlineSeconds": "a step has no deadline: set spec.activeDeadlineSeconds of the experiment",
    "affinity": "nodes are chosen by the pool: have it set there, or use nodeSelector",
    "args": "the worker is told its step by w2s",
    "automountServiceAccountToken": "workers have no access to the API server",
    "command": "the worker is started by w2s",
    "image": "set spec.image of the experiment",
    "initContainers": "a pod has the worker and nothing else, so that its end is the step's end",
    "priorityClassName": "set spec.priorityClassName of the experiment",
    "restartPolicy": "the Job starts the next attempt, by the exit code of the last",
    "securityContext": "workers run as the restricted pod security level asks",
    "serviceAccount": "the installation names the workers' service account",
    "serviceAccountName": "the installation names the workers' service account",
    "terminationGracePeriodSeconds": "the installation says how long a worker may save",
}
"""Why a field that one might well want is not here."""


class OverlayRefused(InvalidExperiment):
    """The pod template of an experiment would break the contract between w2s and its worker."""


@dataclass(frozen=True)
class Lay:
    """One thing that an overlay may give: what is wrong with it, and how it is added to what is there."""

    problems: Callable[[Any, Any], Iterator[tuple[str, str]]]
    """(path below the field, what is wrong) of a given value beside the one that is there"""
    merge: Callable[[Any, Any], Any]
    """what is there and what is given -> both"""


def check_overlay(overlay: Mapping[str, Any], template: Mapping[str, Any] | None = None) -> list[str]:
    """Return what is wrong with an overlay, one line each with its path; `template` is what it is laid over."""
    ours = template or {}
    return [f"{PATH}{path}: {reason}" for path, reason in _problems(overlay, ours)]


def lay_over(template: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return our pod template with the experiment's laid over it.

    Raises
    ------
    OverlayRefused
        With one line for each thing that may not be given.
    """
    overlay = context.operations.pod_template
    if not overlay:
        return template
    if problems := check_overlay(overlay, template):
        raise OverlayRefused(context.owner.name, problems)
    merged = copy.deepcopy(template)
    _merge(merged["metadata"], overlay.get("metadata", {}), _METADATA)
    pod = overlay.get("spec", {})
    _merge(merged["spec"], {name: value for name, value in pod.items() if name != "containers"}, _POD)
    for container in pod.get("containers", ()):
        _merge(merged["spec"]["containers"][0], container, _CONTAINER)
    return merged


def _merge(ours: dict[str, Any], given: Mapping[str, Any], lays: Mapping[str, Lay]) -> None:
    for name, value in given.items():
        if name != "name":
            ours[name] = lays[name].merge(ours.get(name), copy.deepcopy(value))


def _problems(overlay: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in overlay:
        if name not in ("metadata", "spec"):
            yield f".{name}", "is unknown; a pod template has metadata and spec"
    pod = ours.get("spec", {})
    yield from _within(".metadata", overlay.get("metadata", {}), ours.get("metadata", {}), _METADATA)
    given = overlay.get("spec", {})
    if not isinstance(given, Mapping):
        yield ".spec", "must be a mapping"
        return
    yield from _within(".spec", {k: v for k, v in given.items() if k != "containers"}, pod, _POD)
    containers = given.get("containers", [])
    if not isinstance(containers, list) or len(containers) > 1:
        yield ".spec.containers", f"must be a list of one container, named '{WORKER}'; sidecars would outlive the step"
        return
    for container in containers:
        yield from _container(container, (pod.get("containers") or [{}])[0])


def _container(given: Any, ours: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    path = ".spec.containers[0]"
    name = given.get("name") if isinstance(given, Mapping) else None
    if name != WORKER:
        yield f"{path}.name", f"is {name!r}; expected '{WORKER}', the only container"
        return
    yield from _within(path, {k: v for k, v in given.items() if k != "name"}, ours, _CONTAINER)


def _within(path: str, given: Any, ours: Mapping[str, Any], lays: Mapping[str, Lay]) -> Iterator[tuple[str, str]]:
    """Check each field of a mapping against what may be given there."""
    if not isinstance(given, Mapping):
        yield path, "must be a mapping"
        return
    for name, value in given.items():
        if name not in lays:
            reason = _REASONS.get(name, f"a pod template may give {', '.join(sorted(lays))} here")
            yield f"{path}.{name}", f"is not yours to set: {reason}. Remove it"
            continue
        for below, reason in lays[name].problems(value, ours.get(name)):
            yield f"{path}.{name}{below}", reason


def _own_names(given: Any, _ours: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, Mapping):
        yield "", "must be a mapping"
        return
    for name in given:
        if str(name).startswith(_OWN_PREFIXES):
            yield f"[{name}]", "is a name that w2s and Kubernetes select by. Choose another"


def _same_nodes(given: Any, ours: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, Mapping):
        yield "", "must be a mapping"
        return
    for name, value in given.items():
        if (pool := (ours or {}).get(name, value)) != value:
            yield f"[{name}]", f"is {value!r}, but the pool's nodes have {pool!r}. Name another pool, or remove it"


def _variables(given: Any, ours: Any) -> Iterator[tuple[str, str]]:
    taken = _OWN_VARIABLES | {variable["name"] for variable in ours or ()}
    for index, name in _named(given):
        if name in taken or name.startswith("W2S_"):
            yield f"[{index}].name", f"is {name!r}, which w2s sets. Choose another"
    yield from _unnamed(given)


def _volumes(given: Any, _ours: Any) -> Iterator[tuple[str, str]]:
    for index, name in _named(given):
        if name in VOLUMES:
            yield f"[{index}].name", f"is {name!r}, which w2s uses ({', '.join(VOLUMES)}). Choose another"
        if "hostPath" in given[index]:
            yield f"[{index}].hostPath", "opens the node to whoever may create experiments. Use a persistentVolumeClaim"
        if "serviceAccountToken" in str(given[index].get("projected")):
            yield f"[{index}].projected", "gives a token: workers have no access to the API server. Remove it"
    yield from _unnamed(given)


def _mounts(given: Any, _ours: Any) -> Iterator[tuple[str, str]]:
    yield from _unnamed(given)
    for index, mount in enumerate(given if isinstance(given, list) else ()):
        path = PurePosixPath("/", str(mount.get("mountPath", "") if isinstance(mount, Mapping) else ""))
        hidden = [
            own for own in map(PurePosixPath, MOUNT_PATHS) if own.is_relative_to(path) or path.is_relative_to(own)
        ]
        if hidden or ".." in path.parts:
            yield (
                f"[{index}].mountPath",
                f"is '{path}', where w2s keeps {hidden[0] if hidden else 'its own'}. Mount it elsewhere",
            )


def _resources(given: Any, ours: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, Mapping):
        yield "", "must be a mapping"
        return
    placed = {name for name in (ours or {}).get("limits", {}) if "/" in name}
    for side, amounts in given.items():
        if side not in ("limits", "requests") or not isinstance(amounts, Mapping):
            yield f".{side}", "is not yours to set; a pod template may give limits and requests here"
            continue
        for name in amounts:
            if name in placed:
                yield f".{side}[{name}]", "is decided by the placement. Change spec.placement, and remove it here"


def _list(given: Any, _ours: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, list):
        yield "", "must be a list"


def _text(given: Any, _ours: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, str):
        yield "", "must be a text"


def _named(given: Any) -> Iterator[tuple[int, str]]:
    for index, item in enumerate(given if isinstance(given, list) else ()):
        if isinstance(item, Mapping) and isinstance(item.get("name"), str):
            yield index, item["name"]


def _unnamed(given: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, list):
        yield "", "must be a list"
        return
    with_name = {index for index, _ in _named(given)}
    for index in range(len(given)):
        if index not in with_name:
            yield f"[{index}]", "must be a mapping with a name"


def _add_names(ours: Any, given: Any) -> Any:
    return {**(ours or {}), **given}


def _append(ours: Any, given: Any) -> Any:
    return [*(ours or ()), *(item for item in given if item not in (ours or ()))]


def _put_before(ours: Any, given: Any) -> Any:
    """Later sources of variables win: the store's credentials stay what the installation says."""
    return [*given, *(ours or ())]


def _replace(_ours: Any, given: Any) -> Any:
    return given


def _merge_amounts(ours: Any, given: Any) -> Any:
    """Lay amounts over ours; one given on one side only stands for the other as well where we have it there."""
    merged = {side: dict((ours or {}).get(side, {})) for side in ("limits", "requests")}
    for side, other in (("limits", "requests"), ("requests", "limits")):
        for name, amount in given.get(side, {}).items():
            merged[side][name] = amount
            if name in merged[other] and name not in given.get(other, {}):
                merged[other][name] = amount
    return merged


_METADATA = {"annotations": Lay(_own_names, _add_names), "labels": Lay(_own_names, _add_names)}
_POD = {
    "nodeSelector": Lay(_same_nodes, _add_names),
    "runtimeClassName": Lay(_text, _replace),
    "tolerations": Lay(_list, _append),
    "volumes": Lay(_volumes, _append),
}
_CONTAINER = {
    "env": Lay(_variables, _append),
    "envFrom": Lay(_list, _put_before),
    "resources": Lay(_resources, _merge_amounts),
    "volumeMounts": Lay(_mounts, _append),
}
