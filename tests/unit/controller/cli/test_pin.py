"""What a manifest names by a local path is pinned by its content."""

from pathlib import Path

import pytest

from controller.cli.experiment_file import read_experiment, read_plan
from controller.errors import InvalidExperiment
from w2s_jobs.store.model_folder import model_folder_sha256

MANIFEST = """
apiVersion: w2s.dev/v1alpha1
kind: WeakToStrongExperiment
metadata: {name: local}
spec:
  task: {family: gsm8k}
  dataset:
    source: {path: data}
    splits: {unlabelled: 2, test: 1}
  models:
    weak: {source: {path: weak}}
    strong: {source: {path: strong}}
  method: {confidence: {rounds: [{thresholds: [50]}]}}
"""

SEVERAL = """
apiVersion: w2s.dev/v1alpha1
kind: WeakToStrongExperiment
metadata: {name: local}
spec:
  capabilities:
    - {name: one, task: {family: gsm8k}, dataset: {source: {path: data}, splits: {labelled: 1, unlabelled: 1, test: 1}}}
    - {name: two, task: {family: sciq}, dataset: {source: {path: more}, splits: {labelled: 1, unlabelled: 1, test: 1}}}
  models:
    chain:
      - {name: small, source: {path: weak}}
      - {name: large, source: {path: strong}}
  method: {reward: {}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Lay out a manifest with its data and models."""
    place = tmp_path / "here"
    for name in ("data", "weak", "strong"):
        (place / name).mkdir(parents=True)
    (place / "data" / "train.jsonl").write_text("{}\n")
    (place / "data" / "test.jsonl").write_text("{}\n{}\n")
    for name in ("weak", "strong"):
        (place / name / "config.json").write_text(f'{{"name": "{name}"}}')
        (place / name / "model.safetensors").write_bytes(name.encode())
    (place / "experiment.yaml").write_text(MANIFEST)
    return place


def keys(folder: Path) -> set[str]:
    return {step.key for step in read_plan(folder / "experiment.yaml")[1].steps}


def test_the_same_data_in_another_folder_has_the_same_keys(folder: Path) -> None:
    before = keys(folder)
    moved = folder.rename(folder.parent / "elsewhere")
    assert keys(moved) == before


def test_a_changed_record_changes_the_keys(folder: Path) -> None:
    before = keys(folder)
    (folder / "data" / "train.jsonl").write_text("{} \n")
    assert not keys(folder) & before


def test_a_changed_weight_changes_the_keys_of_what_the_model_makes(folder: Path) -> None:
    before = keys(folder)
    (folder / "weak" / "model.safetensors").write_bytes(b"other")
    after = keys(folder)
    assert after & before  # the data and the ceiling stay
    assert after - before


def test_hidden_files_of_a_model_folder_play_no_part(folder: Path) -> None:
    before = model_folder_sha256(folder / "weak")
    (folder / "weak" / ".cache").mkdir()
    (folder / "weak" / ".cache" / "lock").write_text("x")
    assert model_folder_sha256(folder / "weak") == before
    (folder / "weak" / "model.safetensors").rename(folder / "weak" / "renamed.safetensors")
    assert model_folder_sha256(folder / "weak") != before


def test_everything_that_is_missing_is_said_at_once_with_its_line_and_field(folder: Path) -> None:
    (folder / "data" / "train.jsonl").unlink()
    (folder / "data" / "test.jsonl").unlink()
    (folder / "strong" / "config.json").unlink()
    with pytest.raises(InvalidExperiment) as refused:
        read_experiment(folder / "experiment.yaml")
    first, second = refused.value.problems
    assert first.startswith("line 8: spec.dataset.source.path: ")
    assert "holds no .jsonl" in first
    assert second.startswith("line 12: spec.models.strong.source.path: 'strong' is no model folder")


@pytest.mark.parametrize(
    ("source", "field", "words"),
    [
        ("{path: nowhere}", "path", "is no folder"),
        ("{path: data, train: a.jsonl, test: test.jsonl}", "train", "'a.jsonl' cannot be read"),
        (f"{{path: data, sha256: {{train.jsonl: {'ab' * 32}}}}}", "sha256.train.jsonl", f"expected {'ab' * 32}"),
        (f"{{path: data, sha256: {{gone.jsonl: {'ab' * 32}}}}}", "sha256.gone.jsonl", "is not there"),
    ],
)
def test_a_dataset_that_cannot_be_pinned_is_refused(folder: Path, source: str, field: str, words: str) -> None:
    manifest = folder / "experiment.yaml"
    manifest.write_text(MANIFEST.replace("{path: data}", source))
    with pytest.raises(InvalidExperiment, match=rf"spec\.dataset\.source\.{field}: .*{words}"):
        read_experiment(manifest)


def test_a_model_with_another_sum_than_the_manifest_says_is_refused(folder: Path) -> None:
    manifest = folder / "experiment.yaml"
    manifest.write_text(MANIFEST.replace("{path: weak}", f"{{path: weak, sha256: {'ab' * 32}}}"))
    with pytest.raises(InvalidExperiment, match=r"spec\.models\.weak\.source\.sha256: abab.* is expected, but"):
        read_experiment(manifest)


def test_a_folder_with_too_many_files_asks_for_names(folder: Path) -> None:
    for number in range(20):
        (folder / "data" / f"part-{number}.jsonl").write_text("")
    with pytest.raises(InvalidExperiment, match=r"22 data files\. Name those to read in train and test"):
        read_experiment(folder / "experiment.yaml")


@pytest.fixture
def several(folder: Path) -> Path:
    """Lay out a manifest of several capabilities and a chain of models."""
    (folder / "more").mkdir()
    for name in ("train.json", "test.json"):
        (folder / "more" / name).write_text("{}\n")
    (folder / "experiment.yaml").write_text(SEVERAL)
    return folder


def test_every_capability_and_every_model_of_a_chain_is_pinned(several: Path) -> None:
    spec = read_experiment(several / "experiment.yaml").spec
    assert [set(one.dataset.source.sha256) for one in spec.capabilities] == [
        {"train.jsonl", "test.jsonl"},
        {"train.json", "test.json"},
    ]
    assert [model.source.sha256 for model in spec.models.chain] == [
        model_folder_sha256(several / name) for name in ("weak", "strong")
    ]
    before = keys(several)
    assert keys(several.rename(several.parent / "elsewhere")) == before


def test_what_is_missing_of_a_capability_or_a_chain_is_said_with_its_place(several: Path) -> None:
    (several / "more" / "train.json").unlink()
    (several / "more" / "test.json").unlink()
    (several / "strong" / "config.json").unlink()
    with pytest.raises(InvalidExperiment) as refused:
        read_experiment(several / "experiment.yaml")
    first, second = refused.value.problems
    assert "spec.capabilities[1].dataset.source.path: " in first
    assert "spec.models.chain[1].source.path: 'strong' is no model folder" in second
