"""Numerics: small functions that keep their digits, on any number system.

Every function takes the array namespace first, as a body does, and runs on
NumPy, on exact and on dual numbers, and on the arrays of other libraries::

    softplus(xp, x)   sigmoid(xp, x)   log_sigmoid(xp, x)
    log_cosh(xp, x)   sech_squared(xp, x)
    log1p_minus(xp, x)      log(1 + x) - x          expm1_minus(xp, x)  exp(x) - 1 - x
    sqrt1pm1(xp, x)         sqrt(1 + x) - 1         hypot1m1(xp, x)     sqrt(1 + x^2) - 1
    log1p_square(xp, x)     log(1 + x^2)
    erf(xp, x)   erfc(xp, x)   normal_cdf(xp, x)   normal_pdf(xp, x)
    times_normal_pdf(xp, f, x)   scaled_normal_tail(xp, x)
    times(xp, a, b)         a b with 0 inf = 0     quotient(xp, a, b)    a / b with 0 / 0 = 0
    xlogy(xp, x, y)   xlog1py(xp, x, y)   positive_part(xp, x)
    logsumexp(xp, z)   softmax(xp, z)   softmax_complement(xp, z)   log_softmax(xp, z)
    softmax_parts(xp, z)    p, 1 - p, -log(p)
    scaled_softmax(xp, z)   p as two factors, the first of which is never subnormal
    sum_of_others(xp, e, index)   put_at(xp, x, index, values)
    softmax_cross_entropy(xp, z, t)            softmax_cross_entropy_at(xp, z, index)
    softmax_cross_entropy_gradient(xp, z, t)   softmax_cross_entropy_hessian(xp, z, t)
    softmax_cross_entropy_and_gradient(xp, z, t)
    softmax_cross_entropy_and_gradient_at(xp, z, index)

On exact numbers a function of one argument is its textbook formula, so that
the truth does not depend on what is measured against it. On dual numbers it
has exact derivatives, also at ties. NaN in an argument is NaN in the result.

Worst errors measured, in units in the last place of float64 and float32: at
most 4 for a function of one argument; the tests hold each to its own bound.
"""

from lossfw.numerics.cancellation import (
    expm1_minus,
    hypot1m1,
    log1p_minus,
    log1p_square,
    log_cosh,
    sech_squared,
    sqrt1pm1,
)
from lossfw.numerics.logistic import log_sigmoid, positive_part, sigmoid, softplus
from lossfw.numerics.normal import (
    erf,
    erfc,
    normal_cdf,
    normal_pdf,
    scaled_normal_tail,
    times_normal_pdf,
)
from lossfw.numerics.softmax import (
    log_softmax,
    logsumexp,
    scaled_softmax,
    softmax,
    softmax_complement,
    softmax_cross_entropy,
    softmax_cross_entropy_and_gradient,
    softmax_cross_entropy_gradient,
    softmax_cross_entropy_hessian,
    softmax_parts,
    sum_of_others,
)
from lossfw.numerics.softmax_index import (
    put_at,
    softmax_cross_entropy_and_gradient_at,
    softmax_cross_entropy_at,
    take_at,
)
from lossfw.numerics.xlogy import quotient, times, xlog1py, xlogy

__all__ = [
    "erf",
    "erfc",
    "expm1_minus",
    "hypot1m1",
    "log1p_minus",
    "log1p_square",
    "log_cosh",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "normal_cdf",
    "normal_pdf",
    "positive_part",
    "put_at",
    "quotient",
    "scaled_normal_tail",
    "scaled_softmax",
    "sech_squared",
    "sigmoid",
    "softmax",
    "softmax_complement",
    "softmax_cross_entropy",
    "softmax_cross_entropy_and_gradient",
    "softmax_cross_entropy_and_gradient_at",
    "softmax_cross_entropy_at",
    "softmax_cross_entropy_gradient",
    "softmax_cross_entropy_hessian",
    "softmax_parts",
    "softplus",
    "sqrt1pm1",
    "sum_of_others",
    "take_at",
    "times",
    "times_normal_pdf",
    "xlog1py",
    "xlogy",
]
