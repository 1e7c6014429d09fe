"""Laws of a loss whose prediction describes a distribution: its functions are consistent."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.expectation import (
    distribution_loss,
    sample_targets,
    usual_predictions,
)
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Search,
    check,
    format_number,
)
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import Counts

_PREDICTIONS = 12

# In both tails and in the middle.
_LEVELS = np.array([1e-6, 1e-3, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0 - 1e-6])

# Levels that come back from a quantile may be off by so much: rounding, and no other value.
_SLACK = 1e-9

_QUANTILE_CODE = "loss.quantiles(y, p), loss.probabilities(y, x)"


@check("distribution:quantile")
def check_quantile(subject: Subject, search: Search) -> None:
    """A quantile is the smallest number x with P(target <= x) >= level."""
    loss = distribution_loss(subject)
    y = usual_predictions(loss, search.rng("distribution"), _PREDICTIONS)
    quantiles = loss.quantiles(y, _LEVELS)
    for k, p in enumerate(_LEVELS.tolist()):
        x = quantiles[:, k]
        search.count(len(y))
        below = x - 1.0 if isinstance(loss.target_space, Counts) else np.nextafter(x, -np.inf)
        reached, before = loss.probabilities(y, x), loss.probabilities(y, below)
        bad = ~((reached >= p - _SLACK) & (before <= p + _SLACK))
        if bad.any():
            one = int(np.argmax(bad))
            text = (
                f"the quantile of {format_number(p)} is {format_number(x[one])}, but the "
                f"probability of a target at or below it is {format_number(reached[one])}"
            )
            if reached[one] >= p - _SLACK:
                text += f", and {format_number(before[one])} just below it"
            raise Counterexample(
                f"{text}.", _QUANTILE_CODE, y=y[one], p=np.array([p]), x=np.asarray(x[one])
            )


# The mean of second derivatives by the trapezoidal rule, and where a kink spoils it.
_CURVATURE_SLACK = 1e-4

_CURVATURE_CODE = (
    "loss.expected_second_derivative(np, loss.prediction_space.to_record(y)), "
    "w @ hessian(np.repeat(y[None], len(t), 0), t)"
)


@check("distribution:curvature")
def check_expected_curvature(subject: Subject, search: Search) -> None:
    """The expected second derivative is the mean of `second_derivative` over the distribution."""
    loss = distribution_loss(subject)
    y = usual_predictions(loss, search.rng("curvature"), _PREDICTIONS)
    space = loss.prediction_space
    parts = loss.expected_second_derivative(np, space.to_record(y))
    if parts is None:
        raise NotApplicable("the class does not define expected_second_derivative")
    expected = np.asarray(space.from_record(np, parts))
    for row, claimed in zip(y, expected, strict=True):
        t, weight, coarse = sample_targets(loss, row)
        hessians = loss.hessian(np.repeat(row[None], len(t), 0), t, reduction="none")
        search.count(len(t))
        actual, rough = weight @ hessians, coarse @ hessians
        slack = _CURVATURE_SLACK * (1.0 + np.abs(claimed)) + 4.0 * np.abs(actual - rough)
        if not (np.abs(actual - claimed) <= slack).all():
            text = (
                f"the expected second derivative is {format_number(claimed)}; the mean over "
                f"{len(t)} quantiles of the predicted distribution is {format_number(actual)}."
            )
            raise Counterexample(text, _CURVATURE_CODE, y=row, t=t, w=weight)
