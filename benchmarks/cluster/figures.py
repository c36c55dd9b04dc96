"""The figures of the controller, each measured, printed beside its target, and told as met or not."""

from __future__ import annotations

from pathlib import Path

from benchmarks.cluster.bare import run_bare
from benchmarks.cluster.curve import draw_curve
from benchmarks.cluster.drain import Drained, drain
from benchmarks.cluster.latency import measure_latencies, percentile
from benchmarks.cluster.load import Left
from benchmarks.cluster.standstill import Quiet, hold_in_flight, rest_finished, rest_running

__all__ = ["bare", "drained", "flight", "growth", "latency", "quiet", "workers"]

_ARGO = {("one", 1000): (301, 40), ("chain", 100): (74, 18), ("chain", 1): (52, None)}
"""Seconds of Argo Workflows 4.1.2 on this kind of machine, at its defaults and tuned for the load"""
_SECONDS = {("one", 1000): 30.0, ("chain", 100): 12.0, ("chain", 1): 3.0, ("chain", 1000): 150.0}
_WRITES_A_STEP = 4.0


def bare(jobs: int) -> bool:
    """Print what Jobs take without a controller: the room that there is."""
    found = run_bare(jobs)
    print(f"bare script, {jobs} Jobs of one pod: {found.seconds:.1f} s, {found.jobs_a_second:.0f} Jobs/s created")
    print(f"  {found.usage}")
    return True


def drained(experiments: int, left: Left, workers: int | None = None) -> bool:
    """Print what experiments created at once take."""
    return _show(drain(experiments, left, workers), left)


def latency(experiments: int, a_second: float) -> bool:
    """Print how long first and next Jobs are waited for."""
    found = measure_latencies(experiments, a_second)
    met = True
    print(f"{experiments} experiments of 5 sequential steps, {a_second:g} a second:")
    named = {
        "apply -> first Job": found.first_job,
        "pod succeeded -> next Job": found.after_pod,
        "Job complete -> next Job": found.after_job,
    }
    for name, values in named.items():
        median, late = percentile(values, 50), percentile(values, 99)
        met &= _line(f"{name}, median", median * 1000, 150, "ms") & _line(f"{name}, p99", late * 1000, 1000, "ms")
    print(f"  {found.usage}")
    return met


def quiet(finished: int, running: int, seconds: float) -> bool:
    """Print what the controller does while nothing changes."""
    ended = _show_quiet("finished", rest_finished(finished, seconds))
    return _show_quiet("running", rest_running(running, seconds)) and ended


def flight(experiments: int, seconds: float) -> bool:
    """Print what Jobs in flight take of the controller's memory."""
    found = hold_in_flight(experiments, seconds)
    print(f"{found.jobs} Jobs in flight after {found.seconds:.0f} s; {found.memory:.0f} MB when all is still")
    met = _line("memory peak", found.peak, 400, "MB")
    return _show_quiet("in flight", found.quiet) and met


def growth(sizes: list[int], image: Path) -> bool:
    """Drain ever more experiments and draw the curve."""
    found = [drain(size, "chain") for size in sizes]
    shown = [_show(one, "chain") for one in found]
    draw_curve(found, image)
    print(f"drawn: {image}")
    return all(shown)


def workers(counts: list[int], experiments: int) -> bool:
    """Drain the same experiments with ever more workers; the slowest may take twice as long as the fastest."""
    seconds = []
    for count in counts:
        found = drain(experiments, "chain", count)
        print(f"{count:3} workers: {experiments} experiments of 5 steps {found.seconds:.1f} s")
        print(f"  {found.usage}")
        seconds.append(found.seconds)
    # One worker waits for each of its requests: what counts is that more of them never make it worse.
    return _line("slowest of more than 1 worker to the fastest", max(seconds[1:]) / min(seconds), 2.0, "times")


def _show(found: Drained, left: Left) -> bool:
    steps = found.jobs // found.experiments
    what = f"{found.experiments} experiments of {steps} sequential steps" if steps > 1 else f"{found.experiments} of 1"
    print(f"{what}: all taken by the API server after {found.creating:.1f} s, {found.jobs_a_second:.0f} Jobs/s")
    where = (left, found.experiments)
    met = _line("all succeeded", found.seconds, _SECONDS.get(where), "s")
    if where in _ARGO:
        default, tuned = _ARGO[where]
        beside = f", {tuned} tuned ({found.seconds / tuned:.2f})" if tuned else ""
        print(f"  Argo took {default} s ({found.seconds / default:.2f} of it){beside}")
    if found.experiments >= 100 and steps > 1:
        met &= _line("Jobs created a second (needed/got)", 40 / found.jobs_a_second, 1.0, "")
    written = sum(found.writes.values())
    met &= _line("writes a step", written / found.jobs, _WRITES_A_STEP if steps > 1 else None, f"{dict(found.writes)}")
    print(f"  memory peak {found.memory:.0f} MB; {found.usage}")
    return met


def _show_quiet(what: str, found: Quiet) -> bool:
    print(f"{found.experiments} experiments {what}, {found.seconds:.0f} s without a change:")
    still = _line("writes", sum(found.writes.values()), 0, f"{dict(found.writes)}")
    return _line("CPU", found.cpu * 100, 1.0, "% of a core") and still


def _line(what: str, value: float, target: float | None, unit: str) -> bool:
    if target is None:
        print(f"  {what:45} {value:9.2f} {unit}")
        return True
    met = value <= target
    ratio = f"{value / target:6.2f} of the target" if target else ""
    print(f"  {what:45} {value:9.2f} {unit} (target: at most {target:g}) {ratio}{'' if met else '  MISSED'}")
    return met
