"""The folder k8s/: what the chart renders with its default values, in one file for each part of it."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from controller.api.crd.text import render_definition
from tests.support.chart import Helm

__all__ = ["FILES", "render_manifests"]

_WRITTEN = "# Written by `make generate` from charts/w2s with its default values; a test compares. Do not edit.\n"

FILES: Mapping[str, frozenset[str]] = {
    "rbac.yaml": frozenset({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}),
    "installation.yaml": frozenset({"ConfigMap"}),
    "controller.yaml": frozenset({"Deployment", "Service", "PodDisruptionBudget"}),
    "network-policy.yaml": frozenset({"NetworkPolicy"}),
}
"""Kinds of each file; crd.yaml is beside them, as `w2s crd` prints it"""


def render_manifests(helm: Helm) -> dict[str, str]:
    """Return the generated files by name.

    Raises
    ------
    AssertionError
        The chart renders a kind that has no file.
    """
    rendered = helm.template(None, "--no-hooks", "--set", "crds.install=false")
    documents = [_without_source(text) for text in rendered.split("\n---\n") if yaml.safe_load(text)]
    written = {name: [text for text in documents if _kind(text) in kinds] for name, kinds in FILES.items()}
    assert sum(map(len, written.values())) == len(documents), {_kind(text) for text in documents}
    files = {name: _WRITTEN + "---\n".join(texts) for name, texts in written.items()}
    return {**files, "crd.yaml": render_definition()}


def _kind(text: str) -> str:
    return str(yaml.safe_load(text)["kind"])


def _without_source(text: str) -> str:
    lines = text.removeprefix("---\n").splitlines()
    return "\n".join(line for line in lines if not line.startswith("# Source: ")).strip() + "\n"
