"""Text, or an object of the API server, to a checked experiment. Everything that is wrong is said at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from controller.api.document import Document, NotYaml, read_document, render_path
from controller.api.document import Path as FieldPath
from controller.api.problems import Problem, describe_errors
from controller.api.rules import broken_rules
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.errors import InvalidExperiment

__all__ = ["locate", "parse_manifest", "parse_object", "render_problems"]


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
    experiment, problems = _check(document.value)
    if experiment is None or problems:
        raise InvalidExperiment(source, render_problems(problems, document))
    return experiment


def parse_object(obj: Mapping[str, Any]) -> WeakToStrongExperiment:
    """Parse and check an object as the API server returns it.

    Of its metadata only name and namespace are read: the server adds fields of its own, and labels and annotations say
    nothing about what is computed. Its status is ignored.

    Raises
    ------
    InvalidExperiment
        One line for each problem: field path, value, what was expected, the fix. Also where a path is named that only
        the machine of its author has.
    """
    metadata = obj.get("metadata") or {}
    known = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    given = {key: obj[key] for key in ("apiVersion", "kind", "spec") if key in obj}
    experiment, problems = _check({**given, "metadata": known})
    if experiment is not None:
        problems = [*problems, *_local_paths(experiment), *_dropped_nulls(experiment, metadata)]
    if experiment is None or problems:
        lines = [f"{render_path(path)}: {message}" for path, message in problems]
        raise InvalidExperiment(f"{obj.get('kind', 'object')} {known.get('name', 'without a name')}", lines)
    return experiment


def _check(value: Mapping[str, Any]) -> tuple[WeakToStrongExperiment | None, list[Problem]]:
    """Check plain values; return what they make, where each field is fine by itself, and all that is wrong."""
    try:
        experiment = WeakToStrongExperiment.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as error:
        return None, describe_errors(WeakToStrongExperiment, error.errors(include_url=False))
    return experiment, broken_rules(experiment)


def _local_paths(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    """Yield each path of the author's machine, which no pod can read."""
    fix = "is a folder of one machine, which the pods of a cluster cannot read. Upload it and name its s3 prefix"
    for place, task in experiment.spec.placed_tasks:
        path = task.dataset.source.path
        if path is not None:
            yield ("spec", *place, "dataset", "source", "path"), f"'{path}' {fix}, or name a hub dataset"
    for place, _, model in experiment.spec.models.placed:
        path = model.source.path
        if path is not None:
            yield ("spec", "models", *place, "source", "path"), f"'{path}' {fix}, or name a hub model"


def _dropped_nulls(experiment: WeakToStrongExperiment, metadata: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield each extraTest that its author left to be the rest, and that kubectl made 0 of.

    `kubectl apply` drops nulls before it sends a manifest. It is the one field whose null is not its default; what was
    written is in the annotation that kubectl keeps for itself.
    """
    written = (metadata.get("annotations") or {}).get("kubectl.kubernetes.io/last-applied-configuration")
    if not written:
        return
    for place, task in experiment.spec.placed_tasks:
        path = ("spec", *place, "dataset", "splits", "extraTest")
        if task.dataset.splits.extra_test == 0 and _at(path, written) is None:
            yield path, "null is written, and kubectl dropped it. Apply with --server-side, which keeps it, or a number"


def _at(path: FieldPath, text: str) -> Any:
    """Return what stands at a path of a JSON text; 0 where nothing does, or where the text is none."""
    try:
        value = json.loads(text)
        for part in path:
            value = value[part]
    except (ValueError, LookupError, TypeError):
        return 0
    return value


def locate(problems: list[Problem], text: str) -> list[str]:
    """Render problems that were found later in a manifest that parses, each with its line in `text`."""
    return render_problems(problems, read_document(text))


def render_problems(problems: list[Problem], document: Document) -> list[str]:
    """Render problems in the order of the text, each with its line."""
    rendered = []
    for path, message in problems:
        line = document.line(path)
        where = "" if line is None else f"line {line}: "
        rendered.append((line or 0, f"{where}{render_path(path)}: {message}"))
    return [text for _, text in sorted(rendered, key=lambda item: item[0])]
