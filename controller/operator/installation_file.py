"""The installation's YAML file."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from controller.errors import InvalidExperiment, W2sError
from controller.settings import Installation

__all__ = ["read_installation"]


def read_installation(file: Path) -> Installation:
    """Read and check the file.

    Raises
    ------
    W2sError
        One line for each thing that is wrong: the field, the value, what was expected.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return Installation.model_validate(content, by_alias=True, by_name=False)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise W2sError(f"{file}: cannot be read as YAML: {error}. Name the installation's file") from None
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, one['loc'])) or '(whole file)'}: {one['msg']}; got {str(one['input'])[:200]}"
            for one in error.errors(include_url=False)
        ]
        raise InvalidExperiment(str(file), problems) from None
