"""The deviance of Tweedie's distributions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from lossfw import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    Array,
    Claims,
    Namespace,
    Order,
    Space,
)
from lossfw.numerics import (
    DoubleDouble,
    exp_words,
    expm1_words,
    holdable,
    in_double,
    in_double_by,
    log_ratio_words,
    patched,
    remembered,
    zero_or_nan,
)
from lossfw_std import tweedie, tweedie_between, tweedie_plain, tweedie_roots
from lossfw_std.deviance import Deviance, LogMeanBody, gap, plain_log_ratio
from lossfw_std.losses.gamma_deviance import GammaDeviance
from lossfw_std.losses.poisson_deviance import PoissonDeviance
from lossfw_std.powers import times_exp, times_power
from lossfw_std.tweedie import distance
from lossfw_std.tweedie_normal import NormalPower, NormalPowerOnLogits
from lossfw_std.tweedie_roots import THREE_HALVES, ThreeHalves, ThreeHalvesOnLogits

# Targets below this lose digits in a product, and this factor brings them back.
_SUBNORMAL, _LIFT = 2.0**-1000, 2.0**80

# Up to this distance of logarithms, either way, their exponentials are finite.
_FAR = 600.0

# Up to this ratio of target and prediction it may be multiplied by a power of the latter.
_LARGE_RATIO = 1e200

# Closer to the target than this part of z, log(t) - z in float64 misses digits of float32.
_CLOSE = 2.0**-24

# Beyond this z, exp(b z) may be subnormal or infinite for the powers of the plain form.
_LARGEST_EXPONENT = 130.0


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
    the target. In the mean it is convex for the powers 0 and 1 alone, and in
    the logarithm for those from 1 to 2; elsewhere it bends the other way for
    some predictions, and where its second derivative goes through 0, its
    accuracy is that of its terms; so is that of value and slope for the power
    1.5 of a logarithm, near their zeros. Source: Jorgensen, *Exponential dispersion
    models*, Journal of the Royal Statistical Society B 49, 1987,
    doi:10.1111/j.2517-6161.1987.tb01685.x.

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
        return super().prediction_space

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
        if self.power == 0:
            return NormalPower()
        return ThreeHalves(self) if self.power == THREE_HALVES else self

    def logit_body(self) -> LogMeanBody:
        """Return the functions of logarithms of the mean."""
        if self.power == 0:
            return NormalPowerOnLogits(self)
        return ThreeHalvesOnLogits(self) if self.power == THREE_HALVES else _OnLogits(self)

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

    def _plain_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        k = tweedie.exponents(self.power)
        if tweedie_plain.has_quick_form(k):
            value = 2.0 * tweedie_plain.half_of_mean(xp, y, t, k)
            return self._with_negative(xp, value, y, t)
        if not tweedie_plain.is_plain(k):
            return self._value(xp, y, t)
        half = tweedie_plain.half_over_power(xp, plain_log_ratio(xp, t, y), k)
        value = 2.0 * y ** float(k.b) * half
        return _with_careful(xp, value, ~xp.isfinite(value), self._value, y, t)

    @in_double_by(_plain_value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same without cancellation near the target; see `lossfw_std.tweedie`."""
        return self._value(xp, y, t)

    def _value(self, xp: Namespace, y: Array, t: Array) -> Array:
        k = tweedie.exponents(self.power)
        if not tweedie_between.is_between(k):
            return self._careful_value(xp, y, t)
        value = 2.0 * tweedie_between.half_deviance(xp, y, t, y ** float(k.a), k)
        return patched(xp, value, tweedie_between.is_rare(y, t), self._careful_value, y, t)

    def _careful_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        k = tweedie.exponents(self.power)
        safe = xp.where(t > 0.0, t, y)
        r = tweedie.ratio(log_ratio_words(xp, y, safe), k)
        base = xp.where(r.from_y | (t == 0.0), y, safe)
        value = 2.0 * times_power(xp, _half(xp, r, t, k), base, k.b) + zero_or_nan(xp, t)
        return self._with_negative(xp, value, y, t)

    def _with_negative(self, xp: Namespace, value: Array, y: Array, t: Array) -> Array:
        """Return the value, and where a target is below 0 the two terms that are left."""
        if self.power >= 0:
            return value
        k = tweedie.exponents(self.power)

        def two_terms(xp: Namespace, y: Array, t: Array) -> Array:
            own = times_power(xp, xp.ones_like(y) / float(k.b), y, k.b)
            return 2.0 * (own + times_power(xp, -t / float(k.a), y, k.a))

        return patched(xp, value, t < 0.0, two_terms, y, t)

    def _plain_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        k = tweedie.exponents(self.power)
        if not tweedie_plain.is_plain(k):
            return self._derivative(xp, y, t)
        return 2.0 * gap(xp, y, t) * y ** float(k.a)

    @in_double_by(_plain_derivative)
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) y^-p."""
        return self._derivative(xp, y, t)

    def _plain_value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        return self._plain_value(xp, y, t), self._plain_derivative(xp, y, t)

    @in_double_by(_plain_value_and_derivative)
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from one power of the mean where the power lies between 1 and 2."""
        k = tweedie.exponents(self.power)
        if not tweedie_between.is_between(k):
            return self._careful_value(xp, y, t), self._derivative(xp, y, t)
        rare, power = tweedie_between.is_rare(y, t), y ** float(k.a)
        value = 2.0 * tweedie_between.half_deviance(xp, y, t, power, k)
        slope = 2.0 * ((y - t) / y * power)
        return (
            patched(xp, value, rare, self._careful_value, y, t),
            patched(xp, slope, rare, self._derivative, y, t),
        )

    def _derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        if self.power < 0:
            return 2.0 * times_power(xp, y - t, y, Fraction(-self.power))
        return 2.0 * times_power(xp, gap(xp, y, t), y, 1 - Fraction(self.power))

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 y^-p (1 - p (y - t) / y)."""
        p = Fraction(self.power)
        ratio = t / y
        far = float(1 - p) + self.power * ratio
        near = 1.0 - self.power * gap(xp, y, t)
        bend = times_power(xp, xp.where(y > 2.0 * t, far, near), y, -p)
        large = xp.abs(ratio) > holdable(xp, _LARGE_RATIO, ratio)
        if self.power < 0:
            # Where the quotient overflows, y^-p may bring it back.
            small = float((1 - p) / p) * y + t
            far = self.power * times_power(xp, small, y, -1 - p)
            bend = xp.where(large, far, bend)
        bend = 2.0 * bend
        return patched(xp, bend, ~xp.isfinite(bend) & large, self._bend_by_product, y, t)

    def _bend_by_product(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return 2 p y^(-1-p) (t - (p - 1) / p y), where p t / y may have no float.

        The factor 2 p comes where it makes a product smaller that the power enlarges, and last
        where it may undo what the power did.
        """
        p, factor = Fraction(self.power), 2.0 * self.power
        small = float((1 - p) / p) * y + t
        if abs(factor) <= 1.0:
            return times_power(xp, factor * small, y, -1 - p)
        return factor * times_power(xp, small, y, -1 - p)

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
        """Both of the second derivative, where it goes through 0; of roots of a logarithm all."""
        if order < 2 and self.power == THREE_HALVES and self.link == "log":
            return tweedie_roots.terms_on_logits(xp, y, t, order)
        if self._limit is not None:
            return self._limit.terms(xp, y, t, order)
        if order < 2 or (self.power == 0 and self.link == "identity"):
            return ()
        k = tweedie.exponents(self.power)
        if self.link == "log":
            first = times_exp(xp, 2.0 * float(k.b) + 0.0 * t, k.b, y)
            return first, times_exp(xp, -2.0 * float(k.a) * t, k.a, y)
        p = Fraction(self.power)
        first = times_power(xp, 2.0 * float(k.a) + 0.0 * y, y, -p)
        return first, times_power(xp, 2.0 * self.power * t, y, -1 - p)

    @property
    def _limit(self) -> Deviance | None:
        """The deviance with a name of its own at this power, where the formula divides by 0."""
        return _limit(self.power, self.link)


@remembered
def _limit(power: float, link: Literal["identity", "log"]) -> Deviance | None:
    classes: dict[float, type[Deviance]] = {1.0: PoissonDeviance, 2.0: GammaDeviance}
    return classes[power](link=link) if power in classes else None


class _OnLogits(LogMeanBody):
    """The deviance of a logarithm of the mean."""

    loss: TweedieDeviance

    def _plain_value(self, xp: Namespace, z: Array, t: Array) -> Array:
        k = tweedie.exponents(self.loss.power)
        if not tweedie_plain.is_plain(k):
            return self._value(xp, z, t)
        e = xp.log(t) - z
        value = 2.0 * xp.exp(float(k.b) * z) * tweedie_plain.half_over_power(xp, e, k)
        return _with_careful(xp, value, _is_special(xp, value, e, z), self._value, z, t)

    @in_double_by(_plain_value)
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """By d = z - log(t)."""
        return self._value(xp, z, t)

    def _value(self, xp: Namespace, z: Array, t: Array) -> Array:
        k = tweedie.exponents(self.loss.power)
        r, factor = tweedie.held(xp, tweedie.ratio(distance(xp, z, t), k), k)
        # At a target of 0 the half deviance over the power is 1 / b, and nothing is held.
        factor = xp.where(t == 0.0, xp.ones_like(factor), factor)
        half = _half(xp, r, t, k)
        from_t = times_power(xp, half, xp.where(t > 0.0, t, xp.ones_like(t)), k.b)
        from_y = times_exp(xp, half, k.b, z)
        value = 2.0 * factor * xp.where(r.from_y | (t == 0.0), from_y, from_t)
        value = value + zero_or_nan(xp, t)
        return self._with_negative(xp, value, z, t, 1.0 / float(k.b), 1.0 / float(k.a))

    def _plain_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        k = tweedie.exponents(self.loss.power)
        if not tweedie_plain.is_plain(k):
            return self._derivative(xp, z, t)
        e = xp.log(t) - z
        slope = -2.0 * xp.exp(float(k.b) * z) * xp.expm1(e)
        special = _is_special(xp, slope, e, z)
        return _with_careful(xp, slope, special, self._derivative, z, t)

    @in_double_by(_plain_derivative)
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (y - t) y^(1-p) with y = exp(z)."""
        return self._derivative(xp, z, t)

    def _derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        k, d = tweedie.exponents(self.loss.power), distance(xp, z, t)
        # y^b (1 - t / y), or y^a t (y / t - 1), whichever factor has a bound.
        share = -expm1_words(xp, -d)
        from_y = times_exp(xp, xp.where(t == 0.0, xp.ones_like(z), share), k.b, z)
        from_t = _times_target(xp, t, expm1_words(xp, d), k.a, z)
        slope = 2.0 * xp.where((d.high > -_FAR) | (t == 0.0), from_y, from_t)
        return self._with_negative(xp, slope, z, t, 1.0, 1.0)

    @in_double
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 ((2 - p) y^(2-p) - (1 - p) t y^(1-p)) with y = exp(z)."""
        k, d = tweedie.exponents(self.loss.power), distance(xp, z, t)
        a, b = float(k.a), float(k.b)
        other = a * exp_words(xp, -d)
        from_y = times_exp(xp, b - xp.where(t == 0.0, xp.zeros_like(z), other), k.b, z)
        from_t = _times_target(xp, t, b * exp_words(xp, d) - a, k.a, z)
        bend = 2.0 * xp.where((d.high > -_FAR) | (t == 0.0), from_y, from_t)
        return self._with_negative(xp, bend, z, t, b, a)

    def _with_negative(
        self, xp: Namespace, result: Array, z: Array, t: Array, own: float, other: float
    ) -> Array:
        """Return the result, and 2 (own y^b - other t y^a) where a target is below 0."""
        if self.loss.power >= 0:
            return result
        k = tweedie.exponents(self.loss.power)

        def two_terms(xp: Namespace, z: Array, t: Array) -> Array:
            first = times_exp(xp, xp.full_like(z, own), k.b, z)
            return 2.0 * (first + _times_target(xp, -t, xp.full_like(t, other), k.a, z))

        return patched(xp, result, t < 0.0, two_terms, z, t)


def _times_target(xp: Namespace, t: Array, c: Array, k: Fraction, z: Array) -> Array:
    """Return t c exp(k z), with the digits of a subnormal target and without overflow of t c."""
    one = xp.ones_like(t)
    large = t > holdable(xp, 1.0 / _SUBNORMAL, t)
    lift = xp.where(t < _SUBNORMAL, _LIFT * one, xp.where(large, one / _LIFT, one))
    lifted = (lift * t) * c
    product = times_exp(xp, lifted, k, z)

    def halves(xp: Namespace, lifted: Array, lift: Array, z: Array) -> Array:
        return times_exp(xp, times_exp(xp, lifted, k, 0.5 * z) / lift, k, 0.5 * z)

    # Where the lift itself brought it beyond the floats, or down to where digits are lost.
    lost = (lift > 1.0) & xp.isinf(product) | (lift < 1.0) & (xp.abs(product) < _SUBNORMAL)
    return patched(xp, product / lift, lost, halves, lifted, lift, z)


def _with_careful(
    xp: Namespace, value: Array, rare: Array, careful: Callable[..., Array], *arguments: Array
) -> Array:
    """Return the value, and the careful one where `rare`.

    A trace stops at `any`, and the loss stays in tiles: a kernel would compute the careful
    value of every element, which costs ten times as much.
    """
    return patched(xp, value, rare & xp.any(rare), careful, *arguments)


def _is_special(xp: Namespace, result: Array, e: Array, z: Array) -> Array:
    """Tell where e = log(t) - z has too few digits, or the exponential of z no float."""
    beyond = (xp.abs(z) > _LARGEST_EXPONENT) | ~xp.isfinite(result)
    return beyond | (xp.abs(e) < _CLOSE * xp.abs(z))


def _half(xp: Namespace, r: tweedie.Ratio, t: Array, k: tweedie.Exponents) -> DoubleDouble:
    """Return half the deviance over the base's power b; at a target of 0 that is 1 / b."""
    half = tweedie.half_deviance(xp, r, k)
    zero = t == 0.0
    high = xp.where(zero, xp.ones_like(t) / float(k.b), half.high)
    return DoubleDouble(high, xp.where(zero, xp.zeros_like(t), half.low))
