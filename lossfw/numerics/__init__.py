"""Numerics: small accurate functions on any number system.

Every function takes the array namespace first, as a body does::

    softplus(xp, x)   sigmoid(xp, x)   log_sigmoid(xp, x)
    unit_step(xp, x)        1 for x >= 0, else 0
    log_cosh(xp, x)   sech_squared(xp, x)
    log1p_minus(xp, x)      log(1 + x) - x          expm1_minus(xp, x)  exp(x) - 1 - x
    sqrt1pm1(xp, x)         sqrt(1 + x) - 1         hypot1m1(xp, x)     sqrt(1 + x^2) - 1
    log1p_square(xp, x)     log(1 + x^2)
    erf(xp, x)   erfc(xp, x)   normal_cdf(xp, x)   normal_pdf(xp, x)
    times_normal_pdf(xp, f, x)   scaled_normal_tail(xp, x)
    log_normal_cdf(xp, x)   normal_hazard(xp, x)    its derivative at -x
    normal_mean_excess(xp, x)   normal_hazard(xp, x) - x
    normal_quantile(xp, p)  the inverse of normal_cdf
    multiply_or_zero(xp, a, b)   a b with 0 inf = 0     quotient(xp, a, b)   a / b with 0 / 0 = 0
    xlogy(xp, x, y)   xlog1py(xp, x, y)   positive_part(xp, x)   power(xp, x, exponent)
    lgamma(xp, x)   digamma(xp, x)   trigamma(xp, x)   binet(xp, x)
    binet_derivative(xp, x)   binet_second_derivative(xp, x)
    log_factorial(xp, t)    log t!                  factorial_rest(xp, t)  log t! - t log t + t

of rows::

    logsumexp(xp, z)   softmax(xp, z)   softmax_complement(xp, z)   log_softmax(xp, z)
    softmax_parts(xp, z)    p, 1 - p, -log(p)
    take_at(xp, x, index)   put_at(xp, x, index, values)
    softmax_cross_entropy(xp, z, t)            softmax_cross_entropy_at(xp, z, index)
    softmax_cross_entropy_gradient(xp, z, t)   softmax_cross_entropy_hessian(xp, z, t)
    softmax_cross_entropy_and_gradient(xp, z, t)
    softmax_cross_entropy_and_gradient_at(xp, z, index)
    cumulative_logsumexp(xp, x)   segment_logsumexp(xp, x, starts)

of a guarded logarithm (`Guard`, `Delta` and `DEFAULT_DELTA` are for its fields)::

    guarded_log(xp, p, guard, delta)   textbook_log(xp, p, guard, delta)
    guarded_log_derivative(xp, p, guard, delta)

of an argument and a parameter::

    clip_above(xp, a, limit)   clip_below(xp, a, limit)   zero_or_nan(xp, x)
    cache_constants(function)   decorates a function that computes constants from parameters

with two floats for one number, the second being the rounding error of the first::

    two_diff(xp, a, b)   two_prod(xp, a, b)         of floats, without any rounding

``select(xp, condition, a, b)`` is ``xp.where`` at a cost that does not depend on the
condition, ``apply_where(xp, default, condition, function, *arguments)`` computes a function where
a condition rarely holds, and `apply_where_rows` one of rows. ``with_nan_of(xp, x, result)`` keeps
NaN in what is else constant, ``with_nan_of_rows(xp, rows, result)`` that of a row.
``stop_gradient(xp, x)`` is x, as a constant for every derivative.
`computed_in_float64` decorates a body whose float32 is to go by float64, and `with_float32_form`
one that has a plainer form for it. ``namespace_of(x)`` is the array namespace of an array, for a
function that is not given one; ``column_numbers(xp, x)`` is 0 .. K-1, ``device_of(x)`` where a new
array must be made to meet `x`, and ``has_values(x)`` whether its numbers are known while a body
runs: those that JAX or PyTorch traces are not.

On exact numbers a function of one argument is its textbook formula, so that
the truth does not depend on the code that is measured against it. On dual
numbers it has exact derivatives, also at ties. NaN in an argument is NaN in the
result.

Worst errors measured, in units in the last place of float64 and float32: at
most 4 for a function of one argument; the tests hold each to its own bound.
"""

from lossfw.numerics.arrays import column_numbers as column_numbers
from lossfw.numerics.arrays import device_of as device_of
from lossfw.numerics.arrays import has_values as has_values
from lossfw.numerics.arrays import namespace_of as namespace_of
from lossfw.numerics.cancellation import expm1_minus as expm1_minus
from lossfw.numerics.cancellation import hypot1m1 as hypot1m1
from lossfw.numerics.cancellation import log1p_minus as log1p_minus
from lossfw.numerics.cancellation import log1p_square as log1p_square
from lossfw.numerics.cancellation import log_cosh as log_cosh
from lossfw.numerics.cancellation import sech_squared as sech_squared
from lossfw.numerics.cancellation import sqrt1pm1 as sqrt1pm1
from lossfw.numerics.error_free import two_diff as two_diff
from lossfw.numerics.error_free import two_prod as two_prod
from lossfw.numerics.factorial import factorial_rest as factorial_rest
from lossfw.numerics.factorial import log_factorial as log_factorial
from lossfw.numerics.gamma import binet as binet
from lossfw.numerics.gamma import binet_derivative as binet_derivative
from lossfw.numerics.gamma import binet_second_derivative as binet_second_derivative
from lossfw.numerics.gamma import digamma as digamma
from lossfw.numerics.gamma import lgamma as lgamma
from lossfw.numerics.gamma import trigamma as trigamma
from lossfw.numerics.guards import DEFAULT_DELTA as DEFAULT_DELTA
from lossfw.numerics.guards import Delta as Delta
from lossfw.numerics.guards import Guard as Guard
from lossfw.numerics.guards import guarded_log as guarded_log
from lossfw.numerics.guards import guarded_log_derivative as guarded_log_derivative
from lossfw.numerics.guards import guarded_log_second_derivative as guarded_log_second_derivative
from lossfw.numerics.guards import textbook_log as textbook_log
from lossfw.numerics.logistic import log_sigmoid as log_sigmoid
from lossfw.numerics.logistic import positive_part as positive_part
from lossfw.numerics.logistic import sigmoid as sigmoid
from lossfw.numerics.logistic import softplus as softplus
from lossfw.numerics.logistic import unit_step as unit_step
from lossfw.numerics.normal import erf as erf
from lossfw.numerics.normal import erfc as erfc
from lossfw.numerics.normal import normal_cdf as normal_cdf
from lossfw.numerics.normal import normal_pdf as normal_pdf
from lossfw.numerics.normal import scaled_normal_tail as scaled_normal_tail
from lossfw.numerics.normal import times_normal_pdf as times_normal_pdf
from lossfw.numerics.normal_quantile import normal_quantile as normal_quantile
from lossfw.numerics.normal_tail import log_normal_cdf as log_normal_cdf
from lossfw.numerics.normal_tail import normal_hazard as normal_hazard
from lossfw.numerics.normal_tail import normal_mean_excess as normal_mean_excess
from lossfw.numerics.parameters import cache_constants as cache_constants
from lossfw.numerics.parameters import clip_above as clip_above
from lossfw.numerics.parameters import clip_below as clip_below
from lossfw.numerics.parameters import power as power
from lossfw.numerics.parameters import zero_or_nan as zero_or_nan
from lossfw.numerics.primitive import computed_in_float64 as computed_in_float64
from lossfw.numerics.primitive import polynomial as polynomial
from lossfw.numerics.primitive import with_float32_form as with_float32_form
from lossfw.numerics.running_logsumexp import cumulative_logsumexp as cumulative_logsumexp
from lossfw.numerics.running_logsumexp import segment_logsumexp as segment_logsumexp
from lossfw.numerics.selection import apply_where as apply_where
from lossfw.numerics.selection import apply_where_rows as apply_where_rows
from lossfw.numerics.selection import select as select
from lossfw.numerics.selection import with_nan_of as with_nan_of
from lossfw.numerics.selection import with_nan_of_rows as with_nan_of_rows
from lossfw.numerics.softmax import largest_of_rows as largest_of_rows
from lossfw.numerics.softmax import log_softmax as log_softmax
from lossfw.numerics.softmax import logsumexp as logsumexp
from lossfw.numerics.softmax import softmax as softmax
from lossfw.numerics.softmax import softmax_complement as softmax_complement
from lossfw.numerics.softmax import softmax_cross_entropy as softmax_cross_entropy
from lossfw.numerics.softmax import (
    softmax_cross_entropy_and_gradient as softmax_cross_entropy_and_gradient,
)
from lossfw.numerics.softmax import softmax_cross_entropy_gradient as softmax_cross_entropy_gradient
from lossfw.numerics.softmax import softmax_cross_entropy_hessian as softmax_cross_entropy_hessian
from lossfw.numerics.softmax import softmax_parts as softmax_parts
from lossfw.numerics.softmax_index import put_at as put_at
from lossfw.numerics.softmax_index import (
    softmax_cross_entropy_and_gradient_at as softmax_cross_entropy_and_gradient_at,
)
from lossfw.numerics.softmax_index import softmax_cross_entropy_at as softmax_cross_entropy_at
from lossfw.numerics.softmax_index import take_at as take_at
from lossfw.numerics.stop_gradient import stop_gradient as stop_gradient
from lossfw.numerics.xlogy import multiply_or_zero as multiply_or_zero
from lossfw.numerics.xlogy import quotient as quotient
from lossfw.numerics.xlogy import xlog1py as xlog1py
from lossfw.numerics.xlogy import xlogy as xlogy
