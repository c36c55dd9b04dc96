"""docs/new-family.md works: each of its blocks is put in place or run, in a copy of the repository."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<how>file|into)=(?P<path>\S+))?\n(?P<code>.*?)^```$", re.M | re.S)
COMMANDS = {
    "python": [sys.executable],
    "w2s": [sys.executable, "-P", "-c", "from controller.cli.main import main; main()"],
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code with data as the tutorial supposes it."""
    for name in ("controller", "w2s_jobs", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(command: str, folder: Path) -> None:
    program, *arguments = shlex.split(command)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")} | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        [*COMMANDS[program], *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_every_block_of_the_tutorial_works(copy: Path) -> None:
    blocks = list(BLOCK.finditer((ROOT / "docs" / "new-family.md").read_text()))
    record = json.loads(next(block["code"] for block in blocks if block["language"] == "json"))
    (copy / "data").mkdir()
    for name, first, count in (("train", 0, 20), ("test", 100, 8)):
        lines = [json.dumps({**record, "country": f"Country {number}"}) for number in range(first, first + count)]
        (copy / "data" / f"{name}.jsonl").write_text("\n".join(lines))
    ran = 0
    for block in blocks:
        match block["how"], block["language"]:
            case "file", _:
                (copy / block["path"]).write_text(block["code"])
            case "into", _:
                table = copy / block["path"]
                before, head, after = table.read_text().partition("FAMILIES: Mapping[str, FamilyFigures] = {\n")
                assert head, f"{block['path']} has no table FAMILIES"
                table.write_text(before + head + block["code"] + after)
            case _, "sh":
                for command in block["code"].splitlines():
                    run(command, copy)
                    ran += 1
    assert ran == 3
