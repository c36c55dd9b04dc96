"""The manifest's reference (docs/manifest.md), written from the types: every field, its type, default and meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from controller.api.v1alpha1 import WeakToStrongExperiment

__all__ = ["render_reference"]

_HEAD = """\
# The manifest

Written from the types in `controller/api` and `w2s_jobs/contracts/settings.py`; a test compares
(`make generate` writes it anew). `w2s validate FILE` checks a manifest against all of this.

Unknown fields are errors. A relative path starts at the manifest's folder.
"""


def render_reference() -> str:
    """Render the reference as Markdown: one table for each mapping, in the order of the manifest."""
    return "\n".join([_HEAD, *_sections(WeakToStrongExperiment, "", set())]) + "\n"


def _sections(model: type[BaseModel], path: str, seen: set[type[BaseModel]]) -> Iterator[str]:
    """Yield the table of a mapping, then those of the mappings in it; a type is told once, where it comes first."""
    seen.add(model)
    yield f"## {model.__name__}\n"
    yield f"At `{path}`.\n" if path else "The file itself.\n"
    yield f"{_paragraph(model)}\n"
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        kind = _cell(_type(field.annotation, field))
        yield f"| `{field.alias or name}` | {kind} | {_default(field)} | {_meaning(field)} |"
    yield ""
    for name, field in model.model_fields.items():
        inner, many = _model_in(field.annotation)
        if inner is not None and inner not in seen:
            alias = field.alias or name
            yield from _sections(inner, f"{path}.{alias}{many}" if path else f"{alias}{many}", seen)


def _paragraph(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _meaning(field: FieldInfo) -> str:
    return _cell(" ".join((field.description or "").split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "`{}`"
    if field.default is PydanticUndefined:
        return "required"
    default = field.default
    if isinstance(default, BaseModel):
        default = default.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    shown = json.dumps(default).replace('"', "")
    return f"`{shown}`" if shown else "empty"


def _type(annotation: Any, field: FieldInfo | None = None) -> str:
    """Name a type as a manifest's reader would, with its bounds."""
    inner = get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _type(inner[0]) + _bounds(annotation.__metadata__)
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_type(one, field) for one in inner if one is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(f"`{one}`" for one in inner) if len(inner) > 1 else f"`{inner[0]}`"
    if origin in (tuple, dict):
        return f"list of {_type(inner[0])}" if origin is tuple else "mapping"
    return _plain(annotation) + (_bounds(field.metadata) if field is not None else "")


def _plain(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}.get(kind, "any")


def _bounds(metadata: Any) -> str:
    """Say the bounds that pydantic's metadata hold."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    single = [inner for one in metadata for inner in getattr(one, "metadata", None) or [one]]
    parts = [
        f"{sign} {limit if isinstance(limit, int) else format(limit, 'g')}"
        for one in single
        for key, sign in signs.items()
        if (limit := _bound(one, key)) is not None
    ]
    return f" {', '.join(parts)}" if parts else ""


def _bound(constraint: Any, key: str) -> float | None:
    value = getattr(constraint, key, None)
    return value if isinstance(value, int | float) else None


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    many = "[]" if get_origin(annotation) is tuple else ""
    for inner in get_args(annotation):
        found, deeper = _model_in(inner)
        if found is not None:
            return found, many + deeper
    return None, ""
