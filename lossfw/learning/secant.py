"""The secant of a mirrored loss: (l'(r) - l'(-r)) / 2r at a residual r.

It is the curvature of the parabola above the loss and its mirror image that touches both at r. The
gradient at r is the gradient that a round has computed, so that only the other one is left.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from lossfw.learning.raw_form import Rows
from lossfw.losses.engine.threads import run
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Nearer to the target than this, relative to it, a residual is mostly rounding.
NEAR: Final = 1e-8
# So many elements of several arrays stay in the second-level cache, and are worth a call of the
# loss.
_AT_ONCE: Final = 65_536


def secant(
    loss: Loss, rows: Rows, gradients: NDArray, *, symmetric: bool, has_kinks: bool
) -> NDArray:
    """Return the weighted secant of each row; `gradients` are the weighted ones at the predictions.

    At a kink it is infinite. There r is replaced by sqrt(r^2 + s^2), with s a typical residual,
    by weight and steepness. XGBoost's absolute error has the same from release 3.4 on.
    """
    y, t = rows.y, rows.t
    a, steepness = np.empty_like(y), np.empty_like(y)

    def put_steepness(part: slice) -> None:
        mid, distance, found = t[part], a[part], steepness[part]
        weight = None if rows.w is None else rows.w[part]
        residual = y[part] - mid
        np.abs(residual, out=distance)
        if symmetric:
            np.abs(gradients[part], out=found)
        else:
            mirrored = np.subtract(mid, residual, out=residual)
            loss.gradient(mirrored, mid, sample_weight=weight, reduction="none", out=found)
            np.abs(np.subtract(gradients[part], found, out=found), out=found)
            found *= 0.5
        near = _is_mostly_rounding(distance, mid)
        if near[0].size:
            # There the gradient at the prediction is that of another distance.
            of_near = mid[near], None if weight is None else weight[near[0]]
            distance[near] = NEAR * (1.0 + np.abs(of_near[0]))
            found[near] = _steepness(loss, distance[near], *of_near, symmetric=symmetric)

    parts = [slice(i, i + _AT_ONCE) for i in range(0, len(y), _AT_ONCE)]
    run(put_steepness, parts)
    smoothing = typical_distance(a, steepness) if has_kinks else None

    def put_secant(part: slice) -> None:
        distance = a[part]
        if smoothing is not None:
            # `hypot` takes ten times as long. Where the square of a distance overflows, the
            # secant is 0, and the curvature the least one.
            distance *= distance
            distance += smoothing * smoothing
            np.sqrt(distance, out=distance)
        np.divide(steepness[part], distance, out=steepness[part])

    run(put_secant, parts)
    return steepness


def _is_mostly_rounding(distance: NDArray, t: NDArray) -> tuple[NDArray, ...]:
    """Return where a distance from targets is mostly rounding."""
    if distance.min() >= NEAR * (1.0 + max(t.max(), -t.min())):
        # Nowhere, which is so in most rounds, and takes fewer passes.
        return (np.zeros(0, np.int64),)
    return np.nonzero(distance < NEAR * (1.0 + np.abs(t)))


def _steepness(
    loss: Loss, distance: NDArray, t: NDArray, weight: NDArray | None, *, symmetric: bool
) -> NDArray:
    """Return half the weighted difference of the gradients at a distance to both sides of t."""

    def gradient(y: NDArray) -> NDArray:
        found: NDArray = loss.gradient(y, t, sample_weight=weight, reduction="none")
        return found

    above = gradient(t + distance)
    steepness: NDArray = np.abs(above if symmetric else 0.5 * (above - gradient(t - distance)))
    return steepness


def typical_distance(a: NDArray, weight: NDArray) -> float:
    """Return a typical distance: the square of the weighted mean of square roots."""
    total, roots = _weight_and_root_sums(a, weight)
    if not np.isfinite(total + roots):
        # The error names the row by its number, which NaN would hide among all others.
        known = np.isfinite(weight) & np.isfinite(a)
        total, roots = _weight_and_root_sums(np.where(known, a, 0.0), np.where(known, weight, 0.0))
    return (roots / total) ** 2 if total > 0 else 0.0


def _weight_and_root_sums(a: NDArray, weight: NDArray) -> tuple[float, float]:
    """Return the sum of shares, and that of square roots by their shares."""
    roots = np.sqrt(a)
    roots *= weight
    return float(weight.sum()), float(roots.sum())
