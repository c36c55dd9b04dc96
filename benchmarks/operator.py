"""The controller alone: a real API server, Job controller and scheduler, simulated nodes, a stand-in for the workers.

`w2s controller` runs as a process of its own at its defaults, under its own service account. Everything shares one
machine. Without a figure: a short run of the most telling ones. docs/benchmarks.md says what each measures.

    python -m benchmarks.operator [drain|latency|quiet|flight|growth|workers|bare|all]

Each line says whether its target is met; `--strict` ends with 1 where one is not.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.cluster import figures
from benchmarks.cluster.load import Left

_IMAGE = Path(__file__).parents[1] / "docs" / "images" / "operator-growth.png"
_WORKERS = (1, 4, 8, 16, 32, 64)
_LEFT: dict[int, Left] = {1: "one", 5: "chain"}


def main() -> None:
    given = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # no control plane outlives its benchmark
    runs: dict[str | None, Callable[[], bool]] = {
        None: _short,
        "bare": lambda: figures.bare(given.jobs),
        "drain": lambda: figures.drained(given.experiments, _LEFT[given.steps], given.workers),
        "latency": lambda: figures.latency(given.experiments, given.rate),
        "quiet": lambda: figures.quiet(given.finished, given.running, given.seconds),
        "flight": lambda: figures.flight(given.experiments, given.seconds),
        "growth": lambda: figures.growth(given.experiments, given.image),
        "workers": lambda: figures.workers(given.counts, given.experiments),
        "all": _all,
    }
    met = runs[given.figure]()
    sys.exit(given.strict and not met)


def _short() -> bool:
    return _each(
        lambda: figures.bare(200),
        lambda: figures.drained(1, "chain"),
        lambda: figures.drained(50, "chain"),
    )


def _all() -> bool:
    return _each(
        lambda: figures.bare(1000),
        lambda: figures.drained(1, "chain"),
        lambda: figures.drained(100, "chain"),
        lambda: figures.drained(1000, "one"),
        lambda: figures.latency(100, 5.0),
        lambda: figures.growth([10, 100, 1000], _IMAGE),
        lambda: figures.quiet(1000, 100, 60.0),
        lambda: figures.flight(1000, 60.0),
        lambda: figures.workers(list(_WORKERS), 200),
    )


def _each(*runs: Callable[[], bool]) -> bool:
    """Run all, also after one that missed its target."""
    met = True
    for run in runs:
        met = run() and met
        sys.stdout.flush()
    return met


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="end with 1 where a target is missed")
    figure = parser.add_subparsers(dest="figure", metavar="FIGURE")
    _add(figure, "bare", "Jobs without a controller", jobs=1000)
    drain = _add(figure, "drain", "experiments created at once", experiments=100)
    drain.add_argument("--steps", type=int, choices=_LEFT, default=5)
    drain.add_argument("--workers", type=int)
    _add(figure, "latency", "to the first Job, and to the next", experiments=100, rate=5.0)
    _add(figure, "quiet", "while nothing changes", finished=1000, running=100, seconds=60.0)
    _add(figure, "flight", "memory with five Jobs of each experiment in flight", experiments=1000, seconds=60.0)
    growth = _add(figure, "growth", "drains of ever more experiments, as a curve")
    growth.add_argument("--experiments", type=int, nargs="+", default=[10, 100, 1000])
    growth.add_argument("--image", type=Path, default=_IMAGE)
    workers = _add(figure, "workers", "a drain with ever more workers", experiments=200)
    workers.add_argument("--counts", type=int, nargs="+", default=list(_WORKERS))
    _add(figure, "all", "every figure, about half an hour")
    return parser


def _add(
    figures_parser: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str, **defaults: float
) -> argparse.ArgumentParser:
    parser = figures_parser.add_parser(name, help=words)
    for option, value in defaults.items():
        parser.add_argument(f"--{option}", type=type(value), default=value)
    return parser


if __name__ == "__main__":
    main()
