from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.engines.weights import check_weights, count_weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model in two files, with an index."""
    for number in (1, 2):
        save_file({f"layer{number}": np.zeros(100, np.float32)}, tmp_path / f"model-{number}.safetensors")
    index = {"weight_map": {"layer1": "model-1.safetensors", "layer2": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    return tmp_path


def test_whole_weights_pass(folder: Path) -> None:
    check_weights(folder)


def test_a_cut_file_is_named(folder: Path) -> None:
    file = folder / "model-2.safetensors"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"model-2\.safetensors is damaged: .*; fetch the model again"):
        check_weights(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "model-1.safetensors").unlink()
    with pytest.raises(InputError, match=r"model-1\.safetensors is missing, which .*index\.json names"):
        check_weights(folder)


def test_a_missing_tensor_is_named(folder: Path) -> None:
    save_file({"other": np.zeros(1, np.float32)}, folder / "model-1.safetensors")
    with pytest.raises(InputError, match=r"model-1\.safetensors lacks 1 tensors that .* names, such as layer1"):
        check_weights(folder)


def test_a_damaged_index_is_named(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("{")
    with pytest.raises(InputError, match=r"model\.safetensors\.index\.json is damaged"):
        check_weights(folder)


def test_numbers_are_counted_whatever_their_dtype(folder: Path) -> None:
    save_file({"halves": np.zeros((3, 7), np.float16)}, folder / "model-3.safetensors")
    assert count_weights(folder) == 221
