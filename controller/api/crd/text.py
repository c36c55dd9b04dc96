"""The CustomResourceDefinition as YAML."""

from __future__ import annotations

from typing import Any

import yaml

from controller.api.crd.definition import build_definition

__all__ = ["render_definition"]

_HEAD = "# Written by `make generate` from the types in controller/api; a test compares. Do not edit.\n"


class _Plain(yaml.SafeDumper):
    """Writes every value out, where PyYAML would refer to an equal one elsewhere."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's signature
        return True


def render_definition() -> str:
    """Render the definition; the same text for the same types."""
    return _HEAD + yaml.dump(build_definition(), Dumper=_Plain, sort_keys=False, width=120, allow_unicode=True)
