"""The method runs on a family that is not mathematics, through the manifest alone."""

from __future__ import annotations

import json

from tests.support.w2s_command import Sandbox


def test_the_whole_method_runs_on_real_questions_with_options(real_data, manifest, tmp_path):
    changed = manifest()
    spec = changed["spec"]
    spec["description"] = "Two rounds on OpenBookQA: letters of four options."
    spec["task"] = {"family": "openbookqa"}
    spec["dataset"] = {
        "source": {"path": str(real_data / "openbookqa")},
        "splits": {"pretrain": 96, "labelled": 96, "unlabelled": 24, "test": 16},
    }
    for model in ("weak", "strong"):
        spec["models"][model]["source"]["scratch"].update(
            hiddenSize=48, intermediateSize=96, maxPositions=1024, vocabSize=512
        )
        spec["models"][model]["pretrain"][0]["training"].update(maxSeqLen=512, epochs=12)
    spec["training"]["maxSeqLen"] = 512
    spec["sampling"]["maxTokens"] = spec["evaluation"]["maxTokens"] = 12
    sandbox = Sandbox(tmp_path / "openbookqa", changed)
    done = sandbox.run()
    assert done.returncode == 0, done.stdout
    for row in ("weak model", "ceiling", "round 1, t = 40", "round 2, t = 40 → 40"):
        assert row in done.stdout
    accuracies = [json.loads(path.read_text()) for path in (sandbox.folder / ".w2s" / "store").rglob("accuracy.json")]
    assert accuracies
    assert all(found["n"] == 16 for found in accuracies)
    assert any(found["invalid"] < 16 for found in accuracies), "no model has learnt to name an option"
