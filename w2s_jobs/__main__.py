"""`python -m w2s_jobs STEP --spec FILE`: run one step, publish its artifact, end with an exit code that says how.

Exit codes: 0 done, 42 this input can never work, 43 a dependency was unavailable, 143 told to stop, 1 a crash.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.metadata
import logging
import os
import platform
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import ValidationError

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.artifact import FileEntry, StepResult
from w2s_jobs.contracts.errors import ExitCode, InputError, JobError
from w2s_jobs.contracts.spec_file import ATTEMPT, complete_spec, unpack_spec
from w2s_jobs.contracts.steps import PARAMS, StepSpec
from w2s_jobs.engines.unused_libraries import leave_out, unused_by
from w2s_jobs.store.disk import foreign_disk_errors, translate_os_error
from w2s_jobs.store.open import open_store
from w2s_jobs.watchdog import Watchdog, leave, leave_within

log = logging.getLogger("w2s_jobs")

_FILES_AT_ONCE = 4
_THREADS = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
"""Variables by which each library learns how many threads a step may have"""
_OBJECTS_A_COLLECTION = 100_000
_QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}
"""What makes the log of a step, and of the processes that it starts, readable, wherever it was started."""


def main(arguments: list[str] | None = None) -> int:
    """Run the step that the arguments name and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m w2s_jobs", description=__doc__)
    parser.add_argument("step", choices=sorted(PARAMS))
    parser.add_argument("--spec", type=Path, required=True, help="JSON file of a StepSpec")
    options = parser.parse_args(arguments)
    try:
        spec = _read_spec(options.spec, options.step)
        if os.environ.get(ATTEMPT):
            from w2s_jobs.log.keeper import keep_log  # botocore takes 0.3 s to import; only a pod's step needs it

            if (code := keep_log(spec)) is not None:
                return code
        _set_up_process(spec)
        return _run(spec)
    except JobError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        translated = translate_os_error(error, Path(error.filename or "."))
        return _fail(str(translated), translated.exit_code)
    except MemoryError:
        return _fail("out of memory; give the step more, or make its batch smaller", ExitCode.CRASHED)
    except Exception as error:  # the last line of defence: a person reads one line, a developer the rest
        traceback.print_exc(file=sys.stdout)
        return _fail(f"{type(error).__name__}: {error} (details for developers are above)", ExitCode.CRASHED)


def _run(spec: StepSpec) -> int:
    stop = threading.Event()
    watchdog = Watchdog(
        spec.execution.no_progress_seconds, lambda words: leave(ExitCode.CRASHED, f"step {spec.kind}: {words}")
    )
    watchdog.start()
    store = open_store(spec.store, watchdog.feed)
    context = StepContext(spec, store, stop, watchdog)
    _stop_on_signals(stop, context)
    if store.read_result(context.ref) is not None:
        log.info("already done")
        return ExitCode.DONE
    started, cpu_started = time.monotonic(), _cpu_seconds()
    params = PARAMS[spec.kind].model_validate(spec.params)
    with foreign_disk_errors(context.work_dir):
        outcome: Outcome = importlib.import_module(f"w2s_jobs.steps.{spec.kind}").run(context, params)
    if not outcome.complete:
        log.info("this part is done; the whole is published by another")
        return ExitCode.DONE
    seconds = time.monotonic() - started
    timings = {
        **outcome.timings,
        "seconds": round(seconds, 3),
        "cpuSeconds": round(_cpu_seconds() - cpu_started, 3),
        "gpuSeconds": round(seconds * spec.execution.gpus * spec.execution.shards * spec.execution.nodes, 3),
    }
    first = store.write_result(_publish(context, outcome, timings))
    log.info("done in %.1f s%s", seconds, "" if first else " (another attempt was first)")
    shutil.rmtree(context.work_dir, ignore_errors=True)
    return ExitCode.DONE


def _publish(context: StepContext, outcome: Outcome, timings: dict[str, float]) -> StepResult:
    """Store the files of the attempt and build the result that names them."""
    attempt = context.execution.attempt
    files = sorted(outcome.files.items())

    def put(file: tuple[str, Path]) -> FileEntry:
        entry = context.store.put(context.ref, attempt, *file)
        context.watchdog.feed()
        return entry

    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        stored = list(pool.map(put, files))
    parts = [entry.model_copy(update={"name": name}) for name, entry in sorted(outcome.parts.items())]
    spec: dict[str, Any] = context.spec.model_dump(mode="json", by_alias=True, include={"params", "inputs"})
    return StepResult(
        kind=context.ref.kind,
        key=context.ref.key,
        attempt=attempt,
        spec=spec,
        files=tuple(stored + parts),
        metrics=dict(outcome.metrics),
        timings=timings,
        versions={
            "python": platform.python_version(),
            "w2s": importlib.metadata.version("w2s"),
            **outcome.versions,
        },
    )


def _read_spec(path: Path, step: str) -> StepSpec:
    try:
        spec = complete_spec(StepSpec.model_validate_json(unpack_spec(path.read_bytes())), os.environ)
        PARAMS[spec.kind].model_validate(spec.params)
    except OSError as error:
        raise InputError(f"cannot read the spec {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "(whole file)"
        raise InputError(f"spec {path}: {where}: {first['msg']}; got {str(first['input'])[:200]}") from error
    except ValueError as error:
        raise InputError(f"spec {path}: {error}") from error
    if spec.kind != step:
        raise InputError(f"spec {path} is for step '{spec.kind}', but step '{step}' was started")
    return spec


def _set_up_process(spec: StepSpec) -> None:
    """Set what must be there before heavy libraries are imported: threads, log lines that say whose they are."""
    for name in _THREADS:
        os.environ[name] = str(spec.execution.threads)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    # Imports of torch and transformers make millions of objects that stay. Python's own threshold, 700, looks through
    # them again and again: a sixth of their CPU time.
    gc.set_threshold(_OBJECTS_A_COLLECTION)
    leave_out(unused_by(spec))
    where = f"{spec.kind}/{spec.key[:8]} attempt {spec.execution.attempt}"
    if spec.execution.shards > 1:
        where += f" shard {spec.execution.shard}"
    if spec.execution.nodes > 1:
        where += f" node {spec.execution.node}"
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format=f"%(asctime)s %(levelname).1s {where}: %(message)s"
    )
    Path(spec.execution.work_dir).mkdir(parents=True, exist_ok=True)


def _stop_on_signals(stop: threading.Event, context: StepContext) -> None:
    grace = context.execution.grace_seconds

    def _handle(number: int, _frame: FrameType | None) -> None:
        log.info("told to stop (%s)", signal.Signals(number).name)
        if context.is_fetching:
            leave(
                ExitCode.STOPPED, f"step {context.ref} was told to stop while it fetched its inputs; run again to go on"
            )
        if grace is not None and not stop.is_set():
            leave_within(grace, str(context.ref))
        stop.set()

    signal.signal(signal.SIGTERM, _handle)
    signal.signal(signal.SIGINT, _handle)


def _cpu_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def _fail(message: str, code: ExitCode) -> int:
    sys.stdout.flush()
    print(f"error: {message}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
