"""Text to a checked experiment. Everything that is wrong is said at once."""

from __future__ import annotations

from pydantic import ValidationError

from controller.api.document import Document, NotYaml, read_document, render_path
from controller.api.problems import Problem, describe_errors
from controller.api.rules import broken_rules
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.errors import InvalidExperiment

__all__ = ["locate", "parse_manifest"]


def parse_manifest(text: str, source: str) -> WeakToStrongExperiment:
    """Parse and check a manifest; `source` (its file) names it in messages.

    Raises
    ------
    InvalidExperiment
        One line for each problem: line, field path, value, what was expected, the fix.
    """
    try:
        document = read_document(text)
    except NotYaml as error:
        raise InvalidExperiment(source, [str(error)]) from None
    try:
        experiment = WeakToStrongExperiment.model_validate(document.value, by_alias=True, by_name=False)
    except ValidationError as error:
        found = describe_errors(WeakToStrongExperiment, error.errors(include_url=False))
        raise InvalidExperiment(source, _lines(found, document)) from None
    broken = broken_rules(experiment)
    if broken:
        raise InvalidExperiment(source, _lines(broken, document))
    return experiment


def locate(problems: list[Problem], text: str) -> list[str]:
    """Render problems that were found later in a manifest that parses, each with its line in `text`."""
    return _lines(problems, read_document(text))


def _lines(problems: list[Problem], document: Document) -> list[str]:
    """Render problems in the order of the text."""
    rendered = []
    for path, message in problems:
        line = document.line(path)
        where = "" if line is None else f"line {line}: "
        rendered.append((line or 0, f"{where}{render_path(path)}: {message}"))
    return [text for _, text in sorted(rendered, key=lambda item: item[0])]
