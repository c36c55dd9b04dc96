"""The one base of every declared type: strict, frozen, camelCase in JSON and YAML, snake_case in Python."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

__all__ = ["Contract"]


class Contract(BaseModel):
    """A frozen value that refuses unknown fields. Serialise with `model_dump(mode="json", by_alias=True)`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )
