from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.report_files import FILES, Reports, bytes_of
from tests.support.survey_files import SURVEYS, run_survey, survey_of, write_survey
from tests.support.survey_rows import write_survey_store
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.contracts.survey_results import AGREEMENT_CLASSES, SurveyResults
from w2s_jobs.store.checksum import file_entry
from w2s_jobs.store.rows import read_rows, write_rows

every_survey = pytest.mark.parametrize("name", SURVEYS)


@every_survey
def test_a_survey_is_four_files_for_every_shape_of_experiment(surveys: Reports, name: str) -> None:
    files = surveys(name)
    assert files.keys() == FILES
    assert all(path.stat().st_size > 0 for path in files.values())
    results = survey_of(files)
    assert results.verdict.headline in files["report.html"].read_text()
    assert "nan" not in files["results.json"].read_text().lower()


def test_two_runs_over_the_same_rows_give_the_same_bytes(surveys: Reports, tmp_path: Path) -> None:
    assert bytes_of(surveys("two pairs")) == bytes_of(run_survey(tmp_path, write_survey(tmp_path, "two pairs")))


def test_the_order_of_rows_in_files_changes_nothing(surveys: Reports, tmp_path: Path) -> None:
    spec = write_survey(tmp_path, "one capability")
    before = bytes_of(surveys("one capability"))
    for role, schema in (("scored", "scored"), ("votes", "votes"), ("kept", "examples"), ("gold", "examples")):
        for item in spec.inputs[role]:
            rewrite(tmp_path, item, schema, reverse=True)
    after = bytes_of(run_survey(tmp_path, spec))
    assert before["results.json"] == after["results.json"]
    assert before["results.csv"] == after["results.csv"]


def test_the_order_of_a_mapping_changes_nothing_since_keys_do_not_know_it(surveys: Reports, tmp_path: Path) -> None:
    spec = write_survey(tmp_path, "everything")
    turned = StepSpec.model_validate(backwards(spec.model_dump(mode="json", by_alias=True)))
    assert (turned.params, turned.key) == (spec.params, spec.key)
    before, after = bytes_of(surveys("everything")), bytes_of(run_survey(tmp_path, turned))
    assert before["results.json"] == after["results.json"]
    assert before["results.csv"] == after["results.csv"]


def backwards(value: Any) -> Any:
    """Turn the order of every mapping round."""
    if isinstance(value, dict):
        return {name: backwards(value[name]) for name in reversed(value)}
    return [backwards(each) for each in value] if isinstance(value, list) else value


@every_survey
def test_each_setting_has_a_row_a_capability_and_one_for_the_average(surveys: Reports, name: str) -> None:
    files = surveys(name)
    results = survey_of(files)
    rows = list(csv.DictReader(files["results.csv"].read_text().splitlines()))
    assert [(row["setting"], row["capability"]) for row in rows] == [
        (setting.name, capability) for setting in results.settings for capability in ("average", *setting.capabilities)
    ]
    assert {row["setting"] for row in rows if row["pgr"] == "" and row["pgr_reason"] == ""} == set()


@every_survey
def test_every_count_of_agreement_is_of_all_questions(surveys: Reports, name: str) -> None:
    results = survey_of(surveys(name))
    sizes = {"test": results.test_questions, "unlabelled": results.unlabelled_questions}
    for agreement in results.agreements:
        for capability, counts in agreement.capabilities.items():
            total = sum(getattr(counts, each) for each in AGREEMENT_CLASSES)
            assert total == sizes[agreement.on][capability] * len(agreement.seeds)


def test_agreement_on_the_test_split_adds_up_to_the_accuracy_of_both_models(surveys: Reports) -> None:
    results = survey_of(surveys("everything"))
    correct = {s.name: s.capabilities for s in results.settings}
    tests = [a for a in results.agreements if a.on == "test"]
    assert {(a.first, a.second) for a in tests} == {("weak", "wts"), ("wts", "wts-2")}
    for agreement in tests:
        pair = f"{agreement.weak}-{agreement.model}"
        first = f"weak/{agreement.weak}" if agreement.first == "weak" else f"wts/{pair}"
        for capability, counts in agreement.capabilities.items():
            for name, right in ((first, counts.first_right), (f"{agreement.second}/{pair}", counts.second_right)):
                accuracy = correct[name][capability].accuracy
                mean = (counts.both_right + right) / len(agreement.seeds)
                assert mean == pytest.approx(accuracy.correct, abs=2e-3)


def test_what_a_model_learnt_from_is_what_its_selection_kept(surveys: Reports) -> None:
    results = survey_of(surveys("everything"))
    settings = {s.name: s for s in results.settings}
    assert settings["weak/0.5b"].examples is None
    assert settings["ceiling/1.8b"].label_correctness == 1
    for quality in results.labels:
        for rule, kept in quality.average.selected.items():
            setting = settings[f"selected-{rule}/{quality.weak}-{quality.model}"]
            assert setting.examples == pytest.approx(kept.kept)
        wts = settings[f"wts/{quality.weak}-{quality.model}"]
        assert wts.examples == quality.average.offered
        assert wts.label_correctness == pytest.approx(quality.average.weak, abs=1e-5)
        clean = settings[f"clean/{quality.weak}-{quality.model}"]
        assert clean.label_correctness == 1


def test_rewards_are_judged_for_all_capabilities_together_and_for_each(surveys: Reports) -> None:
    results = survey_of(surveys("everything"))
    assert [r.capability for r in results.rewards] == [None, *results.capabilities] * 2
    sharp = {r.auc for r in results.rewards}
    assert all(auc is not None and auc > 0.9 for auc in sharp)
    (together, *_) = survey_of(surveys("blind rewards")).rewards
    assert together.auc is not None
    assert abs(together.auc - 0.5) < 0.15


def test_partial_credit_stands_where_the_task_gives_any(surveys: Reports) -> None:
    for setting in survey_of(surveys("everything")).settings:
        credit = {name: score.partial_credit for name, score in setting.capabilities.items()}
        assert credit.pop("mctaco") is not None
        assert set(credit.values()) == {None}
        assert setting.average.partial_credit is None


def test_trainings_are_named_after_their_points(surveys: Reports) -> None:
    names = [entry.name for entry in survey_of(surveys("everything")).losses]
    assert "weak/0.5b/seed0 gsm8k" in names
    assert "wts/0.5b-1.8b/seed0" in names
    assert "selected-reward/0.5b-1.8b/seed1 2 of 2" in names
    assert len(names) == len(set(names))


def test_the_verdict_calls_nothing_a_gain_that_may_be_none(surveys: Reports) -> None:
    results = survey_of(surveys("one capability"))
    (selected,) = [s for s in results.settings if s.name.startswith("selected-reward/")]
    assert selected.average.difference is not None
    assert not selected.average.difference.better
    assert "showed no gain" in results.verdict.headline
    assert "baselines only" in survey_of(surveys("baselines only")).verdict.headline
    assert "nothing shows" in survey_of(surveys("no conventional")).verdict.headline


def test_pgr_over_a_gap_that_may_be_zero_is_not_said_and_a_note_says_why(surveys: Reports) -> None:
    results = survey_of(surveys("no gap"))
    said = " ".join(results.verdict.sentences)
    assert "PGR says little" in said
    assert ", PGR " not in said
    assert any("PGR divides by noise" in note for note in results.notes)


def test_notes_name_what_weakens_the_numbers(surveys: Reports) -> None:
    notes = "\n".join(survey_of(surveys("everything")).notes)
    assert "Few test questions: gsm8k (100)" in notes
    assert "2 seeds" in notes
    assert "always answering" in notes
    assert "One seed:" in "\n".join(survey_of(surveys("two pairs")).notes)


def test_results_are_read_back_as_they_were_written(surveys: Reports) -> None:
    text = surveys("everything")["results.json"].read_text()
    results = SurveyResults.model_validate_json(text)
    assert json.loads(text) == results.model_dump(mode="json", by_alias=True)


def test_an_input_that_a_point_names_and_nobody_gives_is_an_error_that_names_both(tmp_path: Path) -> None:
    spec = write_survey(tmp_path, "one capability")
    for role in ("scored", "votes", "kept", "scores", "gold"):
        lacking = spec.model_copy(update={"inputs": {**spec.inputs, role: spec.inputs[role][1:]}})
        with pytest.raises(InputError, match=f"needs the artifact {spec.inputs[role][0].key[:12]}.*'{role}'"):
            run_survey(tmp_path, lacking)


def test_evaluations_of_other_questions_are_refused(tmp_path: Path) -> None:
    spec = write_survey(tmp_path, "one capability")
    rewrite(tmp_path, spec.inputs["scored"][0], "scored", drop=1)
    with pytest.raises(InputError, match="not about the same test questions"):
        run_survey(tmp_path, spec)


@pytest.mark.parametrize(("role", "schema"), [("votes", "votes"), ("scores", "scores")])
def test_labels_and_rewards_must_cover_the_gold(tmp_path: Path, role: str, schema: str) -> None:
    spec = write_survey(tmp_path, "one capability")
    rewrite(tmp_path, spec.inputs[role][0], schema, drop=3)
    with pytest.raises(InputError, match=f"{role} {spec.inputs[role][0].key[:12]} lack 3 of 100 rows"):
        run_survey(tmp_path, spec)


def test_kept_rows_must_be_of_the_capability(tmp_path: Path) -> None:
    spec = write_survey(tmp_path, "one capability")
    rewrite(tmp_path, spec.inputs["gold"][0], "examples", drop=1)
    with pytest.raises(InputError, match="gold lack 1 of"):
        run_survey(tmp_path, spec)


def test_rows_that_a_reward_model_scored_for_another_capability_are_not_in_the_way(tmp_path: Path) -> None:
    design = SURVEYS["two pairs"]
    results = survey_of(run_survey(tmp_path, write_survey_store(tmp_path, design)))
    assert {r.labels for r in results.rewards if r.capability is not None} == {design.unlabelled}


def rewrite(root: Path, item: Input, schema: str, drop: int = 0, reverse: bool = False) -> None:
    """Replace the first file of an artifact by one whose rows are fewer or in another order."""
    result_path = root / "store" / item.kind / item.key / "result.json"
    result = json.loads(result_path.read_text())
    entry = next(e for e in result["files"] if e["name"].startswith(item.file))
    path = result_path.parent / entry["path"]
    rows = read_rows(path, schema)[drop:]
    write_rows(path, schema, rows[::-1] if reverse else rows)
    fresh = file_entry(entry["name"], entry["path"], path).model_dump(mode="json", by_alias=True)
    result["files"] = [fresh if e["name"] == entry["name"] else e for e in result["files"]]
    result_path.write_text(json.dumps(result))
