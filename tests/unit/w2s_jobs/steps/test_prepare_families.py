"""A manifest for each family compiles, and its prepare steps run on the real files; one file can serve every split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.cli.experiment_file import read_plan
from tests.support.steps import Bench
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.families import FAMILIES
from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.contracts.step_params import PrepareParams
from w2s_jobs.tasks.registry import get_family

TINY = Path(__file__).parents[3] / "e2e" / "tiny.yaml"
SOURCES: dict[str, dict[str, str]] = {
    "gsm8k": {"path": "gsm8k", "train": "train.jsonl", "test": "test.head800.jsonl"},
    "math": {"path": "math", "pool": "math500.head300.jsonl"},
    "scan": {"path": "scan", "train": "simple_train.head4000.txt", "test": "simple_test.head1000.txt"},
    "commonsenseqa": {"path": "commonsenseqa"},
    "creak": {"path": "creak"},
    "ecqa": {"path": "ecqa", "train": "cqa_data_val.csv", "test": "cqa_data_test.head700.csv"},
    "esnli": {"path": "esnli"},
    "mctaco": {"path": "mctaco", "pool": "dev_3783.tsv"},
    "openbookqa": {"path": "openbookqa"},
    "sciq": {"path": "sciq", "pool": "joined_test.head500.jsonl"},
}

SPLITS = {"pretrain": 40, "labelled": 40, "unlabelled": 80, "test": 40}


def manifest_of(name: str, source: dict[str, str], data: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(TINY.read_text())
    manifest["spec"]["task"] = {"family": name}
    manifest["spec"]["dataset"] = {
        "source": {**source, "path": str(data / source["path"])},
        "splits": SPLITS,
        "onBadRecord": "skip",
    }
    return manifest


def test_every_family_has_a_manifest_here() -> None:
    assert set(SOURCES) == set(FAMILIES)


@pytest.mark.parametrize("name", SOURCES)
def test_a_manifest_of_the_family_compiles_and_its_prepare_steps_run(
    real_data: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(yaml.safe_dump(manifest_of(name, SOURCES[name], real_data)))
    _, plan = read_plan(file)
    bench = Bench(tmp_path)
    questions: dict[str, set[str]] = {}
    for step in plan.steps:
        if isinstance(step.params, PrepareParams):
            result = bench.run("prepare", step.params.model_dump(mode="json", by_alias=True), {})
            part = "questions" if step.params.part == "questions" else "examples"
            rows = bench.rows(result, f"{part}.parquet", part)
            assert len(rows) == SPLITS[step.params.split]
            questions.setdefault(step.params.split, set()).update(row["question"] for row in rows)
    assert set(questions) == set(SPLITS)
    assert sum(len(part) for part in questions.values()) == len(set.union(*questions.values())) == sum(SPLITS.values())


def creak_lines(count: int) -> str:
    line = '{{"sentence": "Claim {}.", "explanation": "It is so.", "label": "true"}}\n'
    return "".join(line.format(n) for n in range(count))


def prepare(bench: Bench, source: dict[str, str], **splits: int | None) -> Any:
    values = {"task": {"family": "creak"}, "source": source, "split": "unlabelled", "part": "questions"}
    return bench.run("prepare", {**values, "splits": splits}, {})


def test_one_file_serves_every_split_and_a_repeated_question_is_in_one_only(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text(creak_lines(10) + creak_lines(3))
    source = {"path": str(tmp_path), "pool": "all.json"}
    result = prepare(bench, source, labelled=3, unlabelled=None, test=4)
    assert result.metrics == {"rows": 3, "skippedRecords": 0, "repeatedRecords": 3}


def test_a_missing_pool_is_named(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file all.json; name the file"):
        prepare(bench, {"path": str(tmp_path), "pool": "all.json"}, unlabelled=3, test=4)


@pytest.mark.parametrize("name", SOURCES)
def test_gold_as_a_bare_answer_says_the_same_answer_as_the_whole_text(
    real_data: Path, tmp_path: Path, name: str
) -> None:
    source = {**SOURCES[name], "path": str(real_data / SOURCES[name]["path"])}
    values = {
        "task": {"family": name},
        "source": source,
        "splits": SPLITS,
        "split": "labelled",
        "part": "gold",
        "onBadRecord": "skip",
    }
    bench = Bench(tmp_path)
    text, bare = (
        bench.rows(bench.run("prepare", {**values, "completion": completion}, {}), "examples.parquet", "examples")
        for completion in ("text", "answer")
    )
    family = get_family(TaskSettings(family=name))
    assert [{**row, "completion": None} for row in bare] == [{**row, "completion": None} for row in text]
    for row in bare:
        assert row["completion"] == family.format_answer(row["answer"])
        found = family.extract(row["completion"])
        assert found is not None, row
        assert family.equal(found, row["answer"]), row
