"""What pydantic found, as sentences for a person: the field, its value, what was expected, the fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from controller.api.document import Path, render_path

__all__ = ["Problem", "describe_errors"]

Problem = tuple[Path, str]
"""Where, and what is wrong there"""

_PATTERNS: Mapping[str, str] = {
    r"^[0-9a-f]{7,40}$": "a commit hash of 7 to 40 hex digits. Branches and tags move: pin their commit",
    r"^[0-9a-f]{64}$": "a SHA-256 of 64 hex digits. Remove it: w2s computes it for local paths",
    r"^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E|)$": "bytes as Kubernetes writes them, such as "
    "64Gi, 500M or 1073741824",
    r"^https?://[^/]": "a URL such as https://s3.example.com",
    r"^s3://": "a URI such as s3://bucket/prefix",
    r"^(file|s3)://": "a URI such as file:///folder or s3://bucket/prefix",
    r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$": "1 to 63 lower-case letters, digits and '-', the first and last no '-'",
    r"^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$": "1 to 63 lower-case letters, digits, '-' and '.', the first and last a "
    "letter or digit",
    r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$": "the name of an object on the cluster: lower-case letters, digits, '-' "
    "and '.'",
}
"""What the patterns of the types mean. A test holds every pattern of the manifest to have an entry here."""

_WANTED: Mapping[str, str] = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "a text; put it in quotes if it looks like a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


_FIXES: Mapping[str, str] = {
    "exactly one of": "Give one and no other",
    "temperature 0": "Set samples: 1, or a temperature above 0",
    "text must contain": "Write {question} where the question belongs",
    "ranks=": "Add zeroStage: 2",
    "offload needs": "Add zeroStage: 2",
    "expected weak and strong, or a chain": "Method confidence needs weak and strong, method reward a chain",
    "expected task and dataset, or capabilities": "Write task and dataset for one task, capabilities for several",
}
"""What to do about the findings of the shared types, by how they start."""

_OTHERWISE_CALLED: Mapping[str, str] = {"n": "samples"}
"""What a field is called in vLLM and other samplers, where that is not near its name here"""


def describe_errors(model: type[BaseModel], errors: Iterable[ErrorDetails]) -> list[Problem]:
    """Turn pydantic's findings about `model` into problems, in the order found."""
    found = list(errors)
    places = [error["loc"] for error in found]
    return [
        (error["loc"], _describe(model, error))
        for error in found
        if not _echoes(error, [place for place in places if place != error["loc"]])
    ]


def _echoes(error: ErrorDetails, others: list[Path]) -> bool:
    """Tell whether a list is called too short only because its members were refused for reasons of their own."""
    depth = len(error["loc"])
    return error["type"] == "too_short" and bool(error["input"]) and any(o[:depth] == error["loc"] for o in others)


def _describe(model: type[BaseModel], error: ErrorDetails) -> str:
    kind = error["type"]
    say = _SAY.get(kind)
    if say is not None:
        return say(model, error)
    if kind in _WANTED:
        fix = ". Fill it in, or remove the line" if error["input"] is None else ""
        return f"{_show(error['input'])} is not valid; expected {_WANTED[kind]}{_default(model, error['loc'])}{fix}"
    return f"{_show(error['input'])} is not valid: {error['msg']}{_default(model, error['loc'])}"


def _missing(model: type[BaseModel], error: ErrorDetails) -> str:
    field = _field(model, error["loc"])
    about = f": {_one_line(field.description)}" if field and field.description else ""
    return f"missing{about}. Add it"


def _unknown(model: type[BaseModel], error: ErrorDetails) -> str:
    *above, name = error["loc"]
    known = [_alias(n, f) for n, f in _fields_at(model, tuple(above)).items()]
    guess = _did_you_mean(_OTHERWISE_CALLED.get(str(name), str(name)), known)
    return f"unknown field. {guess}Known fields here: {', '.join(known)}"


def _not_among(model: type[BaseModel], error: ErrorDetails) -> str:
    options = error.get("ctx", {})["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    one_of = f"one of {', '.join(options)}" if len(options) > 1 else options[0]
    guess = _did_you_mean(str(error["input"]), options) if len(options) > 1 else ""
    return f"{_show(error['input'])} is not known; expected {one_of}{_default(model, error['loc'])}. {guess}".rstrip(
        " ."
    )


def _bound(words: str, limit: str) -> Callable[[type[BaseModel], ErrorDetails], str]:
    def say(model: type[BaseModel], error: ErrorDetails) -> str:
        value = error.get("ctx", {})[limit]
        return f"{_show(error['input'])} is out of range; expected {words} {value}{_default(model, error['loc'])}"

    return say


def _length(model: type[BaseModel], error: ErrorDetails) -> str:
    bounds = error.get("ctx", {})
    unit = "characters" if error["type"].startswith("string") else "entries"
    length = len(error["input"])
    wanted = f"at least {bounds['min_length']}" if "min_length" in bounds else f"at most {bounds['max_length']}"
    fix = "Add one" if "min_length" in bounds else "Shorten it"
    return f"{length} {unit}; expected {wanted}{_default(model, error['loc'])}. {fix}"


def _pattern(_model: type[BaseModel], error: ErrorDetails) -> str:
    pattern = error.get("ctx", {})["pattern"]
    return f"{_show(error['input'])} is not valid; expected {_PATTERNS.get(pattern, f'a text that matches {pattern}')}"


def _own_message(_model: type[BaseModel], error: ErrorDetails) -> str:
    message = str(error.get("ctx", {})["error"])
    fix = next((fix for start, fix in _FIXES.items() if message.startswith(start)), "")
    return f"{message}. {fix}" if fix else message


_SAY: Mapping[str, Callable[[type[BaseModel], ErrorDetails], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "literal_error": _not_among,
    "greater_than_equal": _bound("at least", "ge"),
    "greater_than": _bound("more than", "gt"),
    "less_than_equal": _bound("at most", "le"),
    "less_than": _bound("less than", "lt"),
    "too_short": _length,
    "too_long": _length,
    "string_too_short": _length,
    "string_too_long": _length,
    "string_pattern_mismatch": _pattern,
    "value_error": _own_message,
}


def _show(value: Any) -> str:
    """Show a value as YAML would read it, cut at 60 characters."""
    text = {None: "null", True: "true", False: "false"}.get(value) if isinstance(value, bool | None) else repr(value)
    text = text or repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _did_you_mean(name: str, known: list[str]) -> str:
    lowered = {option.lower(): option for option in known}
    close = get_close_matches(name.lower().replace("_", ""), list(lowered), n=1, cutoff=0.8)
    starts = [option for low, option in lowered.items() if low.startswith(name.lower())]
    guess = starts[0] if starts else lowered[close[0]] if close else None
    return f"Did you mean '{guess}'? " if guess else ""


def _default(model: type[BaseModel], loc: Path) -> str:
    """Say what a field is when it is left out, where that is a plain value."""
    if loc and isinstance(loc[-1], int):
        of = _field(model, loc[:-1])
        return f". It is one of the {_one_line(of.description)}" if of is not None and of.description else ""
    field = _field(model, loc)
    if field is None or field.default is PydanticUndefined or field.default is None:
        return ""
    default = field.default
    if isinstance(default, tuple):
        default = list(default)
    if isinstance(default, BaseModel) or default in ("", []):
        return ""
    return f". Without {render_path(loc[-1:])} it is {_show(default)}"


def _one_line(description: str) -> str:
    return " ".join(description.split())


def _field(model: type[BaseModel], loc: Path) -> FieldInfo | None:
    if not loc or isinstance(loc[-1], int):
        return None
    for name, field in _fields_at(model, loc[:-1]).items():
        if _alias(name, field) == loc[-1]:
            return field
    return None


def _fields_at(model: type[BaseModel], loc: Path) -> Mapping[str, FieldInfo]:
    """Return the fields of the mapping at `loc`, empty where it is free."""
    for part in loc:
        if isinstance(part, int):
            continue
        field = next((f for n, f in model.model_fields.items() if _alias(n, f) == part), None)
        inner = None if field is None else _model_in(field.annotation)
        if inner is None:
            return {}
        model = inner
    return model.model_fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model inside `Model | None`, `tuple[Model, ...]` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for inner in get_args(annotation) if (m := _model_in(inner)) is not None), None)


def _alias(name: str, field: FieldInfo) -> str:
    return field.alias or name
