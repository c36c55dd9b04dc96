"""Nothing is computed twice."""

from __future__ import annotations

import json


def test_the_second_run_computes_nothing_and_says_so(undisturbed):
    before = undisturbed.results()
    report = undisturbed.report_bytes()
    again = undisturbed.run()
    assert again.returncode == 0, again.stdout
    assert f"nothing to compute: all {len(before)} steps are finished" in again.stdout
    assert "started" not in again.stdout
    assert undisturbed.results() == before
    assert undisturbed.report_bytes() == report


def test_a_run_prints_the_table_and_the_path_of_the_report(undisturbed):
    printed = undisturbed.run().stdout
    for row in ("weak model", "ceiling", "round 1, t = 40", "round 2, t = 40 → 40"):
        assert row in printed
    path = undisturbed.runs / "report.html"
    assert f"report: {path}" in printed
    assert path.read_text().lstrip().lower().startswith("<!doctype html>")
    assert {p.name for p in undisturbed.runs.iterdir()} >= {"results.json", "results.csv", "cost.json"}


def test_changing_one_threshold_runs_only_what_depends_on_it(finished, manifest):
    before = finished.plan_keys()
    changed = manifest()
    changed["spec"]["method"]["confidence"]["rounds"][1]["thresholds"] = [60]
    finished.write(changed)
    after = finished.plan_keys()
    old = finished.results()
    done = finished.run()
    assert done.returncode == 0, done.stdout
    assert {path: old[path] for path in old} == {path: finished.results()[path] for path in old}
    made = {path.parent.name for path in finished.results()} - {path.parent.name for path in old}
    assert made == set(after) - set(before)
    assert sorted(after[key].split()[0] for key in made) == ["evaluate", "report", "sample", "select", "train"]
    assert f"{len(after)} steps: 5 computed, {len(after) - 5} reused" in done.stdout


def test_the_same_experiment_under_another_name_makes_only_its_report(finished, manifest):
    renamed = manifest()
    renamed["metadata"]["name"] = "tiny-again"
    finished.write(renamed)
    done = finished.run()
    assert done.returncode == 0, done.stdout
    assert ": 1 computed" in done.stdout


def test_an_invalidated_artifact_is_made_again_with_the_same_outcome(finished):
    report = finished.report_bytes()
    keys = {name: key for key, name in finished.plan_keys().items()}
    chosen = keys["evaluate weak/seed0"]
    for artifact in (f"evaluate/{chosen[:10]}", f"report/{keys['report'][:10]}"):
        forgotten = finished.invalidate(artifact)
        assert forgotten.returncode == 0, forgotten.stderr
    done = finished.run()
    assert "2 computed" in done.stdout, done.stdout
    assert finished.report_bytes() == report


def test_costs_tell_what_sharing_saved(undisturbed):
    cost = json.loads((undisturbed.runs / "cost.json").read_text())
    assert cost
