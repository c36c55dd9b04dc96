"""What a small step on a CPU spends before its work begins: with what torch and transformers find, and without.

    python -m benchmarks.step_start [--times 5]

CPU seconds of a process that loads the engines, the least of several, in turns. Prints their ratio.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

from w2s_jobs.engines.unused_libraries import UNUSED

PROGRAM = """
import gc, sys
gc.set_threshold(100_000)
from w2s_jobs.engines.unused_libraries import leave_out
leave_out(tuple(sys.argv[1:]))
import w2s_jobs.engines.open_sampler, w2s_jobs.engines.trainer
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
"""


def cpu_seconds(unused: tuple[str, ...]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", PROGRAM, *unused], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    seconds: dict[tuple[str, ...], list[float]] = {(): [], UNUSED: []}
    for _ in range(parser.parse_args().times):
        for unused, found in seconds.items():
            found.append(cpu_seconds(unused))
    every, least = (min(found) for found in seconds.values())
    print(f"all that is installed  {every:5.2f} s of CPU time")
    print(f"without the unused     {least:5.2f} s of CPU time")
    print(f"ratio                  {least / every:5.2f}")


if __name__ == "__main__":
    main()
