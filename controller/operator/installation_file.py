"""The installation's YAML file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from controller.api.document import NotYaml, Sort, read_document
from controller.api.parse import render_problems
from controller.api.problems import describe_errors
from controller.errors import InvalidExperiment
from controller.settings import Installation

__all__ = ["read_installation"]

_INSTALLATION = Sort("an installation. docs/operator.md shows one", "stores, defaultStore, pools, workers")


def read_installation(file: Path) -> Installation:
    """Read and check the file.

    Raises
    ------
    InvalidExperiment
        One line for each thing that is wrong: line, field, value, what was expected, the fix.
    """
    try:
        document = read_document(file.read_text(encoding="utf-8"), _INSTALLATION)
    except UnicodeDecodeError as error:
        raise InvalidExperiment(str(file), [f"byte {error.start}: not UTF-8. Save the file as UTF-8 text"]) from None
    except OSError as error:
        problem = f"cannot be read: {error.strerror}. Name the installation's file"
        raise InvalidExperiment(str(file), [problem]) from None
    except NotYaml as error:
        raise InvalidExperiment(str(file), [str(error)]) from None
    try:
        return Installation.model_validate(document.value, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = describe_errors(Installation, error.errors(include_url=False))
        raise InvalidExperiment(str(file), render_problems(problems, document)) from None
