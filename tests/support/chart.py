"""The Helm chart, rendered and installed by the real helm."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["CHART", "KUBERNETES", "NAMESPACE", "RELEASE", "Helm", "find_helm", "only", "value_files"]

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "w2s"
RELEASE = "w2s"
NAMESPACE = "w2s-system"
KUBERNETES = "1.36.0"
"""Version for which templates are rendered where no cluster is asked"""

Object = dict[str, Any]


def find_helm(assets: Path | None) -> Path | None:
    """Return the program helm: from the folder of Kubernetes programs, else from PATH."""
    if assets is not None and (assets / "helm").is_file():
        return assets / "helm"
    found = shutil.which("helm")
    return Path(found) if found else None


def value_files() -> list[Path]:
    """Return the chart's examples of values."""
    return sorted((CHART / "ci").glob("*-values.yaml"))


def only(objects: Sequence[Object], kind: str, name: str | None = None) -> Object:
    """Return the one object of this kind, and of this name where one is given."""
    found = [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} of {kind} {name or ''}"
    return found[0]


@dataclass(frozen=True)
class Helm:
    """The program, with a home of its own, and the cluster it speaks to."""

    program: Path
    home: Path
    kubeconfig: Path | None = None

    def __call__(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run helm, and return what it prints; with `check` False also when it fails, with what it complains of."""
        done = subprocess.run(
            [str(self.program), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | self.environment(),
        )
        assert not (check and done.returncode), f"helm {' '.join(arguments)}: {done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def environment(self) -> dict[str, str]:
        """Return the variables that give helm its home and its cluster."""
        homes = {f"HELM_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        return homes | {"KUBECONFIG": str(self.kubeconfig or self.home / "no-cluster")}

    def template(self, values: Mapping[str, Any] | Path | None = None, *options: str) -> str:
        """Render the chart as YAML, without a cluster; the same values once."""
        return _rendered(self, (*_template(values), *options), _stdin(values))

    def objects(self, values: Mapping[str, Any] | Path | None = None, *options: str) -> list[Object]:
        """Render the chart as objects, without the definition, which is long."""
        text = self.template(values, "--set", "crds.install=false", *options)
        # PyYAML's own loader takes longer than helm.
        return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]

    def refusal(self, values: Mapping[str, Any]) -> str:
        """Return what helm says of values that it refuses."""
        said = self(*_template(values), stdin=_stdin(values), check=False)
        assert "Error: " in said, "helm took the values"
        return said


@functools.cache
def _rendered(helm: Helm, arguments: tuple[str, ...], stdin: str | None) -> str:
    return helm(*arguments, stdin=stdin)


def _template(values: Mapping[str, Any] | Path | None) -> list[str]:
    source = ["-f", str(values) if isinstance(values, Path) else "-"] if values is not None else []
    return ["template", RELEASE, str(CHART), "-n", NAMESPACE, "--kube-version", KUBERNETES, *source]


def _stdin(values: Mapping[str, Any] | Path | None) -> str | None:
    return None if values is None or isinstance(values, Path) else json.dumps(values)
