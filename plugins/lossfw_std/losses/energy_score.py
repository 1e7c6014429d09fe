"""The energy score: the CRPS of an ensemble of vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from lossfw import VECTOR, Array, Claims, Namespace, PointwiseLoss, Space, Vector
from lossfw.numerics import computed_in_float64, multiply_or_zero


class EnergyScore(PointwiseLoss):
    """Energy score, mean |y_i - t| - sum_ij |y_i - y_j| / (2 n^2), of vectors.

    Use it when a model predicts a sample of vectors, such as the wind, or the demand in each hour
    of a day.

    The prediction has shape (..., n, D): n members in any order, each a vector. The target has
    shape (..., D). One loss per row; |.| is the Euclidean length, so all D numbers should have
    one unit.

    Notes
    -----
    For vectors of one number it is `crps_ensemble`. Its gradient is a sum of unit vectors; the
    vector between equal members is 0. Source: Gneiting and Raftery, *Strictly proper scoring rules,
    prediction, and estimation*, Journal of the American Statistical Association 102, 2007,
    doi:10.1198/016214506000001437.

    See Also
    --------
    crps_ensemble : of numbers.

    Examples
    --------
    >>> EnergyScore()([[[0.0, 0.0], [6.0, 8.0]]], [[3.0, 4.0]], reduction="none")
    array([2.5])
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{n}\sum_{i} \left\|y_{i} - t\right\| - "
        r"\frac{1}{2 n^{2}}\sum_{i,\,j} \left\|y_{i} - y_{j}\right\|"
    )
    prediction: ClassVar[Space] = Vector.of(VECTOR)
    target: ClassVar[Space] = VECTOR

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        distance, spread = _target_and_pair_terms(
            xp, y, t, lambda xp, v: xp.sqrt(xp.sum(v * v, axis=-1))
        )
        return xp.sum(distance - spread / 2, axis=-1)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same, with lengths that do not overflow."""
        distance, spread = _target_and_pair_terms(xp, y, t, _length)
        return xp.sum(distance - 0.5 * spread, axis=-1)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The direction from the target, less the mean direction from the other members."""
        from_target, from_others = _target_and_pair_terms(xp, y, t, _direction)
        return xp.reshape(from_target - from_others, y.shape)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same of the second derivatives of lengths."""
        by_target, by_others = _target_and_pair_terms(xp, y, t, _second_derivative)
        return xp.reshape(by_target - by_others, y.shape)

    def claims(self) -> Claims:
        """Not convex: two members gain by moving apart."""
        return Claims(nonnegative=True, convex=False)


def _target_and_pair_terms(
    xp: Namespace, y: Array, t: Array, function: Callable[[Namespace, Array], Array]
) -> tuple[Array, Array]:
    """Return a function of y_i - t over n, and its sum over all y_i - y_j over n^2."""
    # Members come as flat rows.
    n = y.shape[-1] // t.shape[-1]
    y = xp.reshape(y, (*y.shape[:-1], n, t.shape[-1]))
    pairs = function(xp, y[..., :, None, :] - y[..., None, :, :])
    by_target = function(xp, y - t[..., None, :]) / n
    # Of vectors, the axis of j is the last but one.
    return by_target, xp.sum(pairs, axis=y.ndim - by_target.ndim - 2) / (n * n)


def _scale_vectors(xp: Namespace, v: Array) -> tuple[Array, Array, Array]:
    """Return vectors as sizes, lengths and vectors of which the largest number is 1."""
    size = xp.max(xp.abs(v), axis=-1, keepdims=True)
    scaled = v / xp.where(size > 0, size, xp.ones_like(size))
    return size, xp.sqrt(xp.sum(scaled * scaled, axis=-1, keepdims=True)), scaled


def _length(xp: Namespace, v: Array) -> Array:
    size, length, _ = _scale_vectors(xp, v)
    return (size * length)[..., 0]


def _direction(xp: Namespace, v: Array) -> Array:
    _, length, scaled = _scale_vectors(xp, v)
    return scaled / xp.where(length > 0, length, xp.ones_like(length))


def _inverse_length(xp: Namespace, v: Array) -> Array:
    """Return 1 / length, of shape (..., 1), and 0 where the length is 0."""
    size, length, _ = _scale_vectors(xp, v)
    none = size == 0
    inverse = 1.0 / xp.where(none, xp.ones_like(length), length)
    inverse = inverse / xp.where(none, xp.ones_like(size), size)
    return xp.where(none, xp.zeros_like(size), inverse)


def _second_derivative(xp: Namespace, v: Array) -> Array:
    """Return (1 - u^2) / length for a direction u."""
    u = _direction(xp, v)
    # In the direction of a number, and for tiny lengths, it is 0 times infinity.
    return multiply_or_zero(xp, (1.0 - u) * (1.0 + u), _inverse_length(xp, v))
