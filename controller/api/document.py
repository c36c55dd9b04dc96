"""YAML text to plain values, with the line of every field. Refuses what YAML itself lets pass: a key given twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

__all__ = ["Document", "NotYaml", "Path", "Sort", "read_document", "render_path"]

Path = tuple[str | int, ...]
"""Place of a field: names of mappings and indexes of lists, from the top"""

_MOST_FIELDS = 100_000
"""Fields of a manifest with its aliases written out: a few aliases of aliases could stand for billions."""


class NotYaml(ValueError):
    """The text is not one YAML mapping. The message names the line."""


@dataclass(frozen=True)
class Document:
    """One manifest as plain values."""

    value: dict[str, Any]
    lines: Mapping[Path, int]
    """line (from 1) of every field"""

    def line(self, path: Path) -> int | None:
        """Return the line of a field, or of the innermost mapping that should hold it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


@dataclass(frozen=True)
class Sort:
    """What a document is to be, in words for a person whose file is not."""

    what: str
    """what it is, and where to start"""
    fields: str
    """fields at its top"""


MANIFEST = Sort("a manifest. Start from examples/quickstart.yaml", "apiVersion, kind, metadata, spec")


def render_path(path: Path) -> str:
    """Write a path as people do: `spec.method.confidence.rounds[0].thresholds[2]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_document(text: str, of: Sort = MANIFEST) -> Document:
    """Parse one YAML document.

    Raises
    ------
    NotYaml
        Bad syntax, more than one document, no mapping at the top, a key given twice, or an unknown tag.
    """
    lines: dict[Path, int] = {}
    try:
        value = _construct(text, lines)
    except NotYaml:
        raise
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYaml(f"line {line}: the character U+{error.character:04X} has no place in YAML. Remove it") from None
    except yaml.MarkedYAMLError as error:
        raise NotYaml(_explain(error)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise NotYaml(f"not readable as YAML: {error}") from None
    except RecursionError:
        raise NotYaml("nested too deeply for a manifest. Remove the inner brackets") from None
    if value is None:
        raise NotYaml(f"empty; expected {of.what}")
    if not isinstance(value, dict):
        got = "a list" if isinstance(value, list) else "a single value"
        raise NotYaml(f"expected a mapping with {of.fields}; got {got}")
    return Document(value=value, lines=lines)


def _construct(text: str, lines: dict[Path, int]) -> Any:
    """Parse and construct a document, noting the line of every field."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _walk(node, (), lines, frozenset())
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int], above: frozenset[int]) -> None:
    """Note the line of every field below a node, and refuse a key that is given twice."""
    if id(node) in above:
        raise NotYaml(f"line {_line(node.start_mark)}: an alias that contains itself; write the value out")
    if len(lines) > _MOST_FIELDS:
        raise NotYaml(f"more than {_MOST_FIELDS:,} fields with all aliases written out. Use fewer aliases of aliases")
    above = above | {id(node)}
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), _line(key.start_mark)
            if name in seen:
                raise NotYaml(
                    f"line {line}: {render_path((*path, name))} is given twice, first in line {seen[name]}. Remove one"
                )
            seen[name] = lines[(*path, name)] = line
            _walk(value, (*path, name), lines, above)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*path, index)] = _line(value.start_mark)
            _walk(value, (*path, index), lines, above)


def _line(mark: yaml.Mark) -> int:
    return mark.line + 1


def _explain(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    what = error.problem or "not readable"
    if "constructor for the tag" in what:
        return f"{where}a tag makes no sense in a manifest. Write a plain value"
    if "\\t" in what:
        return f"{where}not YAML: a tab cannot indent. Use blanks"
    if "expected a single document" in (error.context or ""):
        return f"{where}more than one document; expected one manifest a file. Remove the `---` and what follows it"
    return f"{where}not YAML: {what}. Check the indentation, the colons and the brackets around this line"
