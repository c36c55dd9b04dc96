"""The CustomResourceDefinition as plain values. `w2s crd` prints it; k8s/crd.yaml is what it prints."""

from __future__ import annotations

from typing import Any

from controller.api.crd.lists import LISTS, mark_list
from controller.api.crd.rules.table import RULES
from controller.api.crd.schema import Schema, structural_schema
from controller.api.labels import GROUP, KIND, KIND_PLURAL, VERSION
from controller.api.reasons import ConditionType
from controller.api.status import ExperimentStatus
from controller.api.v1alpha1 import Metadata, WeakToStrongExperiment

__all__ = ["build_definition"]

_READY = f".status.conditions[?(@.type=='{ConditionType.READY}')]"
_COLUMNS = (
    ("Ready", "string", f"{_READY}.status", "Whether the report is there."),
    ("Progress", "string", ".status.progress", "Steps that are done, of all."),
    ("PGR", "string", ".status.results.bestPgr", "The best performance gap recovered."),
    ("Reason", "string", f"{_READY}.reason", "Why it is ready or not: docs/status.md."),
    ("Age", "date", ".metadata.creationTimestamp", "Since when it exists."),
)
"""What `kubectl get` shows: name, type, place, meaning"""


def build_definition() -> dict[str, Any]:
    """Build the definition of kind WeakToStrongExperiment."""
    names = {
        "kind": KIND,
        "listKind": f"{KIND}List",
        "plural": KIND_PLURAL,
        "singular": KIND.lower(),
        "shortNames": ["w2s"],
        "categories": ["all"],
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, "description": meaning}
            for name, kind, path, meaning in _COLUMNS
        ],
        "schema": {"openAPIV3Schema": _schema()},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{KIND_PLURAL}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _schema() -> Schema:
    """Describe a whole object. Of its metadata a definition may only bound the name."""
    whole = structural_schema(WeakToStrongExperiment, _decorate)
    name = structural_schema(Metadata, _decorate)["properties"]["name"]
    return {
        "description": whole["description"],
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object", "properties": {"name": name}},
            "spec": whole["properties"]["spec"],
            "status": structural_schema(ExperimentStatus, _decorate),
        },
        "x-kubernetes-validations": [rule.to_whole() for rule in RULES if rule.of_spec],
    }


def _decorate(name: str, schema: Schema) -> Schema:
    """Add the kinds of a type's lists, and its rules."""
    properties = {
        field: mark_list(inner, LISTS[name][field]) if inner.get("type") == "array" else inner
        for field, inner in schema.get("properties", {}).items()
    }
    made = {**schema, "properties": properties} if properties else schema
    rules = [rule.to_schema() for rule in RULES if rule.on.__name__ == name and not rule.of_spec]
    return {**made, "x-kubernetes-validations": rules} if rules else made
