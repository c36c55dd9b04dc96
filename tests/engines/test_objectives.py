"""What a training minimises, computed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.contracts.step_params import RewardObjective
from w2s_jobs.engines.completion_loss import CompletionLoss
from w2s_jobs.engines.packing import lay_packed, lay_padded
from w2s_jobs.engines.reward_loss import RewardLoss, pair_weights, summed_reward_loss
from w2s_jobs.engines.token_examples import TokenExamples

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]

SIGNS = st.lists(st.booleans(), min_size=1, max_size=40)


def token_examples(prompts: list[list[int]], completions: list[list[int]], positive: list[bool] | None = None):
    pieces = [prompt + completion for prompt, completion in zip(prompts, completions, strict=True)]
    return TokenExamples(
        ids=np.concatenate(pieces).astype(np.int32),
        offsets=np.cumsum([0, *map(len, pieces)]),
        prompt_lengths=np.array([len(prompt) for prompt in prompts]),
        positive=None if positive is None else np.array(positive),
    )


EXAMPLES = token_examples([[1, 2, 3], [4]], [[5, 9], [6, 7, 9]])
PAIRS = token_examples([[1, 2, 3, 5], [4, 6, 7]], [[9], [9]], [True, False])


def test_each_column_that_predicts_a_completion_is_marked_when_padded():
    marks = CompletionLoss().marks(EXAMPLES, (0, 1), lay_padded(EXAMPLES, (0, 1)))
    assert marks["keep"].tolist() == [0, 1, 2, 3]
    assert marks["targets"].tolist() == [[-100, -100, 5, 9], [6, 7, 9, -100]]


def test_each_column_that_predicts_a_completion_is_marked_when_packed():
    marks = CompletionLoss().marks(EXAMPLES, (1, 0), lay_packed(EXAMPLES, (1, 0)))
    assert marks["keep"].tolist() == [0, 1, 2, 6, 7]
    assert marks["targets"].tolist() == [[6, 7, 9, 5, 9]]


@pytest.mark.parametrize(("lay", "rows", "columns"), [(lay_padded, [0, 1], [4, 3]), (lay_packed, [0, 0], [4, 8])])
def test_a_pair_is_read_at_its_end_token(lay, rows: list[int], columns: list[int]):
    layout = lay(PAIRS, (0, 1))
    marks = RewardLoss(RewardObjective(), PAIRS.positive).marks(PAIRS, (0, 1), layout)
    assert (marks["rows"].tolist(), marks["columns"].tolist()) == (rows, columns)
    assert layout.inputs["input_ids"][marks["rows"], marks["columns"]].tolist() == [9, 9]
    assert marks["signed"].tolist() == [1, -1]


@pytest.mark.parametrize("lay", [lay_padded, lay_packed])
def test_a_rank_without_examples_marks_nothing(lay):
    assert CompletionLoss().marks(EXAMPLES, (), lay(EXAMPLES, ()))["targets"].numel() == 0
    assert RewardLoss(RewardObjective(), PAIRS.positive).marks(PAIRS, (), lay(PAIRS, ()))["signed"].numel() == 0


@given(SIGNS)
def test_balanced_sides_weigh_the_same_and_a_pair_weighs_1_on_average(signs: list[bool]):
    positive = np.array(signs)
    weights = pair_weights(positive, balanced=True)
    assert weights.mean() == pytest.approx(1)
    if positive.any() and not positive.all():
        assert weights[positive].sum() == pytest.approx(weights[~positive].sum())
    assert pair_weights(positive, balanced=False).tolist() == [1] * len(signs)


@given(SIGNS.filter(lambda signs: len(set(signs)) == 2), st.integers(0, 2**31))
def test_the_difference_of_balanced_pairs_is_equation_7(signs: list[bool], seed: int):
    heads = torch.randn(len(signs), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    positive = np.array(signs)
    signed = torch.from_numpy(pair_weights(positive, balanced=True) * np.where(positive, 1, -1))
    rewards = torch.sigmoid(heads)
    expected = rewards[~positive].mean() - rewards[positive].mean()
    assert float(summed_reward_loss("difference", heads, signed)) / len(signs) == pytest.approx(float(expected))


def test_the_logistic_loss_is_the_weighted_cross_entropy():
    heads, signed = torch.tensor([0.3, -2.0, 5.0]), torch.tensor([0.5, -2.0, 1.0])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        heads, (signed > 0).float(), weight=signed.abs(), reduction="sum"
    )
    assert float(summed_reward_loss("logistic", heads, signed)) == pytest.approx(float(expected))


@pytest.mark.parametrize("examples", [EXAMPLES, PAIRS])
def test_ranks_read_the_examples_that_were_saved(examples: TokenExamples, tmp_path: Path):
    examples.save(tmp_path / "examples.npz")
    loaded = TokenExamples.load(tmp_path / "examples.npz")
    assert [loaded[index].tolist() for index in range(2)] == [examples[index].tolist() for index in range(2)]
    assert loaded.trained.tolist() == examples.trained.tolist()
    assert (loaded.positive is None) == (examples.positive is None)
    assert loaded.positive is None or loaded.positive.tolist() == [True, False]
