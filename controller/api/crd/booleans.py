"""Names of fields that kubectl takes for booleans.

To YAML 1.1, which kubectl reads, `n` without quotes is false: `sampling: {n: 10}` reaches the API server as
`{"false": 10}`. Such a field is declared beside the real one, so that a rule can say what to do about it.
"""

from __future__ import annotations

from typing import Any

__all__ = ["BOOLEANS", "refuse_booleans"]

BOOLEANS = {
    "n": "false",
    "no": "false",
    "off": "false",
    "false": "false",
    "y": "true",
    "yes": "true",
    "on": "true",
    "true": "true",
}
"""What kubectl makes of a name without quotes (https://yaml.org/type/bool.html)"""


def refuse_booleans(schema: dict[str, Any]) -> dict[str, Any]:
    """Add to a mapping's schema what kubectl makes of its fields' names, and refuse that with words."""
    made = schema
    for name in [name for name in schema.get("properties", {}) if name in BOOLEANS]:
        read = BOOLEANS[name]
        field = {**schema["properties"][name], "description": f"{name} without quotes, as kubectl reads it; refused"}
        field.pop("default", None)
        rule = {
            "rule": f"!has(self.__{read}__)",
            "message": f'kubectl reads {name} without quotes as {read}. Write it in quotes: "{name}"',
        }
        made = {
            **made,
            "properties": {**made["properties"], read: field},
            "x-kubernetes-validations": [*made.get("x-kubernetes-validations", []), rule],
        }
    return made
