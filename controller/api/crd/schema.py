"""JSON schema of a pydantic model to a structural schema: what an API server accepts in a CustomResourceDefinition.

Structural means: one type at each place, references written out, nothing but what the place itself allows
(https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

__all__ = ["Schema", "structural_schema"]

Schema = dict[str, Any]
Decorate = Callable[[str, Schema], Schema]

_KEPT = ("description", "type", "format", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems")
"""Keywords that mean the same in both, in the order in which they are written; the others are translated"""


def structural_schema(model: type[BaseModel], decorate: Decorate) -> Schema:
    """Return the structural schema of a model.

    Parameters
    ----------
    model
        The type; its fields' docstrings become descriptions.
    decorate
        Called with the name and the finished schema of each type, wherever it stands: adds rules and kinds of lists.
    """
    whole = model.model_json_schema(by_alias=True)
    name = model.__name__
    return _Translation({**whole.get("$defs", {}), name: whole}, decorate).of({"$ref": f"#/$defs/{name}"})


class _Translation:
    """One pass over a schema and its definitions."""

    def __init__(self, definitions: Mapping[str, Schema], decorate: Decorate) -> None:
        self._definitions = definitions
        self._decorate = decorate

    def of(self, node: Schema) -> Schema:
        """Translate what stands at one place."""
        node, name, is_nullable = self._resolve(node)
        made = {key: node[key] for key in _KEPT if key in node}
        if "description" in made:
            made["description"] = " ".join(made["description"].split())
        if "const" in node:
            made["enum"] = [node["const"]]
        made.update(_bounds(node))
        made.update(self._inside(node))
        if is_nullable and "enum" not in made:  # an API server finds null in no enum; without the flag it drops it
            made["nullable"] = True
        if (default := _default(node)) is not None:
            made["default"] = default
        return made if name is None else self._decorate(name, made)

    def _resolve(self, node: Schema) -> tuple[Schema, str | None, bool]:
        """Follow references and take null out of unions; what stands at the place wins over the type's own.

        Returns
        -------
        tuple
            The node, the name of its type where that has one, and whether null is among its values.
        """
        name, is_nullable = None, False
        while "$ref" in node or "anyOf" in node:
            beside = {key: value for key, value in node.items() if key not in ("$ref", "anyOf", "title")}
            if "$ref" in node:
                name = node["$ref"].rpartition("/")[2]
                node = {**self._definitions[name], **beside}
                continue
            kinds = [kind for kind in node["anyOf"] if kind.get("type") != "null"]
            if len(kinds) != 1:
                raise ValueError(f"{beside.get('description')}: a union of {len(kinds)} types has no structural schema")
            is_nullable = len(kinds) < len(node["anyOf"])
            node = {**kinds[0], **beside}
        return node, name, is_nullable

    def _inside(self, node: Schema) -> Schema:
        """Translate what a list or a mapping holds."""
        if node.get("type") == "array":
            return {"items": self.of(node["items"])}
        if node.get("type") != "object":
            return {}
        if "properties" in node:
            required = {"required": node["required"]} if node.get("required") else {}
            return {**required, "properties": {key: self.of(inner) for key, inner in node["properties"].items()}}
        most = {"maxProperties": node["maxProperties"]} if "maxProperties" in node else {}
        values = node.get("additionalProperties")
        if isinstance(values, dict) and values:
            return {**most, "additionalProperties": self.of(values)}
        return {**most, "x-kubernetes-preserve-unknown-fields": True}


def _bounds(node: Schema) -> Schema:
    """Bounds of a number. An API server knows exclusive ones as flags; of whole numbers they are inclusive ones."""
    is_whole = node.get("type") == "integer"
    bounds: Schema = {"format": "int64"} if is_whole else {}
    for key, step in (("minimum", 1), ("maximum", -1)):
        exclusive = f"exclusive{key.capitalize()}"
        if key in node:
            bounds[key] = node[key]
        elif exclusive in node and is_whole:
            bounds[key] = node[exclusive] + step
        elif exclusive in node:
            bounds.update({key: node[exclusive], exclusive: True})
    return bounds


def _default(node: Schema) -> Any:
    """Return what the API server may fill in: a value that means the same as leaving the field out.

    An empty text or free mapping says nothing, so it is not filled in. An empty list is: rules can count on it.
    """
    said = _said(node.get("default"))
    return None if said in ("", {}) else said


def _said(value: Any) -> Any:
    """Leave out of a default, at every depth, what says nothing."""
    if not isinstance(value, dict):
        return value
    said = {key: _said(inner) for key, inner in value.items()}
    return {key: inner for key, inner in said.items() if inner not in (None, "", {})}
