"""What a rule is, and how it is written into a schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from controller.api.v1alpha1 import ExperimentSpec

__all__ = ["Rule"]

_SELF = re.compile(r"\b(self|oldSelf)\b")
_STATUS_DIFFERS = "self.?status.?writes.orValue(0) != oldSelf.?status.?writes.orValue(0)"
"""The API server checks every rule at every write, also of a status, and there the rules took more of its time than
all the rest. A write of the status leaves the spec as it was, and a write of anything else the status: what the status
counts of its own writes tells one from the other."""

_UNCHANGED = "oldSelf.hasValue() && self.spec == oldSelf.value().spec"
"""An experiment that a newer rule would refuse can still be labelled, and deleted: the API server itself lets pass what
was there before, but not where a rule reads the old object. Asked last, so only of what is refused otherwise."""


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

    @property
    def of_spec(self) -> bool:
        """Whether it stands at the whole object, as `to_whole` renders it."""
        return self.on is ExperimentSpec

    def to_whole(self) -> dict[str, Any]:
        """Render the rule of a spec for the object around it, where a write of the status is known and passed over."""
        made = self.to_schema()
        rule = _SELF.sub(r"\1.spec", made["rule"])
        path = {"fieldPath": f".spec{self.at}"}
        if "oldSelf" in rule:
            return {**made, "rule": f"{_STATUS_DIFFERS} || ({rule})", **path}
        rule = f"oldSelf.hasValue() && {_STATUS_DIFFERS} || ({rule}) || {_UNCHANGED}"
        return {**made, "rule": rule, **path, "optionalOldSelf": True}

    def to_schema(self) -> dict[str, Any]:
        """Render the rule as the schema extension x-kubernetes-validations holds it."""
        path = {"fieldPath": self.at} if self.at else {}
        cel = f"!({self.where}) || ({self.cel})" if self.where else self.cel
        return {"rule": " ".join(cel.split()), "message": self.message, **path}
