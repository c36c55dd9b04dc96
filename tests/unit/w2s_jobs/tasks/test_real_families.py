"""The families against the real files, and letters against real model outputs whose grading is known."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.core.answers.labels import Label
from w2s_jobs.store.records import read_records
from w2s_jobs.tasks.family import BadRecordError, JoinsRecords
from w2s_jobs.tasks.registry import get_family

REASONS = json.loads((Path(__file__).parent / "choice_disagreements.json").read_text())


@pytest.mark.parametrize(
    ("name", "file", "good", "bad"),
    [
        ("commonsenseqa", "train.head3000.jsonl", 2749, 0),
        ("commonsenseqa", "valid.head700.jsonl", 634, 0),
        ("creak", "train.head4000.json", 4000, 0),
        ("creak", "dev.head700.json", 700, 0),
        ("creak", "test_without_labels.head300.json", 0, 300),
        ("ecqa", "cqa_data_val.csv", 1086, 4),  # two options have the text of the answer
        ("ecqa", "cqa_data_test.head700.csv", 696, 4),
        ("esnli", "original_text_train988.jsonl", 988, 0),
        ("esnli", "original_text_dev.head600.jsonl", 600, 0),
        ("esnli", "official_dev_tokenised.head3000.jsonl.gz", 2863, 0),
        ("mctaco", "dev_3783.tsv", 561, 0),
        ("openbookqa", "train.head2000.jsonl", 2000, 0),
        ("openbookqa", "dev.head300.jsonl", 300, 0),
        ("openbookqa", "test.head300.jsonl", 300, 0),
        ("openbookqa", "test_complete.head300.jsonl", 300, 0),
        ("sciq", "joined_test.head500.jsonl", 500, 0),
        ("sciq", "mc_test.head500.jsonl", 500, 0),
        ("sciq", "direct_answer_validation.head400.csv", 0, 400),  # it has no distractors
    ],
)
def test_every_record_is_a_question_that_states_its_own_gold_or_is_counted(
    real_data: Path, name: str, file: str, good: int, bad: int
) -> None:
    family = get_family(TaskSettings(family=name))
    assert isinstance(family, JoinsRecords)
    found, refused = [], 0
    for _, record in family.join(read_records(real_data / name / file)):
        try:
            found.append(family.parse(record))
        except BadRecordError:
            refused += 1
    assert (len(found), refused) == (good, bad)
    assert [row for row in found if family.extract(row.completion) != row.answer] == []
    assert [row for row in found if family.extract(family.format_answer(row.answer)) != row.answer] == []
    assert [row for row in found if family.canonical(row.answer) != row.answer] == []


def commonsenseqa_outputs(folder: Path) -> Iterator[tuple[str, str, str, bool]]:
    for file in sorted((folder / "commonsenseqa_model_outputs").glob("*.jsonl.gz")):
        with gzip.open(file, "rt") as stream:
            for record in map(json.loads, stream):
                for style in ("vanilla", "cot"):
                    place = f"{file.name.split('.shared')[0]} {style} {record['id']}"
                    yield place, record[style]["generation"][0], record["answerKey"], bool(record[style]["score"])


def openbookqa_outputs(folder: Path) -> Iterator[tuple[str, str, str, bool]]:
    for line in (folder / "openbookqa_model_outputs" / "llm_adapters_7runs.idx0-299.jsonl").read_text().splitlines():
        record = json.loads(line)
        for run in record["runs"]:
            yield f"{run['run']} {record['index']}", run["response"], record["answerKey"], run["log_correct"]


@pytest.mark.parametrize(("outputs", "options"), [(commonsenseqa_outputs, 5), (openbookqa_outputs, 4)])
def test_letters_of_real_outputs_are_graded_as_their_authors_did(real_data: Path, outputs, options: int) -> None:
    domain = Label(options)
    graded = [(place, domain.extract(text) == gold, right) for place, text, gold, right in outputs(real_data)]
    differ = {place: ours for place, ours, right in graded if ours != right}
    print(f"{outputs.__name__}: agreement {len(graded) - len(differ)} of {len(graded)}")
    assert 1 - len(differ) / len(graded) >= 0.995
    assert [place for place, ours in differ.items() if ours] == [], "graded right by us and wrong by the authors"
    listed = set(REASONS[outputs.__name__])
    assert set(differ) == listed, "each disagreement stands in choice_disagreements.json with its reason"
