"""Sparsemax."""

from __future__ import annotations

from typing import ClassVar

from lossfw import SIMPLEX, ActivationClaims, Array, Namespace, RowActivation, Space
from lossfw.numerics import column_numbers, computed_in_float64, two_diff, two_prod

# Distances from the largest, in [-1, 0], are taken as a multiple of 2^-32 and a
# rest. Sums of a million multiples are exact in float64, and those of the rests
# are right to 2^-65: so the sign of a difference of sums is right, too.
_GRID = 2.0**32


def _distance(xp: Namespace, x: Array, largest: Array) -> tuple[Array, Array]:
    """Return the distance from the largest of a row, and what rounding took off it.

    Without it results just above 0 were refuted: a fraction that is a difference has no other
    digits.
    """
    d, lost = two_diff(xp, x, largest)
    # Infinity less infinity: equal arguments are equal.
    return xp.where(x == largest, xp.zeros_like(d), d), lost


def _split_distance(xp: Namespace, x: Array, largest: Array) -> tuple[Array, Array]:
    """Return the distance from the largest, at least -1, as a multiple of the grid and a rest."""
    d, lost = _distance(xp, x, largest)
    far = d < -1
    d, lost = xp.where(far, -xp.ones_like(d), d), xp.where(far, xp.zeros_like(d), lost)
    coarse = xp.floor(d * _GRID) / _GRID
    return coarse, (d - coarse) + lost


@computed_in_float64
def _sparsemax(xp: Namespace, x: Array) -> Array:
    """With d the distances and S the n classes of the support: d_k + (1 - sum of d) / n.

    The support is found by sorting: the k-th largest belongs to it if 1 - (d_1 + ... + d_k) + k d_k
    is above 0.
    """
    falling = -xp.sort(-x, axis=-1)
    least = falling[..., -1:]
    # NaN is sorted to the end, and may have lost its sign.
    largest = xp.where(xp.isnan(least), xp.full_like(least, xp.nan), falling[..., :1])
    coarse, fine = _split_distance(xp, falling, largest)
    k = 1 + xp.astype(column_numbers(xp, x), x.dtype)
    coarse_sums, fine_sums = (xp.cumulative_sum(part, axis=-1) for part in (coarse, fine))
    margin = (1 - coarse_sums + k * coarse) + (k * fine - fine_sums)
    count = xp.sum(xp.astype(margin > 0, xp.int64), axis=-1, keepdims=True)
    # Without NaN the largest belongs to the support.
    last = xp.maximum(count, xp.ones_like(count)) - 1
    n = xp.astype(last + 1, x.dtype)
    left = 1 - xp.take_along_axis(coarse_sums, last, axis=-1)
    share = left / n
    product, rounding = two_prod(xp, share, n)
    rest = ((left - product) - rounding) - xp.take_along_axis(fine_sums, last, axis=-1)
    d, lost = _distance(xp, x, largest)
    return xp.maximum((d + share) + (lost + rest / n), xp.zeros_like(d))


class Sparsemax(RowActivation):
    """Sparsemax, the distribution nearest to a row in the Euclidean distance.

    Use it when most classes should get a probability of exactly 0.

    max(0, x_k - tau), with tau such that a row sums to 1. Rows along the last axis, infinite
    arguments included, as for `softmax`. Classes that are 1 or more below the largest get exactly
    0; equal ones get equal probabilities.

    Notes
    -----
    Between the points where a class enters or leaves the support it is linear: its Jacobian is
    diag(s) - s s' / n with s the indicator of the n classes of the support, a projection, so that 1
    is the Lipschitz constant. Where a class is about to enter the support, the derivative is the
    one without it. These points form surfaces, so `breaks`, which lists numbers, is not claimed.
    Source: Martins and Astudillo, *From softmax to sparsemax: a sparse model of attention and
    multi-label classification*, 2016, doi:10.48550/arXiv.1602.02068.

    See Also
    --------
    softmax : never exactly 0.

    Examples
    --------
    >>> Sparsemax()([[0.75, 0.25, -2.0], [2.0, 1.0, 0.0]])
    array([[0.75, 0.25, 0.  ],
           [1.  , 0.  , 0.  ]])
    """

    latex: ClassVar[str | None] = (
        r"\max\!\left(0,\, x_{k} - \tau\right) \quad\text{with } "
        r"\sum_{j} \max\!\left(0,\, x_{j} - \tau\right) = 1"
    )
    out_space: ClassVar[Space] = SIMPLEX

    def formula(self, xp: Namespace, x: Array) -> Array:
        """max(0, x - tau), tau the largest of (x_1 + ... + x_k - 1) / k, x sorted."""
        k = xp.cumulative_sum(xp.ones_like(x), axis=-1)
        sums = xp.cumulative_sum(-xp.sort(-x, axis=-1), axis=-1)
        tau = xp.max((sums - 1) / k, axis=-1, keepdims=True)
        return xp.maximum(x - tau, xp.zeros_like(x))

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same from distances, with sums that cannot mistake the support."""
        return _sparsemax(xp, x)

    def jvp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """v less its mean over the support; 0 outside."""
        p = _sparsemax(xp, x)
        inside = p > 0
        zero = xp.zeros_like(x)
        n = xp.sum(xp.where(inside, xp.ones_like(x), zero), axis=-1, keepdims=True)
        mean = xp.sum(xp.where(inside, v, zero), axis=-1, keepdims=True) / n
        return xp.where(inside, v - mean, xp.where(xp.isnan(p), p, zero))

    def vjp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """The same, since the Jacobian is symmetric."""
        return self.jvp(xp, x, v)

    def claims(self) -> ActivationClaims:
        """Each row is a distribution; a projection brings no two rows further apart."""
        return ActivationClaims(
            range=(0.0, 1.0), lipschitz=1.0, rows_sum_to_one=True, shift_invariant=True
        )
