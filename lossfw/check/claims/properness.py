"""Tests of proper and strictly proper losses: the truth must have the least expected loss.

The truth is the probabilities of labels, or a distribution that a prediction describes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.claims.risk import CERTAIN, expected_loss, nan_to_infinity
from lossfw.check.core.expectation import distribution_loss, sample_targets, usual_predictions
from lossfw.check.core.points import first_bad
from lossfw.check.core.search import Counterexample, NotApplicable, Search, check, format_number
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.losses.capabilities import DistributionLoss
from lossfw.numerics.arrays import NDArray

_PROBABILITIES = (0.02, 0.1, 0.25, 0.4, 0.6, 0.7, 0.9, 0.98)

_RISK = (
    "[sum(w * value(row[None], np.array([k]))[0] for k, w in enumerate(q)) for row in y] "
    "if y.ndim > 1 else q * value(y, np.ones(2)) + (1 - q) * value(y, np.zeros(2))"
)


@check("claim:proper")
def check_proper(subject: Subject, search: Search) -> None:
    """Claim: the true probabilities minimise the expected loss."""
    _check_proper(subject, search, strict=False)


@check("claim:strictly_proper")
def check_strictly_proper(subject: Subject, search: Search) -> None:
    """Claim: only the true probabilities minimise the expected loss."""
    _check_proper(subject, search, strict=True)


def _check_proper(subject: Subject, search: Search, *, strict: bool) -> None:
    if subject.prediction is UNIT and not subject.rows:
        _check_binary(subject, strict)
    elif subject.rows and subject.prediction is SIMPLEX and subject.by_index:
        _check_rows(subject, search, strict)
    elif isinstance(subject.component, DistributionLoss):
        _check_distributions(subject, search, strict)
    else:
        raise NotApplicable("predictions are not probabilities and do not describe a distribution")


def _check_binary(subject: Subject, strict: bool) -> None:
    small = 10.0 ** -np.arange(3.0, 7)
    grid = np.unique(np.concatenate([np.arange(1, 400) / 400, small, 1 - small]))
    for q in _PROBABILITIES:
        p = np.append(grid, q)
        ones, zeros = np.ones_like(p), np.zeros_like(p)
        risk = q * subject.losses(p, ones) + (1 - q) * subject.losses(p, zeros)
        _refute_improper(risk[:-1], float(risk[-1]), grid, np.abs(grid - q) > 1e-2, q, strict)


def _refute_improper(
    risk: NDArray, own_risk: float, others: NDArray, far: NDArray, truth: Any, strict: bool
) -> None:
    risk, slack = nan_to_infinity(risk), CERTAIN * (1 + abs(own_risk))
    at, text = int(np.argmin(risk)), ""
    as_good = far & (risk <= own_risk + slack)
    if risk[at] < own_risk - slack:
        text = (
            f"the expected loss of saying so is {own_risk:.9g}, and of saying "
            f"{format_number(others[at])} only {risk[at]:.9g}."
        )
    elif strict and as_good.any():
        at = first_bad(as_good)
        text = (
            f"saying {format_number(others[at])} is as good as saying so: the expected loss of "
            f"both is {own_risk:.9g}."
        )
    if text:
        said = np.stack([np.broadcast_to(truth, np.shape(others[at])), others[at]])
        text = f"where the label has probabilities {format_number(truth)}, {text}"
        raise Counterexample(text, _RISK, y=said, q=np.asarray(truth))


def _check_rows(subject: Subject, search: Search, strict: bool) -> None:
    rng = search.rng("proper")
    for columns in (2, 3, 4):
        for q in [np.array([0.5, 0.3, 0.15, 0.05])[:columns], *rng.dirichlet(np.ones(columns), 4)]:
            q = q / q.sum()
            others = [rng.dirichlet(np.full(columns, a), 60) for a in (1.0, 5.0)]
            for step in (0.2, 0.05, 0.01, 0.002):
                others.append((1 - step) * q + step * np.eye(columns))
                others.append(_shift_probability(q, step))
                away = rng.normal(size=(30, columns))
                away -= away.mean(-1, keepdims=True)
                size = np.linalg.norm(away, axis=-1, keepdims=True)
                others.append(np.abs(q + step * away / size))
            rows = np.concatenate(others)
            rows /= rows.sum(-1, keepdims=True)
            risk = expected_loss(subject, rows, q)
            own = float(expected_loss(subject, q[None], q)[0])
            far = np.abs(rows - q).max(-1) > 1e-2
            _refute_improper(risk, own, rows, far, q, strict)


def _shift_probability(q: NDArray, step: float) -> NDArray:
    """Return the distributions for which one class gives a share to one other."""
    unit = np.eye(q.size)
    moved = q + step * (unit[:, None] - unit[None]).reshape(-1, q.size)
    return np.asarray(moved[(moved >= 0).all(-1) & (moved != q).any(-1)])


# Predictions that name the truth, and other predictions: so far from it in each number, and
# so many from elsewhere.
_TRUTHS, _AWAY, _ELSEWHERE = 6, (0.02, 0.1, 0.5, 2.0), 12

# Quantiles by which distributions are compared, which differ if one of them does by so much.
_APART_AT, _APART = np.array([0.1, 0.3, 0.5, 0.7, 0.9]), 1e-3

_RISK_OF_DISTRIBUTIONS = "[w @ value(np.repeat(one[None], len(t), 0), t) for one in y]"


def _check_distributions(subject: Subject, search: Search, strict: bool) -> None:
    """Compare the expected loss of a prediction that names the truth with that of others."""
    loss = distribution_loss(subject)
    rng = search.rng("proper")
    for truth in usual_predictions(loss, rng, _TRUTHS):
        t, weight, coarse = sample_targets(loss, truth)
        others = np.concatenate(
            [_nearby_predictions(loss, truth), usual_predictions(loss, rng, _ELSEWHERE)]
        )
        rows = np.repeat(np.concatenate([truth[None], others]), len(t), 0)
        losses = subject.losses(rows, np.tile(t, len(others) + 1)).reshape(-1, len(t))
        own = float(losses[0] @ weight)
        # What rounding can do, and what the rule of integration does at kinks.
        gain, rough = (losses[1:] - losses[0]) @ weight, (losses[1:] - losses[0]) @ coarse
        certain = CERTAIN * (1 + abs(own))
        lower = gain + 4 * np.abs(gain - rough) < -certain
        said = loss.quantiles(truth, _APART_AT)
        apart = np.abs(loss.quantiles(others, _APART_AT) - said).max(-1)
        as_good = (np.abs(gain) <= certain) & (np.abs(rough) <= certain)
        as_good &= apart > _APART * (1 + np.abs(said).max())
        if lower.any():
            one = int(np.argmin(np.where(lower, gain, np.inf)))
            end = f"only {format_number(own + gain[one])}"
        elif strict and as_good.any():
            one = first_bad(as_good)
            end = f"the same, although its quantiles differ by {format_number(apart[one])}"
        else:
            continue
        text = (
            f"where targets have the distribution that {format_number(truth)} names, the expected "
            f"loss of predicting so is {format_number(own)}, and of predicting "
            f"{format_number(others[one])} {end}."
        )
        both = np.stack([truth, others[one]])
        raise Counterexample(text, _RISK_OF_DISTRIBUTIONS, y=both, t=t, w=weight)


def _nearby_predictions(loss: DistributionLoss, truth: NDArray) -> NDArray:
    """Return predictions that differ from one in a single number."""
    unit = np.eye(truth.size).reshape(-1, *truth.shape)
    moved = np.concatenate([truth + step * unit for away in _AWAY for step in (away, -away)])
    outside = loss.prediction_space.outside_or_none(moved)
    return moved if outside is None else moved[~outside]
