"""Softmax and its logarithm."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from lossfw import LOGITS, SIMPLEX, ActivationClaims, Array, Namespace, RowActivation, Space
from lossfw.numerics import computed_in_float64, largest_of_rows, multiply_or_zero


class _RowParts(NamedTuple):
    """Rows taken apart; `rest` has a last axis of 1."""

    d: Array  # distance to the largest
    e: Array  # exp(d)
    top: Array  # 1 for those that are largest, 0 for others
    rest: Array  # sum of e, less one of the largest


def distance(xp: Namespace, x: Array, largest: Array) -> Array:
    """Return each element less the largest of its row; 0 for equal infinite ones."""
    return xp.where(x == largest, xp.zeros_like(x), x - largest)


def _decompose(xp: Namespace, x: Array) -> _RowParts:
    """Return a row's distances from its largest, and their exponentials."""
    d = distance(xp, x, largest_of_rows(xp, x))
    e = xp.exp(d)
    # The integer part: an exponential that rounds to 1 counts as a largest one.
    top = xp.floor(e)
    others = xp.sum(e - top, axis=-1, keepdims=True)
    return _RowParts(d, e, top, others + (xp.sum(top, axis=-1, keepdims=True) - 1))


def _subtract_mean(xp: Namespace, row: _RowParts, v: Array) -> Array:
    """Return v less its mean under the softmax.

    Both are measured from v at the largest argument. With a probability p near 1 the variance of
    its indicator is then q - q^2, q = 1 - p, and not p - p^2.
    """
    ties = xp.sum(row.top, axis=-1, keepdims=True)
    middle = xp.sum(multiply_or_zero(xp, row.top, v), axis=-1, keepdims=True) / ties
    offset = v - middle
    return offset - xp.sum(
        multiply_or_zero(xp, row.e / (1 + row.rest), offset), axis=-1, keepdims=True
    )


@computed_in_float64
def _subtract_fraction(xp: Namespace, x: Array, v: Array, whole: Array, others: Array) -> Array:
    row = _decompose(xp, x)
    total = 1 + row.rest
    lone = (row.top > 0) & (row.rest < 1)
    return xp.where(lone, row.rest / total * whole - others, v - row.e / total * whole)


class Softmax(RowActivation):
    """Softmax, exp(x_k) / sum over j of exp(x_j).

    Use it when the last layer predicts the probabilities of exclusive classes.

    Rows along the last axis, infinite arguments included; each row of results is a distribution. A
    class at +inf gets the whole probability, and several share it equally; so do the classes of a
    row that is all -inf.

    Notes
    -----
    Its Jacobian is J = diag(p) - p p'. For a unit vector v, v' J v is the variance of v under p, at
    most (max v - min v)^2 / 4 by Popoviciu's inequality, and so at most 1/2: the Lipschitz
    constant, attained where two classes share the probability equally. Source: Bridle,
    *Probabilistic interpretation of feedforward classification network outputs*, 1990,
    doi:10.1007/978-3-642-76153-9_28.

    See Also
    --------
    sigmoid : the softmax of (x, 0).
    sparsemax : with exact zeros.

    Examples
    --------
    >>> Softmax()([1000.0, 1000.0])
    array([0.5, 0.5])
    """

    out_space: ClassVar[Space] = SIMPLEX

    def formula(self, xp: Namespace, x: Array) -> Array:
        """exp(x) / sum exp(x)."""
        e = xp.exp(x)
        return e / xp.sum(e, axis=-1, keepdims=True)

    @computed_in_float64
    def value(self, xp: Namespace, x: Array) -> Array:
        """The same with the largest argument taken off first: nothing overflows."""
        row = _decompose(xp, x)
        return row.e / (1 + row.rest)

    @computed_in_float64
    def jvp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """p (v - sum p v)."""
        row = _decompose(xp, x)
        return multiply_or_zero(xp, row.e / (1 + row.rest), _subtract_mean(xp, row, v))

    def vjp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """The same, since the Jacobian is symmetric."""
        return self.jvp(xp, x, v)

    def claims(self) -> ActivationClaims:
        """Each row is a distribution."""
        return ActivationClaims(
            range=(0.0, 1.0), lipschitz=0.5, breaks=(), rows_sum_to_one=True, shift_invariant=True
        )


class LogSoftmax(RowActivation):
    """Logarithm of the softmax, x_k - log(sum over j of exp(x_j)).

    Use it when you need logarithms of probabilities without loss of digits.

    Rows along the last axis, infinite arguments included; results at or below 0. Results near 0
    keep their digits: they come from log1p of the other classes' probability.

    Notes
    -----
    The spectral norm of its Jacobian 1 - 1 p' approaches the square root of the number of classes,
    so there is no Lipschitz constant for all rows. Source: Bridle, *Probabilistic interpretation of
    feedforward classification network outputs*, 1990, doi:10.1007/978-3-642-76153-9_28.

    See Also
    --------
    softmax : its exponential.

    Examples
    --------
    >>> LogSoftmax()([40.0, 0.0])
    array([-4.24835426e-18, -4.00000000e+01])
    """

    out_space: ClassVar[Space] = LOGITS

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x - log sum exp(x)."""
        return x - xp.log(xp.sum(xp.exp(x), axis=-1, keepdims=True))

    @computed_in_float64
    def value(self, xp: Namespace, x: Array) -> Array:
        """The same without overflow or cancellation."""
        row = _decompose(xp, x)
        return row.d - xp.log1p(row.rest)

    @computed_in_float64
    def jvp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """v - sum p v."""
        return _subtract_mean(xp, _decompose(xp, x), v)

    def vjp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """v - p sum v; where p is above 1/2, from the rest of the row."""
        # Sums of v alone, in its own dtype.
        whole = xp.sum(v, axis=-1, keepdims=True)
        top = x == largest_of_rows(xp, x)
        others = xp.sum(xp.where(top, xp.zeros_like(v), v), axis=-1, keepdims=True)
        return _subtract_fraction(xp, x, v, whole, others)

    def claims(self) -> ActivationClaims:
        """At most 0, which it approaches."""
        return ActivationClaims(range=(float("-inf"), 0.0), breaks=(), shift_invariant=True)
