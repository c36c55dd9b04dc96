from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_machine_that_keeps_no_bytecode_keeps_it_here() -> None:
    # Without it a run of the quickstart takes twice the CPU time.
    printed = subprocess.run(
        ["make", "--silent", "--eval", "probe: ; @env", "probe"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "PATH=" in printed
    assert "PYTHONDONTWRITEBYTECODE" not in printed
