"""The quantiles of the normal distribution, without SciPy.

Wichura, *Algorithm AS 241: The Percentage Points of the Normal Distribution*, Applied
Statistics 37, 1988, doi:10.2307/2347330: quotients of polynomials of the distance from 1/2,
or of the root of the logarithm of the tail.
"""

from __future__ import annotations

from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.normal_tail import log_normal_cdf, normal_hazard
from lossfw.numerics.primitive import computed_in_float64, polynomial, primitive

# The middle is abs(p - 1/2) up to here, and then its square less that of the distance counts.
_MIDDLE = 0.425
_MIDDLE_TOP = (
    3.3871328727963665,
    133.14166789178438,
    1971.5909503065513,
    13731.69376550946,
    45921.95393154987,
    67265.7709270087,
    33430.57558358813,
    2509.0809287301227,
)
_MIDDLE_BOTTOM = (
    1.0,
    42.31333070160091,
    687.1870074920579,
    5394.196021424751,
    21213.794301586597,
    39307.89580009271,
    28729.085735721943,
    5226.495278852854,
)

# The root of -log(tail) up to 5, and beyond: to 27 in float64.
_TAIL_SHIFT, _TAIL_END = 1.6, 5.0
_TAIL_TOP = (
    1.4234371107496835,
    4.630337846156546,
    5.769497221460691,
    3.6478483247632045,
    1.2704582524523684,
    0.2417807251774506,
    0.022723844989269184,
    0.0007745450142783414,
)
_TAIL_BOTTOM = (
    1.0,
    2.053191626637759,
    1.6763848301838038,
    0.6897673349851,
    0.14810397642748008,
    0.015198666563616457,
    0.0005475938084995345,
    1.0507500716444169e-09,
)
_FAR_TOP = (
    6.657904643501103,
    5.463784911164114,
    1.7848265399172913,
    0.29656057182850487,
    0.026532189526576124,
    0.0012426609473880784,
    2.7115555687434876e-05,
    2.0103343992922881e-07,
)
_FAR_BOTTOM = (
    1.0,
    0.599832206555888,
    0.1369298809227358,
    0.014875361290850615,
    0.0007868691311456133,
    1.8463183175100548e-05,
    1.421511758316446e-07,
    2.0442631033899397e-15,
)

# The root is infinite at 0 and 1 only; else that of the least float64 is 27.3.
_LARGEST_ROOT = 28.0

# Newton's steps for exact numbers. The first few come near; each of the others doubles the
# digits, and ten make 300 of one.
_STEPS = 16


@primitive(
    textbook=lambda xp, p: _textbook(xp, p),
    derivative=lambda xp, p: _derivative(xp, p, normal_quantile(xp, p)),
    second_derivative=lambda xp, p: (
        normal_quantile(xp, p) * _derivative(xp, p, normal_quantile(xp, p)) ** 2
    ),
)
@computed_in_float64
def normal_quantile(xp: Namespace, p: Array) -> Array:
    """Return the quantile of probability p of the standard normal distribution.

    It is the inverse of `normal_cdf`, infinite at 0 and 1, and NaN outside.

    Examples
    --------
    >>> import numpy as np
    >>> normal_quantile(np, np.asarray([0.0, 1e-300, 0.5, 0.975]))
    array([        -inf, -37.0470963 ,   0.        ,   1.95996398])
    """
    q = p - 0.5
    near = xp.clip(q, -_MIDDLE, _MIDDLE)
    r = _MIDDLE * _MIDDLE - near * near
    middle = near * polynomial(r, _MIDDLE_TOP) / polynomial(r, _MIDDLE_BOTTOM)
    tail = xp.minimum(p, 1.0 - p)
    end = xp.where(tail == 0, xp.full_like(p, xp.inf), xp.full_like(p, xp.nan))
    root = xp.where(tail > 0, xp.sqrt(-xp.log(xp.where(tail > 0, tail, 0.5))), end)
    r = xp.minimum(root, xp.full_like(p, _TAIL_END)) - _TAIL_SHIFT
    outer = polynomial(r, _TAIL_TOP) / polynomial(r, _TAIL_BOTTOM)
    r = xp.clip(root, _TAIL_END, _LARGEST_ROOT) - _TAIL_END
    far = polynomial(r, _FAR_TOP) / polynomial(r, _FAR_BOTTOM)
    far = xp.where(root > _LARGEST_ROOT, root, far)
    outer = xp.where(root > _TAIL_END, far, outer)
    return xp.where(xp.abs(q) > _MIDDLE, xp.sign(q) * outer, middle)


def _derivative(xp: Namespace, p: Array, x: Array) -> Array:
    """Return 1 / normal_pdf(x), by the hazard: the density multiplies the error of x by x."""
    return 1.0 / (xp.minimum(p, 1.0 - p) * normal_hazard(xp, xp.abs(x)))


def _textbook(xp: Namespace, p: Array) -> Array:
    """Return the zero of log P(X <= x) - log p for p up to 1/2, and mirrored, by Newton's steps.

    The function is concave, so that the steps from the left of the zero stay there.
    """
    tail = xp.minimum(p, 1 - p)
    some = xp.where((tail > 0) & (tail < 0.5), tail, xp.full_like(p, 0.25))
    log = xp.log(some)
    x = -xp.sqrt(-2 * log)
    for _ in range(_STEPS):
        x = x - (log_normal_cdf(xp, x) - log) / normal_hazard(xp, -x)
    x = xp.where(tail == 0.5, xp.zeros_like(p), xp.where(tail == 0, xp.full_like(p, -xp.inf), x))
    x = xp.where(p > 0.5, -x, x)
    return xp.where((tail < 0) | xp.isnan(p), xp.full_like(p, xp.nan), x)
