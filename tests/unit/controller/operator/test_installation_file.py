"""A bad installation file is a message: file, line, field, value, what was expected, the fix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from controller.errors import W2sError
from controller.operator.installation_file import read_installation

GOOD = """\
stores:
  - name: main
    settings: {uri: s3://experiments/w2s, endpoint: https://s3.example.com}
    credentials: {secretName: w2s-store}
defaultStore: main
pools:
  - name: h100
    gpu: H100-80GB
    memoryPerGpu: 120Gi
workers:
  image: registry.example.com/w2s-worker:1
  scratch: 20Gi
"""


def refusal(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "installation.yaml"
    file.write_text(text)
    with pytest.raises(W2sError) as refused:
        read_installation(file)
    return [line.removeprefix(f"{file}: ") for line in str(refused.value).splitlines()]


def test_a_good_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "installation.yaml"
    file.write_text(GOOD)
    installation = read_installation(file)
    assert (installation.default_store, installation.pools[0].memory_per_gpu) == ("main", "120Gi")


def test_the_installation_of_the_page_is_a_good_one(tmp_path: Path) -> None:
    file = tmp_path / "installation.yaml"
    page = (Path(__file__).parents[4] / "docs" / "operator.md").read_text()
    file.write_text(page.split("```yaml")[1].split("```")[0])
    assert read_installation(file).pools[0].gpu == "H100-80GB"


QUANTITY = "expected bytes as Kubernetes writes them, such as 64Gi, 500M or 1073741824"


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("120Gi", "120GB", f"line 9: pools[0].memoryPerGpu: '120GB' is not valid; {QUANTITY}"),
        (
            " 20Gi",
            " 20",
            "line 12: workers.scratch: 20 is not valid; expected a text; put it in quotes if it looks like",
        ),
        ("H100-80GB", "H100", "line 8: pools[0].gpu: 'H100' is not known; expected one of A100-40GB, "),
        ("gpu: H", "gpus: H", "line 8: pools[0].gpus: unknown field. Did you mean 'gpu'? Known fields here: name, "),
        ("uri: s3:", "uri: ftp:", "line 3: stores[0].settings.uri: 'ftp://experiments/w2s' is not valid; expected a "),
        ("Store: main", "Store: mian", "line 5: defaultStore: 'mian' is no store of this installation; expected one "),
        ("  scratch: 20Gi", "  scratch:", "line 12: workers.scratch: null is not valid; expected a text; "),
        ("workers:", "workers: &a {<<: *a}\nworkers:", "line 10: an alias that contains itself"),
        ("workers:", "pools: []\nworkers:", "line 10: pools is given twice, first in line 6. Remove one"),
        ("workers:", "workers: [", "line 12, column 10: not YAML: expected ',' or ']', but got ':'. Check the "),
    ],
)
def test_what_is_wrong_is_said_with_its_line_value_and_fix(tmp_path: Path, good: str, bad: str, expected: str) -> None:
    assert GOOD.count(good) == 1
    (line,) = refusal(tmp_path, GOOD.replace(good, bad))
    assert line.startswith(expected)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    lines = refusal(tmp_path, GOOD.replace("120Gi", "x").replace("20Gi", "y").replace("defaultStore: main\n", "x: 1\n"))
    assert [line.partition(": ")[0] for line in lines] == ["line 5", "line 9", "line 12"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty; expected an installation. docs/operator.md shows one"),
        ("- main", "expected a mapping with stores, defaultStore, pools, workers; got a list"),
    ],
)
def test_a_file_that_is_no_installation_is_told_what_one_is(tmp_path: Path, text: str, expected: str) -> None:
    assert refusal(tmp_path, text) == [expected]


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(W2sError, match=r"nowhere\.yaml: cannot be read: No such file or directory\. Name the install"):
        read_installation(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"stores: \xff")
    with pytest.raises(W2sError, match=r"bytes\.yaml: byte 8: not UTF-8\. Save the file as UTF-8 text"):
        read_installation(tmp_path / "bytes.yaml")


def test_the_controller_does_not_start_with_a_bad_file(tmp_path: Path) -> None:
    file = tmp_path / "installation.yaml"
    file.write_text("defaultStore: main\n")
    command = [sys.executable, "-m", "controller", "controller", "--settings", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 42
    assert ended.stderr.startswith(f"{file}: line 1: defaultStore: 'main' is no store of this installation; expected ")
    assert "Traceback" not in ended.stderr
