"""The kind WeakToStrongExperiment on a control plane, and manifests tried on it by one kubectl."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from controller.api.crd.text import render_definition
from controller.kube.resource import EXPERIMENTS, Resource
from tests.support.control_plane import ControlPlane

__all__ = ["install_definition", "refusals", "refused_paths", "wait_until_served"]

_REFUSED = re.compile(r'error when (?:creating|patching) "([^"]+)": ')
_PATH = re.compile(
    r"((?:spec|metadata)(?:\.\w+|\[\d+\])*): (?:Invalid|Required|Duplicate|Unsupported|Too|Forbidden)"
    r'|unknown field "([^"]+)"'
)


def install_definition(plane: ControlPlane) -> None:
    """Apply the definition as `w2s crd` prints it, and wait until the API server serves the kind."""
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=render_definition())
    wait_until_served(plane, EXPERIMENTS)


def wait_until_served(plane: ControlPlane, resource: Resource) -> None:
    """Wait for a kind that is new. `kubectl wait` fails at once where its definition has no conditions yet."""
    arguments = ("get", "--raw", f"{resource.path()}?limit=1")
    plane.wait_for(f"the list of {resource.plural}", lambda: plane.kubectl(*arguments, check=False).returncode == 0)


def refusals(plane: ControlPlane, files: Sequence[Path], namespace: str) -> dict[Path, str]:
    """Try to apply manifests in a namespace, and return what the API server says of those that it refuses.

    Raises
    ------
    AssertionError
        kubectl gave up on a file before it asked the API server, or says nothing about one.
    """
    arguments = [part for file in files for part in ("-f", str(file))]
    tried = plane.kubectl("apply", "--dry-run=server", "-n", namespace, *arguments, check=False)
    pieces = _REFUSED.split(tried.stderr)
    said = dict(zip(map(Path, pieces[1::2]), pieces[2::2], strict=True))
    accepted = tried.stdout.count("(server dry run)")
    assert len(said) + accepted == len(files), f"{len(files)} files, {accepted} accepted:\n{tried.stderr}"
    return said


def refused_paths(message: str) -> set[str]:
    """Return the paths of the fields that a refusal names."""
    return {path or unknown for path, unknown in _PATH.findall(message)}
