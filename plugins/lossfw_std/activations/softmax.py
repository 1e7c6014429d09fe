"""Softmax."""

from __future__ import annotations

from typing import ClassVar

from lossfw.numerics import softmax

from lossfw import SIMPLEX, ActivationClaims, RowActivation, Space
from lossfw.numbers.arrays import Array, Namespace


class Softmax(RowActivation):
    """Softmax, exp(x_k) / sum over j of exp(x_j).

    Rows along the last axis, infinite arguments included; each row of results
    is a distribution. Source: Bridle, *Probabilistic interpretation of
    feedforward classification network outputs*, 1990.

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

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same with the largest argument taken off first: nothing overflows."""
        return softmax(xp, x)

    def jvp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """p (v - sum p v): the Jacobian diag(p) - p p' is symmetric."""
        p = softmax(xp, x)
        return p * (v - xp.sum(p * v, axis=-1, keepdims=True))

    def vjp(self, xp: Namespace, x: Array, v: Array) -> Array:
        """The same, by symmetry."""
        return self.jvp(xp, x, v)

    def claims(self) -> ActivationClaims:
        """Each row is a distribution; the spectral norm of the Jacobian is at most 1/2."""
        return ActivationClaims(
            range=(0.0, 1.0), lipschitz=0.5, breaks=(), rows_sum_to_one=True, shift_invariant=True
        )
