"""Softmax, logsumexp and cross-entropy of logits along the last axis, without cancellation.

All functions use one decomposition of a row of logits z: the distance d = z - max(z), its
exponentials e, and ``rest``, the sum of e over all classes but one of the largest. Then
logsumexp is max(z) + log1p(rest), which keeps the digits of a small loss; ``log(sum(e))``
does not.

Infinite logits are legal. A class at +inf has probability 1; several at +inf share it equally; a
row of only -inf counts as a row of equal logits. (This is the limit along which equal logits stay
equal.)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual, value_of
from lossfw.numerics.dual.parts import Tangent, add
from lossfw.numerics.xlogy import multiply_or_zero

# Rows of more columns are read along the row.
_FEW_COLUMNS = 32


class _SoftmaxTerms(NamedTuple):
    """The decomposition of rows of logits; `largest` and `rest` have a last axis of 1."""

    largest: Array
    d: Array
    e: Array
    top: Array  # 1 for the classes that are the largest, 0 elsewhere
    rest: Array


def largest_of_rows(xp: Namespace, x: Array) -> Array:
    """Return the largest element of each row, with a last axis of 1.

    Examples
    --------
    >>> import numpy as np
    >>> largest_of_rows(np, np.asarray([[1.0, 2.0], [4.0, 3.0]]))
    array([[2.],
           [4.]])
    """
    if xp is np and x.ndim == 2 and x.shape[-1] <= _FEW_COLUMNS:
        # NumPy goes along the longer axis, which takes a fifth of the time with the copy.
        x = np.asarray(x, order="F")
    return xp.max(x, axis=-1, keepdims=True)


def shift_by_largest(xp: Namespace, z: Array) -> tuple[Array, Array]:
    """Return the largest logit of each row, and z minus it (0 at the largest, even if infinite)."""
    largest = largest_of_rows(xp, z)
    d = z - largest
    if xp is np and np.isfinite(largest).all():
        return largest, d
    return largest, xp.where(z == largest, xp.zeros_like(z), d)


def _decompose(xp: Namespace, z: Array) -> _SoftmaxTerms:
    largest, d = shift_by_largest(xp, z)
    e = xp.exp(d)
    # The integer part of exp(d) is 1 for the largest and 0 for all others. (A class with an
    # exponential that rounds to 1 counts as a largest one.) A mask and a choice would take
    # several times as long.
    top = xp.floor(e)
    ties = xp.sum(top, axis=-1, keepdims=True)
    rest = xp.sum(e - top, axis=-1, keepdims=True) + (ties - 1)
    return _SoftmaxTerms(largest, d, e, top, rest)


class _Moments(NamedTuple):
    """Moments of the derivatives of logits under their softmax."""

    first: Tangent  # first derivative minus its mean
    second: Tangent  # second derivative minus its mean
    mean_first: Tangent
    mean_second: Tangent
    variance: Tangent  # of the first derivative


def _moments(space: DualNamespace, z: Dual, terms: _SoftmaxTerms) -> _Moments:
    """Return the moments, measured from the derivative of the largest class.

    So they do not cancel: with a probability p near 1 the variance of a unit step of that
    class is q - q^2 with q = 1 - p, not p - p^2.
    """
    xp, parts = space.inner, space.parts
    p = terms.e / (1 + terms.rest)
    ties = xp.sum(terms.top, axis=-1, keepdims=True)

    def total(factor: Array, part: Tangent) -> Tangent:
        return parts.sum(multiply_or_zero(parts, factor, part), axis=-1, keepdims=True)

    def centre(part: Tangent) -> tuple[Tangent, Tangent, Tangent]:
        part = parts.expand_like(part, z.value)
        at_top = total(terms.top, part) / ties
        offset = part - at_top
        shift = total(p, offset)
        return offset, shift, at_top + shift

    offset, shift, mean_first = centre(z.first)
    if space.order == 1:
        return _Moments(offset - shift, None, mean_first, None, None)
    variance = total(p, offset * offset) - shift * shift
    second, second_shift, mean_second = centre(z.second)
    return _Moments(offset - shift, second - second_shift, mean_first, mean_second, variance)


def logsumexp(xp: Namespace, z: Any, *, keepdims: bool = False) -> Any:
    """Return the logarithm of the sum of exp(z) along the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> logsumexp(np, np.asarray([1000.0, 1000.0]))
    array(1000.69314718)
    """
    if isinstance(xp, DualNamespace):
        if not isinstance(z, Dual):
            return logsumexp(xp.inner, z, keepdims=keepdims)
        terms = _decompose(xp.inner, z.value)
        m = _moments(xp, z, terms)
        value = terms.largest + xp.inner.log1p(terms.rest)
        result = Dual(value, m.mean_first, add(m.mean_second, m.variance), xp)
    else:
        terms = _decompose(xp, z)
        result = terms.largest + xp.log1p(terms.rest)
    return result if keepdims else result[..., 0]


def log_softmax(xp: Namespace, z: Any) -> Any:
    """Return z - logsumexp(z), never positive and accurate near 0.

    Examples
    --------
    >>> import numpy as np
    >>> log_softmax(np, np.asarray([40.0, 0.0]))
    array([-4.24835426e-18, -4.00000000e+01])
    """
    if isinstance(xp, DualNamespace) and isinstance(z, Dual):
        terms = _decompose(xp.inner, z.value)
        m = _moments(xp, z, terms)
        second = None if xp.order == 1 else m.second - m.variance
        return Dual(terms.d - xp.inner.log1p(terms.rest), m.first, second, xp)
    terms = _decompose(xp, z)
    return terms.d - xp.log1p(terms.rest)


def softmax(xp: Namespace, z: Any) -> Any:
    """Return exp(z) / sum of exp(z) along the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np, np.asarray([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    if isinstance(xp, DualNamespace) and isinstance(z, Dual):
        return _attach_derivatives(xp, z, softmax(xp.inner, z.value))
    e = xp.exp(shift_by_largest(xp, z)[1])
    return e / xp.sum(e, axis=-1, keepdims=True)


def _attach_derivatives(xp: DualNamespace, z: Dual, p: Array) -> Dual:
    """Return p, the softmax or a multiple of it, with the derivatives of it."""
    m = _moments(xp, z, _decompose(xp.inner, z.value))
    second = None
    if xp.order > 1:
        second = multiply_or_zero(xp.parts, p, m.first * m.first - m.variance + m.second)
    return Dual(p, multiply_or_zero(xp.parts, p, m.first), second, xp)


def softmax_complement(xp: Namespace, z: Any) -> Any:
    """Return 1 - softmax(z), accurate near 0.

    Examples
    --------
    >>> import numpy as np
    >>> softmax_complement(np, np.asarray([40.0, 0.0]))
    array([4.24835426e-18, 1.00000000e+00])
    """
    if isinstance(xp, DualNamespace):
        p = softmax(xp, z)
        value = softmax_complement(xp.inner, z.value if isinstance(z, Dual) else z)
        return Dual(value, (-p).first, (-p).second, xp) if isinstance(p, Dual) else value
    terms = _decompose(xp, z)
    # For the largest 1 - e is 0, and the rest is the sum of all others.
    return (terms.rest + (1 - terms.e)) / (1 + terms.rest)


def softmax_parts(xp: Namespace, z: Any) -> tuple[Any, Any, Any]:
    """Return p, 1 - p and -log(p) with p the softmax.

    Examples
    --------
    >>> import numpy as np
    >>> softmax_parts(np, np.asarray([0.0, 0.0]))
    (array([0.5, 0.5]), array([0.5, 0.5]), array([0.69314718, 0.69314718]))
    """
    if isinstance(xp, DualNamespace):
        return softmax(xp, z), softmax_complement(xp, z), -log_softmax(xp, z)
    terms = _decompose(xp, z)
    total = 1 + terms.rest
    return terms.e / total, (terms.rest + (1 - terms.e)) / total, xp.log1p(terms.rest) - terms.d


def softmax_cross_entropy(xp: Namespace, z: Any, t: Any) -> Any:
    """Return the sum over classes of t (logsumexp(z) - z), one per row.

    Parameters
    ----------
    xp : namespace
    z : array
        Logits of shape (..., K); infinite ones are legal.
    t : array
        Targets of the same shape. A target of 0 adds 0 for any logit.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.asarray([[2.0, 0.0, 0.0], [-100.0, 0.0, 0.0]])
    >>> softmax_cross_entropy(np, z, np.asarray([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]))
    array([0.23954477, 0.69314718])
    """
    return xp.sum(multiply_or_zero(xp, t, -log_softmax(xp, z)), axis=-1)


def softmax_cross_entropy_gradient(xp: Namespace, z: Any, t: Any) -> Any:
    """Return the derivative of `softmax_cross_entropy` with respect to the logits.

    It is p s - t with p the softmax and s the sum of t. For a class with p above 1/2 it is computed
    from the other classes, so for a one-hot target it is minus the sum of their probabilities.

    Parameters
    ----------
    xp : namespace
    z, t : array
        Logits and targets of shape (..., K).

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy_gradient(np, np.asarray([[40.0, 0.0]]), np.asarray([[1.0, 0.0]]))
    array([[-4.24835426e-18,  4.24835426e-18]])
    """
    if isinstance(xp, DualNamespace) and isinstance(z, Dual):
        # p s - t, whose derivatives do not cancel as its value does.
        gradient = softmax(xp, z) * xp.sum(t, axis=-1, keepdims=True) - t
        value = softmax_cross_entropy_gradient(xp.inner, z.value, value_of(t))
        return Dual(value, gradient.first, gradient.second, xp)
    return _gradient(xp, _decompose(xp, z), t)


def softmax_cross_entropy_and_gradient(xp: Namespace, z: Any, t: Any) -> tuple[Any, Any]:
    """Return `softmax_cross_entropy` and its gradient from the same exponentials.

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy_and_gradient(np, np.asarray([[0.0, 0.0]]), np.asarray([[0.5, 0.5]]))
    (array([0.69314718]), array([[0., 0.]]))
    """
    if isinstance(xp, DualNamespace):
        return softmax_cross_entropy(xp, z, t), softmax_cross_entropy_gradient(xp, z, t)
    terms = _decompose(xp, z)
    value = xp.sum(multiply_or_zero(xp, t, xp.log1p(terms.rest) - terms.d), axis=-1)
    return value, _gradient(xp, terms, t)


def _gradient(xp: Namespace, terms: _SoftmaxTerms, t: Array) -> Array:
    """Return p s - t, for a class of p above 1/2 as the other targets minus s (1 - p)."""
    total = 1 + terms.rest
    s = xp.sum(t, axis=-1, keepdims=True)
    # A rest below 1 means that there is one largest class, of p above 1/2: here 1.
    lone = terms.top * xp.astype(terms.rest < 1, t.dtype)
    own = lone * t
    others = t - own
    all_others = xp.sum(others, axis=-1, keepdims=True)
    # e and t less 1 and s there, each without rounding: -rest, and -all_others.
    e = (terms.e - lone) - lone * terms.rest
    return e / total * s - (others - lone * all_others)


def softmax_cross_entropy_hessian(xp: Namespace, z: Any, t: Any) -> Any:
    """Return the diagonal second derivative, p (1 - p) times the sum of t.

    Parameters
    ----------
    xp : namespace
    z, t : array
        Logits and targets of shape (..., K).

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy_hessian(np, np.asarray([[0.0, 0.0]]), np.asarray([[1.0, 0.0]]))
    array([[0.25, 0.25]])
    """
    if isinstance(xp, DualNamespace):
        s = xp.sum(t, axis=-1, keepdims=True)
        return softmax(xp, z) * softmax_complement(xp, z) * s
    terms = _decompose(xp, z)
    total = 1 + terms.rest
    s = xp.sum(t, axis=-1, keepdims=True)
    return (terms.e / total) * ((terms.rest + (1 - terms.e)) / total) * s
