"""Thresholds chosen without gold of the unlabelled split. The paper leaves this open (limitations), so all is [ours].

A rule is an estimate of how likely a voted label is right, given its share of the votes. Two of them are here:

- `calibrated` learns it from labelled questions: the share of right labels at each confidence, made monotone
  (isotonic regression; Zadrozny and Elkan 2002).
- `agreement` reads the votes alone: the winning counts are a mixture of two binomials, questions that the model knows
  and questions that it guesses at, fitted by expectation maximisation. A label is right if its question is known; over
  a guessed one it is right as often as one vote falls on it, which takes the model's guesses to be no worse than its
  own agreement says.

Both choose alike: n labels over K answers, of which a share p is right and the others fall anywhere, are worth
n ((K p - 1) / (K - 1))^2 clean ones, and the threshold with the most is taken. For two classes that is n (2p - 1)^2
(Angluin and Laird 1988: noise of rate 1 - p asks for 1 / (2p - 1)^2 times the labels); for open answers it nears n p^2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.special import expit

__all__ = [
    "Correctness",
    "Mixture",
    "ThresholdWorth",
    "VoteShare",
    "agreement",
    "calibration",
    "choose",
    "every_threshold",
    "fit_mixture",
]

Correctness = Callable[["VoteShare"], float]
"""Probability that the label of a vote is right"""

_Counts = npt.NDArray[np.int_]
_Floats = npt.NDArray[np.float64]

_SMALLEST = 1e-12
_ITERATIONS = 500
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class VoteShare:
    """How many of a question's samples carry the winning answer."""

    count: int
    total: int

    def passes(self, threshold: int) -> bool:
        """Tell whether the share reaches a threshold in percent, in whole numbers as `selection.passes` does."""
        return self.count * 100 >= threshold * self.total


@dataclass(frozen=True)
class Mixture:
    """Two kinds of questions: the share that is known, and how likely a vote falls on the winner in each kind."""

    known: float
    vote_if_known: float
    vote_if_guessed: float

    tells_apart: bool
    """whether two kinds explain the votes better than one does, by the Bayesian criterion of Schwarz (1978)"""

    @property
    def vote(self) -> float:
        """How likely a vote falls on the winner, over both kinds."""
        return self.known * self.vote_if_known + (1 - self.known) * self.vote_if_guessed


def calibration(shares: Sequence[VoteShare], right: Sequence[bool]) -> Correctness:
    """Estimate correctness from labelled questions; it never falls as the share rises.

    Half a right and half a wrong label are added to each share (Jeffreys' prior), so that three right labels of three
    do not mean that all are right. A share that was not seen takes the estimate of the nearest lower one.
    """
    seen = sorted({Fraction(s.count, s.total) for s in shares})
    if not seen:
        raise ValueError("no labelled vote to calibrate on")
    place = {share: index for index, share in enumerate(seen)}
    tried, won = np.zeros(len(seen)), np.zeros(len(seen))
    for share, is_right in zip(shares, right, strict=True):
        index = place[Fraction(share.count, share.total)]
        tried[index] += 1
        won[index] += is_right
    curve = isotonic_regression((won + 0.5) / (tried + 1), weights=tried).x
    edges = np.array([float(share) for share in seen])

    def correctness(vote: VoteShare) -> float:
        below = int(np.searchsorted(edges, vote.count / vote.total, side="right")) - 1
        return float(curve[max(below, 0)])

    return correctness


def fit_mixture(shares: Sequence[VoteShare]) -> Mixture:
    """Fit the two kinds of questions to winning counts, starting from 90 % and 40 % of the votes."""
    if not shares:
        raise ValueError("no vote to estimate from")
    pairs, often = np.unique(np.array([(s.count, s.total) for s in shares]), axis=0, return_counts=True)
    counts, totals = pairs[:, 0], pairs[:, 1]
    fit = Mixture(0.5, 0.9, 0.4, tells_apart=False)
    for _ in range(_ITERATIONS):
        belief = _belief(fit, counts, totals) * often
        doubt = often - belief
        new = Mixture(
            known=float(belief.sum() / often.sum()),
            vote_if_known=_rate(belief * counts, belief * totals, fit.vote_if_known),
            vote_if_guessed=_rate(doubt * counts, doubt * totals, fit.vote_if_guessed),
            tells_apart=False,
        )
        moved = max(
            abs(new.known - fit.known),
            abs(new.vote_if_known - fit.vote_if_known),
            abs(new.vote_if_guessed - fit.vote_if_guessed),
        )
        fit = new
        if moved < _TOLERANCE:
            break
    rate = float((often * counts).sum() / (often * totals).sum())
    one_kind = Mixture(1.0, rate, rate, tells_apart=False)
    gain = float(often @ (_log_likelihood(fit, counts, totals) - _log_likelihood(one_kind, counts, totals)))
    # Two parameters more, each of which costs half the logarithm of the number of questions.
    apart = gain > math.log(often.sum()) and fit.vote_if_known > fit.vote_if_guessed
    return replace(fit, tells_apart=apart)


def agreement(fit: Mixture) -> Correctness:
    """Estimate correctness from the two kinds of questions; where there is one, each label is taken as a vote of it."""
    if not fit.tells_apart:
        return lambda _: fit.vote

    def correctness(vote: VoteShare) -> float:
        known = float(_belief(fit, np.array([vote.count]), np.array([vote.total]))[0])
        return known + (1 - known) * fit.vote_if_guessed

    return correctness


@dataclass(frozen=True)
class ThresholdWorth:
    """What a rule expects of one threshold."""

    threshold: int
    kept: int
    correctness: float | None
    """expected share of right labels among the kept, 0..1; None when nothing is kept"""
    worth: float
    """clean labels that the kept ones stand for"""


def choose(
    shares: Sequence[VoteShare], correctness: Correctness, candidates: Sequence[int], answers: int
) -> tuple[int, list[ThresholdWorth]]:
    """Choose the threshold whose kept labels are worth most.

    Parameters
    ----------
    shares
        Votes that a selection may keep.
    correctness
        Probability that a vote's label is right.
    candidates
        Thresholds in percent, ascending, at least one.
    answers
        How many different answers there are (K above).

    Returns
    -------
    tuple
        The threshold (the lower of equals), and what is expected of each candidate.
    """
    chance = 1 / max(answers, 2)
    believed = {share: correctness(share) for share in set(shares)}
    rows = []
    for threshold in candidates:
        kept = [believed[share] for share in shares if share.passes(threshold)]
        expected = math.fsum(kept) / len(kept) if kept else None
        signal = 0.0 if expected is None else max(0.0, (expected - chance) / (1 - chance))
        rows.append(ThresholdWorth(threshold, len(kept), expected, len(kept) * signal**2))
    # Where no threshold is worth anything, the strictest that keeps something is the least bad.
    if all(row.worth == 0 for row in rows):
        keeping = [row for row in rows if row.kept] or rows
        return keeping[-1].threshold, rows
    return max(rows, key=lambda row: row.worth).threshold, rows


def every_threshold(shares: Sequence[VoteShare]) -> list[int]:
    """List the thresholds that differ in what they keep: one a share, in whole percents, rounded down so it passes."""
    return sorted({100 * share.count // share.total for share in shares if share.count})


def _belief(fit: Mixture, counts: _Counts, totals: _Counts) -> _Floats:
    """Return how likely a vote is one over a question that the model knows."""
    belief: _Floats = expit(
        _log(fit.known)
        - _log(1 - fit.known)
        + _log_binomial(fit.vote_if_known, counts, totals)
        - _log_binomial(fit.vote_if_guessed, counts, totals)
    )
    return belief


def _log_likelihood(fit: Mixture, counts: _Counts, totals: _Counts) -> _Floats:
    found: _Floats = np.logaddexp(
        _log(fit.known) + _log_binomial(fit.vote_if_known, counts, totals),
        _log(1 - fit.known) + _log_binomial(fit.vote_if_guessed, counts, totals),
    )
    return found


def _log_binomial(rate: float, counts: _Counts, totals: _Counts) -> _Floats:
    """Return the logarithm of the probability of a count, without the number of ways, which is the same for all."""
    found: _Floats = counts * _log(rate) + (totals - counts) * _log(1 - rate)
    return found


def _log(share: float) -> float:
    """Return a logarithm that is finite at 0, so that nothing is held impossible."""
    return math.log(max(share, _SMALLEST))


def _rate(votes: _Floats, of: _Floats, otherwise: float) -> float:
    return float(votes.sum() / of.sum()) if of.sum() > 0 else otherwise
