"""The deviance of Tweedie's distributions.

With p the power, a = 1 - p, b = 2 - p, r = t - y and e = log(t / y), half the deviance is near the
target one of ::

    r^2 (t y)^k S(e)                  for p < 0 or p >= 4, k = -p / 2
    r^2 / (t + y) (t y)^k / y S(e)    for other p, k = b / 2
    r^2 / (t + y) y^a S(e)            for other p, where this is flat enough

S is smooth, so that a polynomial has all its digits, and so flat that nothing cancels in it.
Far from the target half the deviance is ((t^b - y^b) / b - r y^a) / a. Between the powers 1 and 2
that cancels, and it is y^a max(t, y) times ::

    (1 - exp(-n x)) / n - exp(-n x) (1 - exp(-m x)) / m          for x = abs(e)

n and m are -a and b for a target above the mean, and b and -a for one below it.

For the power 3/2 it is 2 (sqrt(y) - sqrt(t))^2 / sqrt(y), half of the work.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator

from lossfw import (
    LOGITS,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    Array,
    Claims,
    Namespace,
    Order,
    PointwiseBody,
    Space,
)
from lossfw.numerics import (
    Words,
    apply_where,
    cache_constants,
    computed_in_float64,
    difference_error,
    extended_range,
    high_precision,
    polynomial,
    select,
    step_of,
    two_prod,
    with_float32_form,
    zero_or_nan,
)
from lossfw_std.deviance import Deviance, LogMeanBody, finite
from lossfw_std.losses.gamma_deviance import GammaDeviance
from lossfw_std.losses.poisson_deviance import PoissonDeviance

_THREE_HALVES = 1.5

# Up to this distance of logarithms, or of an exponential's exponent, the target is near: the far
# forms lose at most a bit beyond it, and a polynomial through so many points has an error below
# 3e-17. An even number of Chebyshev's has none at 0, where S is a quotient of zeros.
_NEAR, _NEAR_EXPONENT, _POINTS = 2.5, 6.0, 28

# Nearer to 2 than this, a power cancels in t^b - y^b.
_NEARLY_TWO = 0.36

# Logarithms up to which no product of powers leaves the range of floats; of roots, none.
_REACH, _REACH_OF_ROOTS = 600.0, 450.0

# A logarithm as good as infinite.
_INFINITE_LOG = 2.0**30

# For float32, in float64: powers for which every y^b is a float, and their distance from the
# limits 1 and 2 that leaves digits enough to a difference of powers; the start of a series.
_LEAST_POWER, _LARGEST_POWER, _FROM_LIMITS, _NEAR_MEAN = -3.0, 5.0, 2.0**-6, 2.0**-8
_USUAL_LOG = 130.0


def _a_power(power: float) -> float:
    """Refuse a power without a distribution."""
    if 0 < power < 1:
        raise ValueError("a number at or below 0, or at or above 1")
    return power


_A, _B = r"1 - \mathrm{power}", r"2 - \mathrm{power}"
# MEAN is the mean, BASE the mean below a power, and BEGIN the target below it.
_GENERAL = (
    rf"2\,\left(\frac{{BEGIN^{{{_B}}}}}{{\left({_A}\right)\,\left({_B}\right)}} "
    rf"- \frac{{t\,BASE^{{{_A}}}}}{{{_A}}} + \frac{{BASE^{{{_B}}}}}{{{_B}}}\right)"
)
# Where the definition divides by 0: its limits.
_LIMITS = {
    1.0: r"2\,\left(t\,\log\!\left(\frac{t}{MEAN}\right) - t + MEAN\right)",
    2.0: r"2\,\left(\log\!\left(\frac{MEAN}{t}\right) + \frac{t}{MEAN} - 1\right)",
}


def _latex(power: float, *, on_logits: bool) -> str:
    """Return the definition, or its limit, in letters of print."""
    mean, base = ("e^{z}", r"\left(e^{z}\right)") if on_logits else ("y", "y")
    begin = r"\max\!\left(0,\, t\right)" if power < 0 else "t"
    text = _LIMITS.get(power, _GENERAL).replace("BEGIN", begin)
    return text.replace("MEAN", mean).replace("BASE", base)


class TweedieDeviance(Deviance):
    """Tweedie deviance, 2 (t^(2-p) / ((1-p) (2-p)) - t y^(1-p) / (1-p) + y^(2-p) / (2-p)).

    Use it when targets are amounts of which many are exactly 0, as total claims or
    rainfall.

    Prediction and target of one shape; one loss per element. The prediction y
    is a mean above 0, or its logarithm z, of any size, for ``link="log"``. The
    target is any number at or above 0, above 0 for a power of 2 or more. For
    the power 0 mean and target are any real numbers, and for a power below 0 the
    target is: there t^(2-p) is 0 for a target below 0.

    Parameters
    ----------
    power : float
        p, the power of the mean with which the variance grows: 0 for normal, 1
        for Poisson's, 2 for gamma and 3 for inverse Gaussian distributions;
        between 1 and 2 a sum of gamma variables of Poisson's number. At or
        below 0, or at or above 1.
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.

    Notes
    -----
    The limits at the powers 0, 1 and 2 are squared error, `poisson_deviance`
    and `gamma_deviance`, which are computed there. It elicits the mean; for
    ``link="log"`` its logarithm, and then it is not 0 where the prediction is
    the target. In the mean it is convex only for the powers 0 and 1, and in
    the logarithm for those from 1 to 2; elsewhere it bends the other way for
    some predictions, and where its second derivative goes through 0, its
    accuracy is that of its terms. For ``link="log"`` so is that of value and
    derivative near their zeros. Means and targets beyond some 1e-70 and 1e70
    take longer: see `lossfw.numerics.extended_range`. Source: Jorgensen,
    *Exponential dispersion models*, Journal of the Royal Statistical Society B
    49, 1987, doi:10.1111/j.2517-6161.1987.tb01685.x.

    See Also
    --------
    poisson_deviance, gamma_deviance, squared_error : its limits.

    Examples
    --------
    >>> TweedieDeviance(power=1.5)([2.0, 3.0, 1.0], [2.0, 0.0, 4.0], reduction="none")
    array([0.        , 6.92820323, 4.        ])
    >>> TweedieDeviance(power=1.0) == TweedieDeviance(power=1.0, link="identity")
    True
    """

    power: Annotated[float, AfterValidator(_a_power)] = 1.5

    @property
    def prediction_space(self) -> Space:
        """Means above 0, any mean for the power 0, and any logarithm."""
        if self.power == 0 and self.link == "identity":
            return REAL
        # torch.compile cannot follow an attribute of what `super()` gives.
        return LOGITS if self.input_form == "logits" else self.prediction

    @property
    def target_space(self) -> Space:
        """All targets at which the deviance is finite."""
        if self.power <= 0:
            return REAL
        return NONNEGATIVE if self.power < 2 else POSITIVE

    @property
    def body(self) -> object:
        """The functions below, or those of the power's limit."""
        if self._limit is not None:
            return self._limit.body
        if self.input_form != "prediction":
            return self.logit_body()
        return _SquaredError() if self.power == 0 else self

    def logit_body(self) -> LogMeanBody:
        """Return the functions of logarithms of the mean."""
        return _SquaredErrorOnLogits(self) if self.power == 0 else _OnLogits(self)

    # The definition without the form for exact numbers near the target.
    latex: ClassVar[Any] = property(
        lambda loss: _latex(loss.power, on_logits=loss.input_form == "logits")
    )

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition."""
        p = xp.full_like(y, self.power)
        a, b = 1 - p, 2 - p
        some = xp.where(t > 0, t, 0 * t) if self.power < 0 else t
        terms = 2 * (some**b / (a * b) - t * y**a / a + y**b / b)
        # Near the target irrational terms cancel, on exact numbers too; over y^b
        # they are nearly rational, and at the target their sum is exactly 0.
        ratio = t / y
        close = (y < 2 * t) & (t < 2 * y)
        return xp.where(close, 2 * y**b * (ratio**b - b * ratio + a) / (a * b), terms)

    def _has_rare_mean(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Tell where a mean is so extreme that a power of it may be no float."""
        low, high = _bounds(self.power)
        return ~((y > low) & (y < high))

    def _is_rare(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Tell where the target or its ratio to the mean may be no float either."""
        low, high = _bounds(self.power)
        size = xp.abs(t) if self.power < 0 else t
        usual = (y > low) & (y < high) & (size < high)
        if self.power != _THREE_HALVES:
            usual = usual & ((size > low * y) | (size == 0.0))
        return ~usual

    @extended_range(_is_rare)
    def _value(self, xp: Namespace, y: Array, t: Array) -> Array:
        if self.power == _THREE_HALVES:
            return _by_roots(xp, y, t)
        return 2.0 * _half(xp, y, t, _of(self.power), lambda k: _to(xp, y, k))

    def _quick_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the value in float64 that was float32."""
        p = self.power
        if p == _THREE_HALVES:
            root = xp.sqrt(y)
            gone = root - xp.sqrt(t)
            found = 4.0 * (gone * (gone / root))
        elif _is_quick(p):
            of_target = _positive(xp, t, p) ** (2.0 - p)
            found = 2.0 * _quick_half(xp, (t - y) / y, y ** (2.0 - p), of_target, p)
        else:
            return self._value(xp, y, t)
        return apply_where(xp, found, xp.isinf(y) | xp.isinf(t), self._value, y, t)

    def _quick_both(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        return self._quick_value(xp, y, t), self._derivative(xp, y, t)

    @with_float32_form(_quick_value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same without cancellation."""
        return self._value(xp, y, t)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) y^-p."""
        return self._derivative(xp, y, t)

    @extended_range(_has_rare_mean)
    def _derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        if self.power == _THREE_HALVES:
            return 2.0 * ((y - t) / xp.sqrt(y) / y)
        return 2.0 * ((y - t) * _to(xp, y, -Fraction(self.power)))

    @with_float32_form(_quick_both)
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, which float32 has from one conversion."""
        return self._value(xp, y, t), self._derivative(xp, y, t)

    @extended_range(_is_rare)
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 y^-p (1 - p + p t / y)."""
        p = Fraction(self.power)
        return 2.0 * (_to(xp, y, -p) * (float(1 - p) + self.power * (t / y)))

    def claims(self) -> Claims:
        """Those of the limits at their powers; convex in the logarithm from 1 to 2."""
        if self._limit is not None:
            return self._limit.claims()
        normal, log = self.power == 0, self.link == "log"
        return Claims(
            nonnegative=True,
            zero_at_target=not log or None,
            strictly_convex=(log and 1 < self.power < 2) or None,
            strongly_convex=2.0 if normal and not log else None,
            gradient_lipschitz=2.0 if normal and not log else None,
            symmetric=(normal and not log) or None,
            exchangeable=(normal and not log) or None,
            twice_smooth=True,
            elicits=None if log else "mean",
        )

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """Both of the second derivative, where it goes through 0; with a logarithm all."""
        if self._limit is not None:
            return self._limit.terms(xp, y, t, order)
        a, b = 1.0 - self.power, 2.0 - self.power
        if self.link == "identity":
            if order < 2 or self.power == 0:
                return ()
            # Where a term overflows, its digit is that of the largest float.
            bend = 2.0 * y**-self.power
            return finite(xp, a * bend, self.power * bend * (t / y))
        own, other = 2.0 * xp.exp(b * y), 2.0 * t * xp.exp(a * y)
        return finite(xp, own, other) if order < 2 else finite(xp, b * own, a * other)

    @property
    def _limit(self) -> Deviance | None:
        """The deviance with a name of its own at this power, where the formula divides by 0."""
        return _limit(self.power, self.link)


@cache_constants
def _limit(power: float, link: Literal["identity", "log"]) -> Deviance | None:
    classes: dict[float, type[Deviance]] = {1.0: PoissonDeviance, 2.0: GammaDeviance}
    return classes[power](link=link) if power in classes else None


class _Power(NamedTuple):
    """What is known of a power.

    Attributes
    ----------
    a, b : Fraction
        1 - p and 2 - p, which are floats for powers above 0.
    near : float
        Up to this distance of logarithms the target is near.
    even : bool
        The near form is the first one.
    k : float
    s : tuple of float
        The polynomial that is S.
    """

    a: Fraction
    b: Fraction
    near: float
    even: bool
    k: float
    s: tuple[float, ...]


@cache_constants
def _of(power: float) -> _Power:
    a, b = 1 - Fraction(power), 2 - Fraction(power)
    near = min(_NEAR, _NEAR_EXPONENT / max(abs(a), abs(b)))
    even = not 0.0 < power < 4.0
    k = -0.5 * power if even else 0.5 * min(2.0 - power, 0.0)
    # Where S has few digits less at one end than at the other, it needs no factor.
    k = k if even or abs(k) * near > 0.75 else 0.0
    return _Power(a, b, near, even, k, _smooth_polynomial(b, Fraction(k), near, even))


def _smooth_polynomial(b: Fraction, k: Fraction, near: float, even: bool) -> tuple[float, ...]:
    """Return the polynomial that is S at Chebyshev's points, by Newton's differences."""
    with high_precision():
        d, g = (Decimal(x.numerator) / Decimal(x.denominator) for x in (b, k))

        def smooth(e: Decimal) -> Decimal:
            x = e.exp() - 1
            half = ((d * e).exp() - 1 - d * x) / ((d - 1) * d)
            return half * (1 if even else x + 2) / (x * x * (g * e).exp())

        nodes = [Decimal(near * math.cos(math.pi * (n + 0.5) / _POINTS)) for n in range(_POINTS)]
        differences = [smooth(e) for e in nodes]
        for n in range(1, _POINTS):
            for i in range(_POINTS - 1, n - 1, -1):
                rise = differences[i] - differences[i - 1]
                differences[i] = rise / (nodes[i] - nodes[i - n])
        found: list[Decimal] = []
        for node, difference in zip(reversed(nodes), reversed(differences), strict=True):
            # Times e - node, plus the difference.
            shifted = zip([difference, *found], [*found, Decimal(0)], strict=True)
            found = [s - node * f for s, f in shifted]
        return tuple(map(float, found))


@cache_constants
def _bounds(power: float) -> tuple[float, float]:
    """Return the smallest and the largest mean of the forms for ordinary floats."""
    reach = min(230.0, _REACH / (2.0 + abs(power)))
    if power == _THREE_HALVES:
        reach = _REACH_OF_ROOTS
    elif abs(2.0 - power) < _NEARLY_TWO:
        reach = min(reach, 60.0)
    return math.exp(-reach), math.exp(reach)


def _positive(xp: Namespace, t: Array, power: float) -> Array:
    """Return the target where its power counts: below 0 it is 0."""
    return xp.where(t < 0.0, xp.zeros_like(t), t) if power < 0 else t


def _to(xp: Namespace, x: Array, k: Fraction) -> Array:
    """Return x^k with the digits of k, which is a float except for a power below 0."""
    if isinstance(x, Words):
        return x**k
    whole, rest = x ** float(k), float(k - Fraction(float(k)))
    return whole + whole * (rest * xp.log(xp.where(x > 0.0, x, xp.ones_like(x)))) if rest else whole


def _half(
    xp: Namespace, y: Array, t: Array, p: _Power, of_mean: Callable[[Fraction], Array]
) -> Array:
    """Return half the deviance, by a function that raises y to a power."""
    positive, power = _positive(xp, t, float(1 - p.a)), of_mean(p.a)
    e, r, total = _log_ratio(xp, y, positive, p), t - y, t + y
    share = r if p.even else r / total
    # The rounding errors of difference and sum, of which the first counts twice.
    lost = 2.0 * difference_error(t, y, r)
    lost = lost if p.even else lost - share * difference_error(t, -y, total)
    factor = share * _smooth(xp, e, p.s)
    if p.a < 0 < p.b:
        near = factor * r + factor * lost
        return power * select(xp, xp.abs(e) < p.near, near, _far_between(xp, y, t, e, p))
    if p.k:
        product, low = two_prod(xp, y, positive)
        scale = product**p.k if p.even else product**p.k / y
        lost = lost + p.k * r * (low / product)
    factor = factor * (scale if p.k else power)
    near, rest = two_prod(xp, factor, r)
    near = near + (rest + factor * lost)
    return select(xp, xp.abs(e) < p.near, near, _far(xp, y, t, e, p, of_mean))


def _log_ratio(xp: Namespace, y: Array, t: Array, p: _Power) -> Array:
    """Return log(t / y)."""
    ratio = t / y
    e = xp.log(ratio)
    if abs(p.k) < 1.0:
        return e
    # S grows so fast that it shows the rounding error of the quotient.
    product, low = two_prod(xp, ratio, y)
    return e + xp.where(t > 0.0, ((t - product) - low) / t, xp.zeros_like(t))


def _far_between(xp: Namespace, y: Array, t: Array, e: Array, p: _Power) -> Array:
    """Return half the deviance over y^a, far from the target, for a power between 1 and 2."""
    a, b, size = float(p.a), float(p.b), xp.abs(e)
    # -a for a target above the mean and b for one below it; no part of this is rounded.
    first = (-a - b) * step_of(xp, e) + b
    second = 1.0 - first
    own = first * size
    falling = xp.exp(-own) * (xp.expm1(-second * size) / second)
    return xp.maximum(y, t) * (falling - xp.expm1(-own) / first)


def _far(
    xp: Namespace, y: Array, t: Array, e: Array, p: _Power, of_mean: Callable[[Fraction], Array]
) -> Array:
    """Return half the deviance far from the target, for a power below 0 or above 2."""
    a, b, r, power = float(p.a), float(p.b), t - y, of_mean(p.a)
    if abs(b) < _NEARLY_TWO:
        return power * y * ((xp.expm1(b * e) / b - r / y) / a)
    own, of_target = of_mean(p.b), _to(xp, _positive(xp, t, 2.0 - b), p.b)
    far = ((of_target - own) - b * (r * power)) / float(p.a * p.b)
    if b < 0.0:
        return far
    # For a small target nearly all of it is the mean's power, from which little is taken.
    below = own * (1.0 / b - t / y / a) + of_target / float(p.a * p.b)
    return select(xp, e > -1.5, far, below)


def _smooth(xp: Namespace, e: Array, s: tuple[float, ...]) -> Array:
    """Return S(e), which has no more digits than its coefficients."""
    return Words.of(polynomial(e.to_float(), s)) if isinstance(e, Words) else polynomial(e, s)


def _by_roots(xp: Namespace, y: Array, t: Array) -> Array:
    """Return 4 (y - t)^2 / sqrt(y) / (sqrt(y) + sqrt(t))^2.

    The rounding errors of the sums and of the difference, which counts twice, are taken along.
    """
    root, r, total = xp.sqrt(y), y - t, y + t
    share, cross = r / root, 2.0 * (root * xp.sqrt(t))
    square = total + cross
    lost = difference_error(y, -t, total) + difference_error(total, -cross, square)
    part = r / square
    part = part + (2.0 * difference_error(y, t, r) - part * lost) / square
    return 4.0 * (share * part)


def _is_quick(power: float) -> bool:
    """Tell whether `_quick_half` has enough digits for float32."""
    usual = _LEAST_POWER <= power <= _LARGEST_POWER
    return usual and min(abs(1.0 - power), abs(2.0 - power)) > _FROM_LIMITS


def _quick_half(xp: Namespace, x: Array, of_mean: Array, of_target: Array, power: float) -> Array:
    """Return half the deviance from x = t / y - 1, y^b and t^b."""
    a, b = 1.0 - power, 2.0 - power
    series = (1 / 2, (b - 2) / 6, (b - 2) * (b - 3) / 24, (b - 2) * (b - 3) * (b - 4) / 120)
    near = x * x * of_mean * polynomial(x, series)
    far = (of_target - (of_mean + b * x * of_mean)) / (a * b)
    return select(xp, xp.abs(x) < _NEAR_MEAN, near, far)


class _OnLogits(LogMeanBody):
    """The deviance of a logarithm of the mean, right to the last digits of its largest term."""

    loss: TweedieDeviance

    def _has_rare_mean(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Tell where a mean is so extreme that a power of it may be no float."""
        return ~(xp.abs(z) < _reach_of_log(self.loss.power))

    def _is_rare(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Tell where mean or target is so extreme."""
        reach = _reach_of_log(self.loss.power)
        size = xp.abs(t) if self.loss.power < 0 else t
        usual = (xp.abs(z) < reach) & (size < math.exp(reach))
        if self.loss.power != _THREE_HALVES:
            usual = usual & ((size > math.exp(-reach)) | (size == 0.0))
        return ~usual

    def _quick_value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Return the value in float64 that was float32."""
        p = self.loss.power
        if p == _THREE_HALVES or not _is_quick(p):
            return self._value(xp, z, t)
        b, y = 2.0 - p, xp.exp(z)
        of_target = xp.exp(b * xp.log(t))
        value = 2.0 * _quick_half(xp, (t - y) / y, xp.exp(b * z), of_target, p)
        return apply_where(xp, value, _is_special(xp, z, value), self._value, z, t)

    def _quick_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        p = self.loss.power
        if p == _THREE_HALVES or not _is_quick(p):
            return self._derivative(xp, z, t)
        slope = 2.0 * (xp.exp((2.0 - p) * z) - t * xp.exp((1.0 - p) * z))
        return apply_where(xp, slope, _is_special(xp, z, slope), self._derivative, z, t)

    def _quick_both(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        return self._quick_value(xp, z, t), self._quick_derivative(xp, z, t)

    @with_float32_form(_quick_value)
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The deviance of the mean exp(z)."""
        return self._value(xp, z, t)

    @extended_range(_is_rare)
    def _value(self, xp: Namespace, z: Array, t: Array) -> Array:
        z = _finite_log(xp, z)
        if self.loss.power == _THREE_HALVES:
            root = xp.exp(0.5 * z)
            gone = root - xp.sqrt(t)
            return 4.0 * (gone * (gone / root))
        return 2.0 * _half(xp, xp.exp(z), t, _of(self.loss.power), lambda k: _exp(xp, k, z))

    @with_float32_form(_quick_derivative)
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (y - t) y^(1-p) with y = exp(z)."""
        return self._derivative(xp, z, t)

    @extended_range(_has_rare_mean)
    def _derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        z = _finite_log(xp, z)
        if self.loss.power == _THREE_HALVES:
            root = xp.exp(0.5 * z)
            return 2.0 * (root - t / root)
        return 2.0 * ((xp.exp(z) - t) * _exp(xp, 1 - Fraction(self.loss.power), z))

    @with_float32_form(_quick_both)
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, which float32 has from one conversion."""
        return self._value(xp, z, t), self._derivative(xp, z, t)

    @extended_range(_is_rare)
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 ((2 - p) y^(2-p) - (1 - p) t y^(1-p)) with y = exp(z)."""
        z = _finite_log(xp, z)
        if self.loss.power == _THREE_HALVES:
            root = xp.exp(0.5 * z)
            return root + t / root
        a, b = 1 - Fraction(self.loss.power), 2 - Fraction(self.loss.power)
        return 2.0 * (float(b) * _exp(xp, b, z) - float(a) * (t * _exp(xp, a, z)))


def _reach_of_log(power: float) -> float:
    """Return the largest logarithm of the forms for ordinary floats."""
    return _REACH_OF_ROOTS if power == _THREE_HALVES else 0.5 * _REACH / (2.0 + abs(power))


def _is_special(xp: Namespace, z: Array, result: Array) -> Array:
    return (xp.abs(z) > _USUAL_LOG) | ~xp.isfinite(result)


def _finite_log(xp: Namespace, z: Array) -> Array:
    """Return a logarithm whose exponentials have exponents, if floats do not hold them."""
    return xp.clip(z, -_INFINITE_LOG, _INFINITE_LOG) if isinstance(z, Words) else z


def _exp(xp: Namespace, k: Fraction, z: Array) -> Array:
    """Return exp(k z) with the digits of the product."""
    if isinstance(z, Words):
        return xp.exp(z * k)
    high, low = two_prod(xp, z, xp.full_like(z, float(k)))
    e, rest = xp.exp(high), float(k - Fraction(float(k)))
    # An infinite one has no rest, but inf - inf.
    finite_e = xp.where(xp.isfinite(e), e, xp.zeros_like(e))
    return e + finite_e * (low + rest * z if rest else low)


class _SquaredError(PointwiseBody):
    """The deviance of the power 0: the squared error."""

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(y - t)^2."""
        return (y - t) * (y - t)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t)."""
        return 2.0 * (y - t)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2; NaN stays."""
        return 2.0 + zero_or_nan(xp, y - t)


class _SquaredErrorOnLogits(LogMeanBody):
    """The deviance of the power 0 of a logarithm of the mean."""

    def _is_rare(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Tell where a mean is so large that a product may be no float."""
        return ~(xp.abs(z) < 0.25 * _REACH)

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(exp(z) - t)^2."""
        return (xp.exp(z) - t) * (xp.exp(z) - t)

    @extended_range(_is_rare)
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(y - t)^2 with y = exp(z)."""
        gone = xp.exp(_finite_log(xp, z)) - t
        return gone * gone

    @extended_range(_is_rare)
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (y - t) y with y = exp(z)."""
        y = xp.exp(_finite_log(xp, z))
        return 2.0 * ((y - t) * y)

    @extended_range(_is_rare)
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (2 y - t) y with y = exp(z)."""
        y = xp.exp(_finite_log(xp, z))
        return 2.0 * ((2.0 * y - t) * y)
