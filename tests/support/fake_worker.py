"""A process that keeps the contract of `python -m w2s_jobs STEP --spec FILE` and does what a test tells it to.

The file named by W2S_FAKE maps a step's key to a list of behaviours, one for each start of the step (the last one
repeats): `publish` (the default), `exit:<code>`, `wait` (until SIGTERM, then 143), `kill` (itself, SIGKILL), or
`silent` (exit 0 without a result). Every start adds a line to `<W2S_FAKE>.starts`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("--spec", type=Path)
    spec = json.loads(parser.parse_args().spec.read_text())
    script = Path(os.environ["W2S_FAKE"])
    behaviours = json.loads(script.read_text()).get(spec["key"], ["publish"])
    shard = f"{spec['key']}/{spec['execution']['shard']}"
    with Path(f"{script}.starts").open("a+") as starts:
        starts.seek(0)
        before = sum(line.startswith(f"{shard} ") for line in starts)
        visible, threads = os.environ["CUDA_VISIBLE_DEVICES"], spec["execution"]["threads"]
        starts.write(f"{shard} gpus={visible} threads={threads}\n")
    return act(spec, behaviours[min(before, len(behaviours) - 1)])


def act(spec: dict[str, Any], behaviour: str) -> int:
    if behaviour == "publish":
        publish(spec)
        return 0
    if behaviour == "wait":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(stop(spec)))
        print("waiting", flush=True)
        while True:
            signal.pause()
    if behaviour == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "silent":
        return 0
    print("working on it")
    print(f"error: {spec['kind']}/{spec['key'][:12]}: told to fail", file=sys.stderr)
    return int(behaviour.removeprefix("exit:"))


def publish(spec: dict[str, Any]) -> None:
    """Publish into a folder store by hand: importing pydantic would take most of a test's time."""
    home = Path(spec["store"]["uri"].removeprefix("file://")) / spec["kind"] / spec["key"]
    (home / "parts").mkdir(parents=True, exist_ok=True)
    (home / "parts" / str(spec["execution"]["shard"])).touch()
    if len(list((home / "parts").iterdir())) < spec["execution"]["shards"]:
        return
    result = {"kind": spec["kind"], "key": spec["key"], "attempt": "1", "spec": {}, "files": []}
    staged = home / f".staged-{os.getpid()}"
    staged.write_text(json.dumps(result))
    staged.rename(home / "result.json")


def stop(spec: dict[str, Any]) -> int:
    print(f"error: step {spec['kind']} was told to stop; 3 of 5 rows are saved", file=sys.stderr, flush=True)
    return 143


if __name__ == "__main__":
    sys.exit(main())
