"""What a rule is, and how it is written into a schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

__all__ = ["Rule"]


@dataclass(frozen=True)
class Rule:
    """Something that must hold wherever a type stands."""

    on: type[BaseModel]
    cel: str
    """condition in CEL (https://kubernetes.io/docs/reference/using-api/cel/); `self` is the value, `oldSelf` the one
    before. Lists and fields with a default are always there; all others are asked for with `has` or `?`"""
    message: str
    """what is wrong, and what to do"""
    at: str = ""
    """field below the type that is to be changed, such as `.splits.test`"""
    where: str = ""
    """condition in CEL under which the rule holds; empty for always"""

    def to_schema(self) -> dict[str, Any]:
        """Render the rule as the schema extension x-kubernetes-validations holds it."""
        path = {"fieldPath": self.at} if self.at else {}
        cel = f"!({self.where}) || ({self.cel})" if self.where else self.cel
        return {"rule": " ".join(cel.split()), "message": self.message, **path}
