from __future__ import annotations

import numpy as np
import pytest
import torch

from w2s_jobs.engines.seeded_sampling import draw_tokens, uniforms
from w2s_jobs.engines.vllm_device import vllm_device


def test_a_rows_numbers_depend_on_its_seed_alone() -> None:
    assert (uniforms(7, 5) == uniforms(7, 9)[:5]).all()
    assert not (uniforms(7, 5) == uniforms(8, 5)).any()


def test_tokens_are_drawn_with_the_probabilities_of_the_nucleus() -> None:
    probabilities = torch.tensor([0.5, 0.3, 0.15, 0.05])
    rows = 20_000
    numbers = torch.from_numpy(uniforms(1, rows))
    tokens = draw_tokens(probabilities.log().repeat(rows, 1), numbers, temperature=1.0, top_p=0.9)
    found = np.bincount(tokens.numpy(), minlength=4) / rows
    assert found == pytest.approx([0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0.0], abs=0.015)


def test_a_low_temperature_draws_the_likeliest_token() -> None:
    logits = torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    tokens = draw_tokens(logits, torch.from_numpy(uniforms(2, 50)), temperature=1e-4, top_p=1.0)
    assert (tokens == logits.argmax(-1)).all()


def test_the_likeliest_token_is_always_in_the_nucleus() -> None:
    logits = torch.tensor([[0.0, 5.0, 1.0]])
    for number in (0.0, 0.5, 0.999999):
        assert draw_tokens(logits, torch.tensor([number]), temperature=1.0, top_p=1e-6).item() == 1


def test_a_row_draws_the_same_in_any_batch() -> None:
    logits = torch.randn(8, 100, generator=torch.Generator().manual_seed(3))
    numbers = torch.from_numpy(uniforms(5, 8))
    whole = draw_tokens(logits, numbers, temperature=0.7, top_p=0.9)
    one_by_one = [draw_tokens(logits[i : i + 1], numbers[i : i + 1], 0.7, 0.9).item() for i in range(8)]
    assert whole.tolist() == one_by_one


@pytest.mark.parametrize(
    ("gpus", "dtype", "expected"),
    [
        (0, "auto", {"dtype": "float32", "enforce_eager": True}),
        (0, "bfloat16", {"dtype": "bfloat16"}),
        (1, "auto", {"dtype": "bfloat16", "tensor_parallel_size": 1}),
        (4, "float16", {"dtype": "float16", "tensor_parallel_size": 4}),
    ],
)
def test_the_engine_is_set_up_for_its_device(gpus: int, dtype: str, expected: dict[str, object]) -> None:
    device = vllm_device(gpus, 2, dtype)
    assert expected.items() <= device.arguments.items()
    assert device.native_seeds is (gpus > 0)
    assert ("logits_processors" in device.arguments) is (gpus == 0)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 30.0], ids=["sharp", "plain", "flat"])
@pytest.mark.parametrize("top_p", [0.5, 0.9, 1.0])
def test_a_large_vocabulary_draws_what_a_full_sort_would(temperature: float, top_p: float) -> None:
    logits = 3 * torch.randn(64, 5_000, generator=torch.Generator().manual_seed(4))
    logits = logits.round(decimals=1)  # many equally likely tokens, whose order must not depend on the way of sorting
    numbers = torch.from_numpy(uniforms(6, 64))
    tokens = draw_tokens(logits, numbers, temperature, top_p)

    probabilities = torch.softmax(logits / temperature, dim=-1)
    for row in range(64):
        order = sorted(range(5_000), key=lambda token: (-probabilities[row, token].item(), token))
        mass = probabilities[row, order].cumsum(0)
        nucleus = mass[: int((mass < top_p).sum()) + 1]
        rank = int((nucleus <= numbers[row] * nucleus[-1]).sum())
        assert tokens[row].item() == order[min(rank, len(nucleus) - 1)]
