"""`w2s plan`, `w2s validate` and what `w2s` does with a failure."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.cli import main
from controller.cli.main import COMMANDS, w2s
from controller.cli.plan import command as plan_command
from controller.cli.store_option import choose_store
from controller.cli.validate import command as validate_command
from w2s_jobs.contracts.artifact import ArtifactRef, StepResult
from w2s_jobs.contracts.errors import DependencyError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.open import open_store

PLANS = Path(__file__).parents[3] / "golden" / "plans"
MANIFEST = str(PLANS / "two-rounds.yaml")
PRICED = str(Path(__file__).parents[4] / "examples" / "gsm8k-one-gpu.yaml")


def plan_json(*arguments: str) -> dict:
    result = CliRunner().invoke(plan_command, [*arguments, "-o", "json"], catch_exceptions=False)
    return json.loads(result.stdout)


def test_the_table_shows_every_step_and_says_what_is_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(plan_command, [MANIFEST, "--store", str(tmp_path)], catch_exceptions=False)
    steps = plan_json(MANIFEST, "--store", str(tmp_path))["steps"]
    for step in steps:
        assert step["key"][:8] in result.stdout
        assert step["name"] in result.stdout
    assert f"0 exist in {tmp_path.as_uri()}, {len(steps)} to do" in result.stdout
    assert "GPU-hours: 0" in result.stdout


def test_a_finished_step_is_shown_as_existing(tmp_path: Path) -> None:
    steps = plan_json(MANIFEST, "--store", str(tmp_path))["steps"]
    first = ArtifactRef(kind=steps[0]["kind"], key=steps[0]["key"])
    store = open_store(StoreSettings(uri=tmp_path.as_uri()))
    store.write_result(StepResult(kind=first.kind, key=first.key, attempt="1", spec={}, files=()))
    again = plan_json(MANIFEST, "--store", str(tmp_path))
    assert [step["exists"] for step in again["steps"]] == [True] + [False] * (len(steps) - 1)


def test_a_plan_on_gpus_is_priced_and_says_that_it_is_an_estimate(tmp_path: Path) -> None:
    result = CliRunner().invoke(plan_command, [PRICED, "--store", str(tmp_path)], catch_exceptions=False)
    assert "estimated price: " in result.stdout
    assert "This is an estimate, not a measurement. It assumes:" in result.stdout
    costs = plan_json(PRICED, "--store", str(tmp_path))["estimate"]
    assert 0 < costs["gpuHours"] < costs["gpuHoursWithoutSharing"]
    assert costs["gpuHoursToDo"] == pytest.approx(costs["gpuHours"])
    assert not costs["warnings"]


def test_the_placement_on_pools_is_shown_with_its_reason(tmp_path: Path) -> None:
    result = CliRunner().invoke(plan_command, [PRICED, "--store", str(tmp_path)], catch_exceptions=False)
    assert "  train strong (3.2B) on h100, 34 steps:\n    1 GPU, plain PyTorch: " in result.stdout
    plan = plan_json(PRICED, "--store", str(tmp_path))
    assert {key for one in plan["placements"] for key in one["steps"]} == {
        step["key"] for step in plan["steps"] if step["resources"]["pool"]
    }
    train = next(one for one in plan["placements"] if one["kind"] == "train")
    assert train["parallelism"] == {"zeroStage": None, "offload": False, "ranks": 1, "microBatchSize": 8}
    assert train["fits"]
    assert train["reason"]


def test_a_plan_on_cpus_has_no_placements(tmp_path: Path) -> None:
    assert plan_json(MANIFEST, "--store", str(tmp_path))["placements"] == []


def test_validate_says_how_large_the_experiment_is() -> None:
    result = CliRunner().invoke(validate_command, [MANIFEST], catch_exceptions=False)
    assert result.stdout.startswith(f"{MANIFEST}: two-rounds is valid: ")


def test_help_lists_every_command_and_loads_none() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from controller.cli.main import w2s;"
        "print(CliRunner().invoke(w2s, ['--help']).output);"
        "print([m for m in sys.modules if m.split('.')[0] in ('pydantic', 'rich', 'boto3', 'pyarrow', 'numpy')])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "[]"
    for name in COMMANDS:
        assert f"\n  {name} " in output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_list_exists_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(w2s, [name, "--help"])
    assert result.exit_code == 0
    assert f"Usage: w2s {name}" in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["validate", "nowhere.yaml"],
            42,
            "nowhere.yaml: cannot be read: No such file or directory. Name a manifest\n",
        ),
        (["plan", MANIFEST, "--store", "ftp://x"], 2, "expected a folder, file:///folder or s3://bucket/prefix"),
        (["plam"], 2, "No such command 'plam'"),
    ],
)
def test_a_failure_is_a_message_and_an_exit_code(
    arguments: list[str], code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["w2s", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    captured = capsys.readouterr()
    assert ended.value.code == code
    assert message in captured.err
    assert "Traceback" not in captured.err


def failure_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[object, str]:
    """Run a command that fails; return its exit code and what it said."""
    monkeypatch.setattr(sys, "argv", ["w2s", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "status", "report", "run"])
def test_a_store_that_is_a_file_is_refused_before_anything_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "store"
    file.touch()
    code, said = failure_of(monkeypatch, capsys, command, MANIFEST, "--store", str(file))
    assert (code, said) == (
        42,
        f"store '{file.as_uri()}': {file} is no folder; correct --store or spec.storage\n",
    )


def test_an_empty_store_option_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = failure_of(monkeypatch, capsys, "plan", MANIFEST, "--store", "")
    assert code == 2
    assert "''; expected a folder, file:///folder or s3://bucket/prefix" in said


@pytest.mark.parametrize("command", ["report", "run"])
def test_a_folder_that_cannot_hold_the_runs_is_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_json(MANIFEST, "--store", str(tmp_path / "store"))
    store = open_store(StoreSettings(uri=(tmp_path / "store").as_uri()))
    store.write_result(StepResult(kind="report", key=plan["report"], attempt="1", spec={}, files=()))
    (tmp_path / ".w2s").touch()
    monkeypatch.chdir(tmp_path)
    code, said = failure_of(monkeypatch, capsys, command, MANIFEST, "--store", str(tmp_path / "store"))
    assert code == 42
    assert said.startswith(f"no access to {tmp_path}/.w2s/runs/two-rounds")
    assert "Not a directory" in said


def test_invalidating_what_is_not_there_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train" / "3fa1-a-copy").mkdir(parents=True)  # not ours
    code, said = failure_of(monkeypatch, capsys, "invalidate", "train/3fa1", "--store", str(tmp_path))
    assert code == 1
    assert said.startswith(f"{tmp_path.as_uri()} holds no artifact train/3fa1; --store names another place. ")


def test_an_unavailable_store_ends_with_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Unreachable:
        def finished(self, refs):
            raise DependencyError("store s3://x cannot be reached; check the endpoint")

    monkeypatch.setattr("w2s_jobs.store.open.open_store", lambda settings: Unreachable())
    monkeypatch.setattr(sys, "argv", ["w2s", "plan", MANIFEST])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 43
    assert capsys.readouterr().err == "store s3://x cannot be reached; check the endpoint\n"


def test_a_reader_that_has_enough_causes_no_noise() -> None:
    shell = f"{sys.executable} -m controller plan {MANIFEST} -o json | head -1"
    result = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert result.stdout == "{\n"
    assert result.stderr == ""


def test_the_store_option_wins_over_the_manifest_and_keeps_its_endpoint(experiment) -> None:
    declared = experiment(storage={"uri": "s3://a/b", "endpoint": "https://s3.example", "region": "r"})
    assert choose_store(None, declared).uri == "s3://a/b"
    moved = choose_store("s3://c/d", declared)
    assert (moved.uri, moved.endpoint, moved.region) == ("s3://c/d", "https://s3.example", "r")
    assert choose_store("some/folder", declared) == StoreSettings(uri=Path("some/folder").resolve().as_uri())
    assert choose_store(None).uri == Path(".w2s/store").resolve().as_uri()


def test_a_defect_of_ours_is_said_to_be_one_and_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(settings):
        raise ZeroDivisionError("division by zero")

    monkeypatch.delenv("W2S_TRACEBACK", raising=False)
    monkeypatch.setattr("w2s_jobs.store.open.open_store", broken)
    monkeypatch.setattr(sys, "argv", ["w2s", "plan", MANIFEST])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("ZeroDivisionError: division by zero\nThis is a defect of w2s")
