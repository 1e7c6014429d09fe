"""The start of a model: the constant raw prediction of least mean loss.

Libraries fit a start for their own objectives only: with one from outside, a model begins at
0 or 0.5, and its first trees learn the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from lossfw.errors import ArgumentError, ShapeError
from lossfw.learning.curvature import Rule, curvature_of, has_expected_curvature, has_two_sides
from lossfw.learning.raw_form import (
    Rows,
    as_loss,
    class_indices,
    raw_loss_of,
    raw_output_count,
    refuse_not_finite,
    targets_for,
)
from lossfw.learning.softmax_form import SoftmaxForm, softmax_form
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# The logits of a probability 1e-15 and of 1 minus it: beyond them a class that never occurs sends
# the start to infinity. LightGBM has the same bound.
FARTHEST_LOGIT: Final = float(-np.log(1e-15))
# exp of it is the largest float64.
_LARGEST_LOG: Final = 709.0
# A sum of gradients is 0 if it is so small beside the sum of their sizes: the rounding of a sum.
_BALANCED: Final = 1e-12
# A mean or a quantile is taken for the start if the gradients balance so well there.
_CLOSE: Final = 1e-9
_LARGEST: Final = 1e300
# An interval is halved until no float64 lies inside, or to this part, as around 0.
_SMALLEST: Final = 1e-24
# Reweighted means converge by a factor in each step.
_STEPS: Final = 1000
# A class that never occurs has this share, as in LightGBM; its logit would be -inf.
_LEAST_SHARE: Final = 1e-15
# Newton's steps for rows.
_ROW_STEPS: Final = 200
_CONVERGED: Final = 1e-12


def best_constant(
    loss: Any, target: Any, sample_weight: Any = None, *, classes: int | None = None
) -> float | NDArray:
    """Return the constant raw prediction with the least mean loss.

    Parameters
    ----------
    loss : str, mapping or Loss
    target : array_like
        (N,); for several outputs (N, K).
    sample_weight : array_like, optional
        (N,).
    classes : int, optional
        The number of classes, for a loss of rows; one more than the largest label otherwise.

    Returns
    -------
    float, or ndarray of K
        K numbers for a loss of rows and for several outputs; their sum is 0 if the loss is
        shift-invariant. If the minimum is an interval, its middle. For a loss of groups 0, because
        the built-in ones are shift-invariant.

    Examples
    --------
    >>> best_constant("absolute_error", [1.0, 2.0, 4.0, 8.0])
    3.0
    >>> bool(best_constant("poisson_deviance", [1.0, 3.0]) == np.log(2.0))
    True
    """
    form = raw_loss_of(loss, wide=True)
    if form.takes_groups:
        return np.zeros(raw_output_count(form, np.zeros(0), classes)) if form.takes_rows else 0.0
    t = np.asarray(target)
    if t.ndim == 0 or not len(t):
        raise ShapeError(f"a start needs targets, but got an array of shape {t.shape}.")
    w = _weights(sample_weight, len(t))
    if form.takes_rows:
        if form.has_columns:
            t = targets_for(form, t).t
        elif t.ndim == 1:
            t = class_indices(form, t)
        columns = raw_output_count(form, t, classes)
        shares = softmax_form(form, columns) if t.ndim == 1 and t.dtype.kind in "iu" else None
        return _newton(form, t, w, columns) if shares is None else _log_class_shares(shares, t, w)
    t = targets_for(form, t).t
    if t.ndim == 1 or form.has_columns:
        return _best_number(as_loss(loss), form, t, w)
    return np.array([_best_number(as_loss(loss), form, column, w) for column in t.T])


def _weights(sample_weight: Any, rows: int) -> NDArray:
    if sample_weight is None or np.size(sample_weight) == 0:
        return np.ones(rows)
    w = np.asarray(sample_weight, np.float64)
    if w.shape != (rows,):
        raise ShapeError(f"sample_weight has the shape {w.shape}; expected {(rows,)}.")
    refuse_not_finite(w, "sample_weight")
    if not (w >= 0).all() or not w.any():
        raise ArgumentError("sample_weight holds a negative number, or nothing above 0.")
    return w


class _Gradient:
    """The weighted sum of gradients at a constant; 0 where it is only rounding."""

    def __init__(self, loss: Loss, t: NDArray, w: NDArray) -> None:
        self.loss, self.t, self.w = loss, t, w

    def gradients(self, z: float) -> NDArray:
        gradients: NDArray = self.loss.gradient(
            np.full(len(self.t), z), self.t, sample_weight=self.w, reduction="none"
        )
        return gradients

    def __call__(self, z: float) -> float:
        gradients = self.gradients(z)
        total = float(gradients.sum())
        return 0.0 if abs(total) <= _BALANCED * float(np.abs(gradients).sum()) else total

    def is_balanced(self, z: float) -> bool:
        """Tell whether the gradients at a number that is known to be right balance."""
        gradients = self.gradients(z)
        return abs(float(gradients.sum())) <= _CLOSE * float(np.abs(gradients).sum())


class _ColumnGradient(_Gradient):
    """The same of one column of a constant row."""

    def __init__(self, loss: Loss, t: NDArray, w: NDArray, row: NDArray, column: int) -> None:
        super().__init__(loss, t, w)
        self.row, self.column = row, column

    def gradients(self, z: float) -> NDArray:
        y = np.tile(self.row, (len(self.t), 1))
        y[:, self.column] = z
        gradients: NDArray = Rows(y, self.t, self.w).compute(self.loss, "gradient")[:, self.column]
        return gradients


def _best_number(loss: Loss, raw_loss: Loss, t: NDArray, w: NDArray) -> float:
    gradient = _Gradient(raw_loss, t, w)
    if t.ndim > 1:
        return _bisect(gradient, *_bracket(gradient, _search_limit(raw_loss)))
    mean = _raw_mean(loss, raw_loss, t, w)
    if mean is not None and gradient.is_balanced(mean):
        return mean
    level = _quantile_level(loss)
    if level is not None:
        place = _quantile(t, w, level)
        if _is_minimum(gradient, place):
            return place
    if not has_two_sides(raw_loss):
        return _bisect(gradient, *_bracket(gradient, _search_limit(raw_loss)))
    if not raw_loss.claims().convex:
        return _descend(gradient, _quantile(t, w, 0.5))
    counting = t[w > 0]
    return _zero_crossing(gradient, float(counting.min()), float(counting.max()))


def _raw_mean(loss: Loss, raw_loss: Loss, t: NDArray, w: NDArray) -> float | None:
    """Return the raw prediction of the mean, the start of most losses with an output activation."""
    mean = float((w * t).sum() / w.sum())
    if raw_loss.output_activation is None:
        return mean if loss.claims().elicits == "mean" else None
    if raw_loss.output_activation == "exp" and mean > 0:
        return float(np.log(mean))
    if raw_loss.output_activation == "sigmoid" and 0 < mean < 1:
        return float(np.log(mean) - np.log1p(-mean))
    return None


def _search_limit(loss: Loss) -> float:
    """Return how far from 0 the start of a loss may be."""
    if loss.output_activation == "exp":
        return _LARGEST_LOG
    logit = loss._argument == "margin" or loss.output_activation is not None
    return FARTHEST_LOGIT if logit else _LARGEST


def _bracket(gradient: _Gradient, limit: float) -> tuple[float | None, float | None, float]:
    """Return a number where the loss falls, one where it grows, and the farthest one."""
    sizes = [
        min(4.0**power, limit) for power in range(int(np.ceil(np.log(limit) / np.log(4.0))) + 1)
    ]
    low = next((-size for size in sizes if gradient(-size) < 0.0), None)
    high = next((size for size in sizes if gradient(size) > 0.0), None)
    return low, high, limit


def _bisect(gradient: _Gradient, low: float | None, high: float | None, limit: float) -> float:
    if low is not None and high is not None:
        return _zero_crossing(gradient, low, high)
    # A single class: where the loss stops falling, or the farthest logit.
    if low is not None:
        return _first_where(lambda z: gradient(z) >= 0.0, low, limit)
    if high is not None:
        near = max(-limit, -FARTHEST_LOGIT)
        return (
            near if gradient(near) > 0.0 else _first_where(lambda z: gradient(z) > 0.0, near, high)
        )
    return 0.0


def _zero_crossing(gradient: _Gradient, low: float, high: float) -> float:
    """Return where the sum of gradients crosses 0; the middle of a stretch where it stays there."""
    left = low if gradient(low) >= 0.0 else _first_where(lambda z: gradient(z) >= 0.0, low, high)
    if left == high or gradient(left) > 0.0:
        return left
    right = high if gradient(high) <= 0.0 else _first_where(lambda z: gradient(z) > 0.0, left, high)
    return 0.5 * (left + right)


def _first_where(condition: Callable[[float], bool], low: float, high: float) -> float:
    """Return the least float above `low` at which `condition` holds, or `high`."""
    least = _SMALLEST * (high - low)
    while high - low > least:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (low, middle) if condition(middle) else (middle, high)
    return high


def _quantile_level(loss: Loss) -> float | None:
    """Return the level of the quantile that a loss elicits; None for others."""
    elicited = loss.claims().elicits or ""
    if elicited == "median":
        return 0.5
    return float(elicited[9:-1]) if elicited.startswith("quantile(") else None


def _quantile(t: NDArray, w: NDArray, level: float) -> float:
    """Return the weighted quantile; the middle where it is a stretch between two targets."""
    order = np.argsort(t, kind="stable")
    ordered = t[order]
    below = np.cumsum(w[order])
    mass = level * below[-1]
    near = _BALANCED * below[-1]
    first = int(np.searchsorted(below, mass - near))
    after = int(np.searchsorted(below, mass + near, side="right"))
    return float(0.5 * (ordered[first] + ordered[min(after, len(t) - 1)]))


def _is_minimum(gradient: _Gradient, z: float) -> bool:
    """Tell whether the loss falls to a number from below, and does not fall beyond it."""
    return gradient(np.nextafter(z, -np.inf)) <= 0.0 <= gradient(np.nextafter(z, np.inf))


def _descend(gradient: _Gradient, z: float) -> float:
    """Return the minimum below a place, for a loss that is not convex: reweighted means."""
    for _ in range(_STEPS):
        gradients = gradient.gradients(z)
        rows = Rows(np.full(len(gradient.t), z), gradient.t, gradient.w)
        curvatures = curvature_of(gradient.loss, "bound", rows, gradients, 1.0)
        step = float(gradients.sum() / curvatures.sum())
        if abs(step) <= _BALANCED * (1.0 + abs(z)):
            break
        z -= step
    return z


def _log_class_shares(form: SoftmaxForm, t: NDArray, w: NDArray) -> NDArray:
    """Return the centred logarithms of the shares of the classes."""
    mass = np.bincount(t, w, len(form.weight)) * form.weight
    shares = (mass @ form.target) / mass.sum()
    z = np.log(np.maximum(shares, _LEAST_SHARE))
    centred: NDArray = z - z.mean()
    return centred


def _newton(loss: Loss, t: NDArray, w: NDArray, columns: int) -> NDArray:
    """Return a minimum by diagonal steps, halved until the loss falls and half falls no more."""

    def rows(z: NDArray) -> Rows:
        return Rows(np.tile(z, (len(t), 1)), t, w)

    def mean(z: NDArray) -> float:
        return rows(z).mean(loss)

    rule: Rule = "expected" if has_expected_curvature(loss) else "gradient"
    z = np.zeros(columns)
    best = mean(z)
    for _ in range(_ROW_STEPS):
        gradients = rows(z).compute(loss, "gradient")
        curvatures = curvature_of(loss, rule, rows(z), gradients).sum(axis=0)
        step = gradients.sum(axis=0) / np.where(curvatures > 0, curvatures, 1.0)
        found = mean(z - step)
        # Far out, a whole step may go beyond the minimum so far that the way back takes forever.
        while np.abs(step).max() > _CONVERGED:
            half = mean(z - 0.5 * step)
            if found < best and not half < found:
                break
            step, found = 0.5 * step, half
        if np.abs(step).max() <= _CONVERGED:
            break
        z, best = z - step, found
    claims = loss.claims()
    if claims.convex and not claims.twice_smooth and loss.has_columns:
        # Steps end beside a kink: each column has its own crossing.
        for k in range(columns):
            gradient = _ColumnGradient(loss, t, w, z, k)
            z[k] = _bisect(gradient, *_bracket(gradient, _LARGEST))
    return z - z.mean() if claims.shift_invariant else z
