"""Colours by meaning. Figures are drawn in stand-in colours that the page turns into CSS variables, light and dark.

The values are Okabe and Ito's (safe for colour blindness), darkened or lightened to reach a contrast of 3 to 1 with the
page; the thresholds of the first round, which have an order, get a sequence that rises in darkness as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["GRID", "INK", "MUTED", "PAPER", "ROLE", "as_css_variables", "categories", "css_rules", "sequence"]

INK, MUTED, GRID, PAPER = "#010203", "#020304", "#030405", "#040506"
ROLE: Mapping[str, str] = {
    "weak": "#100001",
    "conventional": "#100002",
    "round": "#100003",
    "ceiling": "#100004",
    "unfiltered": "#100005",
    "direct": "#100006",
    "direct-weak": "#100006",
    "direct-ceiling": "#100006",
    "confident": "#100007",
}
_SEQUENCE = tuple(f"#20000{i}" for i in range(8))
_CATEGORIES = tuple(f"#30000{i}" for i in range(7))

# stand-in -> (CSS variable, light value, dark value)
_VARIABLES: dict[str, tuple[str, str, str]] = {
    INK: ("ink", "#1b1f24", "#e9ecef"),
    MUTED: ("muted", "#5d6670", "#a3adb8"),
    GRID: ("grid", "#e3e6e9", "#343b43"),
    PAPER: ("paper", "#ffffff", "#15181c"),
    "#100001": ("weak", "#b9540a", "#f08b3e"),
    "#100002": ("conventional", "#a34781", "#dd8bc0"),
    "#100003": ("round", "#0b5fa5", "#62b0ea"),
    "#100004": ("ceiling", "#00795a", "#35b890"),
    "#100005": ("unfiltered", "#7a6a00", "#d6c11a"),
    "#100006": ("direct", "#5d6670", "#a3adb8"),
    "#100007": ("confident", "#2d8db8", "#8fd3f4"),
}
_SEQUENCE_VALUES = (
    ("#4f9fc0", "#4089a6"),
    ("#3f92bb", "#4896b4"),
    ("#3485b5", "#52a4c4"),
    ("#2b78b3", "#61b2d3"),
    ("#2662a2", "#7fc5df"),
    ("#274d8c", "#9ed6e8"),
    ("#273b72", "#bee6f0"),
    ("#232a56", "#def4f8"),
)
_CATEGORY_VALUES = (
    ("#0b5fa5", "#62b0ea"),
    ("#b9540a", "#f08b3e"),
    ("#00795a", "#35b890"),
    ("#a34781", "#dd8bc0"),
    ("#7a6a00", "#d6c11a"),
    ("#2d8db8", "#8fd3f4"),
    ("#5d6670", "#a3adb8"),
)
_VARIABLES |= {s: (f"t{i}", *_SEQUENCE_VALUES[i]) for i, s in enumerate(_SEQUENCE)}
_VARIABLES |= {s: (f"c{i}", *_CATEGORY_VALUES[i]) for i, s in enumerate(_CATEGORIES)}


def sequence(values: Sequence[int]) -> dict[int, str]:
    """Give each of some ordered values a colour, from the lightest to the darkest."""
    ordered = sorted(set(values))
    last = max(len(ordered) - 1, 1)
    # Few values skip the lightest colours, which stand out least.
    start = 2 if len(ordered) <= 4 else 0
    return {v: _SEQUENCE[round(start + i * (len(_SEQUENCE) - 1 - start) / last)] for i, v in enumerate(ordered)}


def categories(names: Sequence[str]) -> dict[str, str]:
    """Give each name a colour; from the seventh on they share the last one, and labels tell them apart."""
    return {name: _CATEGORIES[min(i, len(_CATEGORIES) - 1)] for i, name in enumerate(names)}


def as_css_variables(svg: str) -> str:
    """Replace the stand-ins in an SVG by CSS variables."""
    for stand_in, (name, _, _) in _VARIABLES.items():
        svg = svg.replace(stand_in, f"var(--{name})")
    return svg


def css_rules(dark: bool) -> str:
    """Write the declarations of all variables."""
    return " ".join(f"--{name}: {night if dark else day};" for name, day, night in _VARIABLES.values())
