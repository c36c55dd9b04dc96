"""No key stands in a manifest: whoever may read an experiment would have it, and so would every copy of it.

A rule of the manifest, not of its Jobs: a local run refuses it too, before anybody has committed the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from controller.api.document import Path
from controller.api.problems import Problem
from controller.api.v1alpha1 import WeakToStrongExperiment
from w2s_jobs.contracts.secret_names import means_secret

__all__ = ["broken_secret_rules"]

_PLACE_NAME = re.compile(r"_(FILE|PATH|DIR)$", re.IGNORECASE)
"""says where a key is, not what"""
_PLAIN_VALUE = re.compile(r"\d{0,3}|true|false|yes|no|on|off|\$\([-._A-Za-z0-9]+\)", re.IGNORECASE)
"""a switch (HF_HUB_DISABLE_IMPLICIT_TOKEN), or another variable, which may come from a Secret"""
_LOGIN = re.compile(r"://[^/\s:@]*:(?!\$\()[^/\s@]+@")

_FIX = (
    "would stand in the experiment in clear. Put it into a Secret of the experiment's namespace, and write valueFrom: "
    "{secretKeyRef: {name: …, key: …}} instead of value, or take all of a Secret's variables by envFrom"
)


def broken_secret_rules(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    """Yield each variable of the pod template that gives a key or a password; never its value.

    AWS_ACCESS_KEY_ID is one: it is of no use without the other half.
    """
    for path, name, value in _variables(experiment.spec.pod_template.spec):
        if means_secret(name) and not _PLACE_NAME.search(name) and not _PLAIN_VALUE.fullmatch(value):
            yield path, f"the value of {name} {_FIX}"
        elif _LOGIN.search(value):
            yield path, f"the password in the URL of {name} {_FIX}"


def _variables(pod: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """Yield path, name and value of each variable with a value; what is no variable is refused elsewhere."""
    for at, container in _mappings(pod.get("containers")):
        for index, variable in _mappings(container.get("env")):
            if variable.get("value") is not None:
                path = ("podTemplate", "spec", "containers", at, "env", index, "value")
                yield path, str(variable.get("name")), str(variable["value"])


def _mappings(given: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, item in enumerate(given if isinstance(given, list) else ()):
        if isinstance(item, Mapping):
            yield index, item
