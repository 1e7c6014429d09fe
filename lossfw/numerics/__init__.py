"""Numerics: small functions that keep their digits, on any number system.

Every function takes the array namespace first, as a body does::

    softplus(xp, x)   sigmoid(xp, x)   log_sigmoid(xp, x)
    logistic_parts(xp, x)   step_of(xp, x)   of which functions of exp(x) are made
    log_cosh(xp, x)   sech_squared(xp, x)
    log1p_minus(xp, x)      log(1 + x) - x          expm1_minus(xp, x)  exp(x) - 1 - x
    sqrt1pm1(xp, x)         sqrt(1 + x) - 1         hypot1m1(xp, x)     sqrt(1 + x^2) - 1
    log1p_square(xp, x)     log(1 + x^2)
    erf(xp, x)   erfc(xp, x)   normal_cdf(xp, x)   normal_pdf(xp, x)
    times_normal_pdf(xp, f, x)   scaled_normal_tail(xp, x)
    times(xp, a, b)         a b with 0 inf = 0     quotient(xp, a, b)    a / b with 0 / 0 = 0
    xlogy(xp, x, y)   xlog1py(xp, x, y)   positive_part(xp, x)   power(xp, x, exponent)
    log_factorial(xp, t)    log t!                  factorial_rest(xp, t)  log t! - t log t + t

of rows::

    logsumexp(xp, z)   softmax(xp, z)   softmax_complement(xp, z)   log_softmax(xp, z)
    softmax_parts(xp, z)    p, 1 - p, -log(p)      softmax_parts_at(xp, z, index)
    scaled_softmax(xp, z)   p as two factors, the first never subnormal
    take_at(xp, x, index)   put_at(xp, x, index, values)   sum_of_others(xp, e, index)
    softmax_cross_entropy(xp, z, t)            softmax_cross_entropy_at(xp, z, index)
    softmax_cross_entropy_gradient(xp, z, t)   softmax_cross_entropy_hessian(xp, z, t)
    softmax_cross_entropy_and_gradient(xp, z, t)
    softmax_cross_entropy_and_gradient_at(xp, z, index)

of a guarded logarithm (`Guard`, `Delta` and `DEFAULT_DELTA` are for its fields)::

    guarded_log(xp, p, guard, delta)   textbook_log(xp, p, guard, delta)
    guarded_log_derivative(xp, p, guard, delta)

of an argument and a parameter::

    excess(xp, a, limit)    a - limit       shares(xp, a, c)    a and c over max(a, c)
    at_most(xp, a, limit)   at_least(xp, a, limit)   zero_or_nan(xp, x)
    holdable(xp, limit, x)  a limit that the dtype of x can hold
    remembered(function)    decorates a function that computes constants from parameters

with two floats for one number, the second being the rounding error of the first::

    two_diff(xp, a, b)   two_prod(xp, a, b)         of floats, without any rounding
    exact_square(xp, a)                             a a likewise
    difference_error(a, b, d)                       the second of the first
    add_words(xp, a, b)   multiply_words(xp, a, b)   scale_words(xp, k, d)
    words_of(xp, fraction, like)   log_ratio_words(xp, y, t)   log_distance_words(xp, z, t)
    exp_words(xp, d)   expm1_words(xp, d)   expm1_minus_words(xp, d)
    scaled_exp(xp, high, low)     an exponential that is never subnormal, and its unit

``select(xp, condition, a, b)`` is ``xp.where`` at a cost that does not depend on the
condition, ``patched(xp, usual, rare, function, *arguments)`` computes a function where it
is rarely wanted, and `patched_rows` one of rows. ``with_nan_of(xp, x, result)`` keeps NaN in
what is else constant, ``with_nan_of_rows(xp, rows, result)`` that of a row.
`in_double` decorates a body whose float32 is to go by float64, and `in_double_by` one that has
a plainer form for it. ``namespace_of(x)`` is the array namespace of an array, for a function
that is not given one; ``columns(xp, x)`` is 0 .. K-1 and ``device_of(x)`` where a new array
must be made to meet `x`.

On exact numbers a function of one argument is its textbook formula, so that
the truth does not depend on the code that is measured against it. On dual
numbers it has exact derivatives, also at ties. NaN in an argument is NaN in the
result.

Worst errors measured, in units in the last place of float64 and float32: at
most 4 for a function of one argument; the tests hold each to its own bound.
"""

from lossfw.numerics.arrays import columns, device_of, namespace_of
from lossfw.numerics.cancellation import (
    ATANH_TAIL,
    expm1_minus,
    hypot1m1,
    log1p_minus,
    log1p_square,
    log_cosh,
    sech_squared,
    sqrt1pm1,
)
from lossfw.numerics.double_double import (
    FAR_EXPONENT,
    DoubleDouble,
    ScaledExp,
    add_words,
    multiply_words,
    scaled_exp,
    words_of,
)
from lossfw.numerics.double_double_log import (
    exp_words,
    expm1_minus_words,
    expm1_words,
    log_distance_words,
    log_ratio_words,
    scale_words,
)
from lossfw.numerics.error_free import difference_error, exact_square, two_diff, two_prod
from lossfw.numerics.factorial import factorial_rest, log_factorial
from lossfw.numerics.guards import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    guarded_log,
    guarded_log_derivative,
    guarded_log_second_derivative,
    textbook_log,
)
from lossfw.numerics.logistic import (
    LogisticParts,
    log_sigmoid,
    logistic_parts,
    positive_part,
    sigmoid,
    softplus,
    step_of,
)
from lossfw.numerics.normal import (
    erf,
    erfc,
    normal_cdf,
    normal_pdf,
    scaled_normal_tail,
    times_normal_pdf,
)
from lossfw.numerics.parameters import (
    at_least,
    at_most,
    excess,
    holdable,
    hypotenuse_and_share,
    nearest_float32,
    over_root,
    pieces,
    power,
    precisely,
    remembered,
    shares,
    zero_or_nan,
)
from lossfw.numerics.primitive import in_double, in_double_by, polynomial
from lossfw.numerics.selection import (
    patched,
    patched_rows,
    select,
    with_nan_of,
    with_nan_of_rows,
)
from lossfw.numerics.softmax import (
    largest_of_rows,
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
    softmax_parts_at,
    take_at,
)
from lossfw.numerics.xlogy import quotient, times, xlog1py, xlogy

__all__ = [
    "ATANH_TAIL",
    "DEFAULT_DELTA",
    "FAR_EXPONENT",
    "Delta",
    "DoubleDouble",
    "Guard",
    "LogisticParts",
    "ScaledExp",
    "add_words",
    "at_least",
    "at_most",
    "columns",
    "device_of",
    "difference_error",
    "erf",
    "erfc",
    "exact_square",
    "excess",
    "exp_words",
    "expm1_minus",
    "expm1_minus_words",
    "expm1_words",
    "factorial_rest",
    "guarded_log",
    "guarded_log_derivative",
    "guarded_log_second_derivative",
    "holdable",
    "hypot1m1",
    "hypotenuse_and_share",
    "in_double",
    "in_double_by",
    "largest_of_rows",
    "log1p_minus",
    "log1p_square",
    "log_cosh",
    "log_distance_words",
    "log_factorial",
    "log_ratio_words",
    "log_sigmoid",
    "log_softmax",
    "logistic_parts",
    "logsumexp",
    "multiply_words",
    "namespace_of",
    "nearest_float32",
    "normal_cdf",
    "normal_pdf",
    "over_root",
    "patched",
    "patched_rows",
    "pieces",
    "polynomial",
    "positive_part",
    "power",
    "precisely",
    "put_at",
    "quotient",
    "remembered",
    "scale_words",
    "scaled_exp",
    "scaled_normal_tail",
    "scaled_softmax",
    "sech_squared",
    "select",
    "shares",
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
    "softmax_parts_at",
    "softplus",
    "sqrt1pm1",
    "step_of",
    "sum_of_others",
    "take_at",
    "textbook_log",
    "times",
    "times_normal_pdf",
    "two_diff",
    "two_prod",
    "with_nan_of",
    "with_nan_of_rows",
    "words_of",
    "xlog1py",
    "xlogy",
    "zero_or_nan",
]
