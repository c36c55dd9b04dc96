"""Models that a real engine cannot sample from: each is named, with the fix."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.sampling import ENGINES, params, questions
from tests.support.steps import Bench
from w2s_jobs.contracts.errors import InputError

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]


def test_a_missing_model_is_named(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"model /no/such/model: there is no such folder"):
        bench.run("sample", params(Path("/no/such/model"), "transformers"), questions(bench))


def test_a_chat_template_that_is_not_there_is_named_with_the_fix(bench: Bench, model: Path) -> None:
    chat = {**params(model, "transformers"), "template": {"name": "chat"}}
    with pytest.raises(InputError, match=r"has no chat template; use a template without chat"):
        bench.run("sample", chat, questions(bench))


@pytest.mark.parametrize("engine", ENGINES)
def test_cut_weights_are_named_by_every_engine(bench: Bench, model: Path, tmp_path: Path, engine: str) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(model, damaged)
    file = damaged / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"model\.safetensors is damaged"):
        bench.run("sample", params(damaged, engine), questions(bench))


def test_weights_that_do_not_fit_the_config_are_never_drawn_at_random(
    bench: Bench, model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(model, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(InputError, match=r"weights are missing or not of the shape that config\.json asks for"):
        bench.run("sample", params(other, "transformers"), questions(bench))
