"""select: keep the questions whose label passes every condition; the rest is discarded and can be relabelled."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from pydantic import JsonValue

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.choices import ChosenThreshold
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import SelectParams
from w2s_jobs.core.selection import Candidate, draw, passes
from w2s_jobs.store.rows import check_same_rows, read_by_id, read_columns, write_rows
from w2s_jobs.tasks.examples import label_example
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]

log = logging.getLogger(__name__)


def run(context: StepContext, params: SelectParams) -> Outcome:
    """Write `kept.parquet` (examples to learn from) and `discarded.parquet` (questions); together they are all."""
    _check_roles(context, params)
    questions = read_by_id(context.input("questions"), "questions")
    votes = read_by_id(context.input("votes"), "votes")
    check_same_rows(context.ref, {"votes": votes, "questions": questions})
    threshold = _threshold(context, params)
    rewards: Mapping[str, float] = {} if params.min_reward is None else _read_rewards(context, votes)
    passing = {
        row_id
        for row_id, vote in votes.items()
        if passes(
            Candidate.of_vote(vote, rewards.get(row_id)),
            threshold=threshold,
            require_valid=params.require_valid,
            require_chain_of_thought=params.require_chain_of_thought,
            min_reward=params.min_reward,
        )
    }
    chosen = passing if params.draw is None else _draw(context, passing, params.draw)
    family = get_family(params.task)
    ordered = sorted(questions)
    kept = [label_example(questions[row], votes[row], family, params.completion) for row in ordered if row in chosen]
    discarded = [questions[row] for row in ordered if row not in chosen]
    metrics: dict[str, JsonValue] = {"kept": len(kept), "discarded": len(discarded), "threshold": threshold}
    if params.min_reward is not None:
        metrics["minReward"] = params.min_reward
    if params.draw is not None:
        metrics |= {"drawn": len(chosen), "drawnFrom": len(passing)}
    files = {
        "kept.parquet": write_rows(context.work_dir / "kept.parquet", "examples", kept),
        "discarded.parquet": write_rows(context.work_dir / "discarded.parquet", "questions", discarded),
    }
    return Outcome(files=files, metrics=metrics)


def _check_roles(context: StepContext, params: SelectParams) -> None:
    """Refuse an input that no parameter reads: a condition would be missing without a word."""
    for role, is_read, parameter in (
        ("scores", params.min_reward is not None, "minReward"),
        ("size", params.draw is not None, "draw"),
    ):
        if context.spec.inputs.get(role) and not is_read:
            raise InputError(f"step {context.ref}: input '{role}' is given, but {parameter} is null; set {parameter}")


def _threshold(context: StepContext, params: SelectParams) -> int | None:
    """Return the threshold of the parameters, or the one that a rule chose."""
    if not context.spec.inputs.get("threshold"):
        return params.threshold
    return ChosenThreshold.model_validate_json(context.input("threshold").read_bytes()).threshold


def _read_rewards(context: StepContext, votes: Mapping[str, object]) -> dict[str, float]:
    """Read the rewards of the voted rows; the scores may hold those of other capabilities too."""
    scores = read_by_id(context.input("scores"), "scores")
    again = f"run the step `score` over these votes again (w2s invalidate {context.spec.inputs['scores'][0].ref})"
    lacking = sorted(votes.keys() - scores.keys())
    if lacking:
        raise InputError(
            f"step {context.ref}: the scores lack {len(lacking)} of {len(votes)} voted rows, such as {lacking[0]}; "
            f"expected a reward for each: {again}"
        )
    for row_id in sorted(votes):
        reward = scores[row_id]["reward"]
        if reward is None or not math.isfinite(reward) or not 0 <= reward <= 1:
            raise InputError(
                f"step {context.ref}: the reward of row {row_id} is {reward}; expected a number from 0 to 1: look at "
                f"the loss of the reward model (a training that diverged gives none), then {again}"
            )
    return {row_id: scores[row_id]["reward"] for row_id in votes}


def _draw(context: StepContext, passing: set[str], seed: int) -> set[str]:
    size = len(read_columns(context.input("size"), "examples", ["row_id"])["row_id"])
    if size > len(passing):
        log.warning("only %d labels pass the conditions, fewer than the %d to draw: all are kept", len(passing), size)
    return draw(passing, size, seed)
