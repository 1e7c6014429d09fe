"""The deviance of Tweedie's distributions; the forms of its value are in `lossfw_std.tweedie`."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from lossfw import (
    LOGITS,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    Array,
    Claims,
    Namespace,
    PointwiseBody,
    Space,
)
from lossfw.numerics import (
    Words,
    apply_where,
    cache_constants,
    computed_in_float64,
    extended_range,
    two_prod,
    with_float32_form,
    zero_or_nan,
)
from lossfw_std.deviance import Deviance, LogMeanBody
from lossfw_std.losses.gamma_deviance import GammaDeviance
from lossfw_std.losses.poisson_deviance import PoissonDeviance
from lossfw_std.tweedie import (
    REACH,
    REACH_OF_ROOTS,
    THREE_HALVES,
    by_roots,
    half_deviance,
    is_quick,
    positive_target,
    power_of,
    quick_half,
    to_power,
    usual_means,
)

# A logarithm as good as infinite.
_INFINITE_LOG = 2.0**30

# Logarithms of a mean beyond which float32 is left to float64.
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
        return _SquaredErrorOnLogits(self) if self.power == 0 else _OnLogits(self)

    # The definition without the form for exact numbers near the target.
    latex: ClassVar[Any] = property(
        lambda loss: _latex(loss.power, on_logits=loss.input_form == "logits")
    )

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
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
        low, high = usual_means(self.power)
        return ~((y > low) & (y < high))

    def _is_rare(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Tell where the target or its ratio to the mean may be no float either."""
        low, high = usual_means(self.power)
        size = xp.abs(t) if self.power < 0 else t
        usual = (y > low) & (y < high) & (size < high)
        if self.power != THREE_HALVES:
            usual = usual & ((size > low * y) | (size == 0.0))
        return ~usual

    def _quick_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the value in float64 that was float32."""
        p = self.power
        if p == THREE_HALVES:
            root = xp.sqrt(y)
            gone = root - xp.sqrt(t)
            found = 4.0 * (gone * (gone / root))
        elif is_quick(p):
            of_target = positive_target(xp, t, p) ** (2.0 - p)
            found = 2.0 * quick_half(xp, (t - y) / y, y ** (2.0 - p), of_target, p)
        else:
            return self.value(xp, y, t)
        return apply_where(xp, found, xp.isinf(y) | xp.isinf(t), self.value, y, t)

    def _quick_both(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        return self._quick_value(xp, y, t), self.derivative(xp, y, t)

    @with_float32_form(_quick_value)
    @extended_range(_is_rare)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same without cancellation."""
        if self.power == THREE_HALVES:
            return by_roots(xp, y, t)
        return 2.0 * half_deviance(xp, y, t, power_of(self.power), lambda k: to_power(xp, y, k))

    @extended_range(_has_rare_mean)
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) y^-p."""
        if self.power == THREE_HALVES:
            return 2.0 * ((y - t) / xp.sqrt(y) / y)
        return 2.0 * ((y - t) * to_power(xp, y, -Fraction(self.power)))

    @with_float32_form(_quick_both)
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, which float32 has from one conversion."""
        return self.value(xp, y, t), self.derivative(xp, y, t)

    @extended_range(_is_rare)
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 y^-p (1 - p + p t / y)."""
        p = Fraction(self.power)
        return 2.0 * (to_power(xp, y, -p) * (float(1 - p) + self.power * (t / y)))

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

    @property
    def _limit(self) -> Deviance | None:
        """The deviance with a name of its own at this power, where the formula divides by 0."""
        return _limit(self.power, self.link)


@cache_constants
def _limit(power: float, link: Literal["identity", "log"]) -> Deviance | None:
    classes: dict[float, type[Deviance]] = {1.0: PoissonDeviance, 2.0: GammaDeviance}
    return classes[power](link=link) if power in classes else None


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
        if self.loss.power != THREE_HALVES:
            usual = usual & ((size > math.exp(-reach)) | (size == 0.0))
        return ~usual

    def _quick_value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Return the value in float64 that was float32."""
        p = self.loss.power
        if p == THREE_HALVES or not is_quick(p):
            return self.value(xp, z, t)
        b, y = 2.0 - p, xp.exp(z)
        of_target = xp.exp(b * xp.log(t))
        value = 2.0 * quick_half(xp, (t - y) / y, xp.exp(b * z), of_target, p)
        return apply_where(xp, value, _is_special(xp, z, value), self.value, z, t)

    def _quick_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        p = self.loss.power
        if p == THREE_HALVES or not is_quick(p):
            return self.derivative(xp, z, t)
        slope = 2.0 * (xp.exp((2.0 - p) * z) - t * xp.exp((1.0 - p) * z))
        return apply_where(xp, slope, _is_special(xp, z, slope), self.derivative, z, t)

    def _quick_both(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        return self._quick_value(xp, z, t), self._quick_derivative(xp, z, t)

    @with_float32_form(_quick_value)
    @extended_range(_is_rare)
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The deviance of the mean exp(z)."""
        z = _finite_log(xp, z)
        if self.loss.power == THREE_HALVES:
            root = xp.exp(0.5 * z)
            gone = root - xp.sqrt(t)
            return 4.0 * (gone * (gone / root))
        return 2.0 * half_deviance(
            xp, xp.exp(z), t, power_of(self.loss.power), lambda k: _exp(xp, k, z)
        )

    @with_float32_form(_quick_derivative)
    @extended_range(_has_rare_mean)
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (y - t) y^(1-p) with y = exp(z)."""
        z = _finite_log(xp, z)
        if self.loss.power == THREE_HALVES:
            root = xp.exp(0.5 * z)
            return 2.0 * (root - t / root)
        return 2.0 * ((xp.exp(z) - t) * _exp(xp, 1 - Fraction(self.loss.power), z))

    @with_float32_form(_quick_both)
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, which float32 has from one conversion."""
        return self.value(xp, z, t), self.derivative(xp, z, t)

    @extended_range(_is_rare)
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 ((2 - p) y^(2-p) - (1 - p) t y^(1-p)) with y = exp(z)."""
        z = _finite_log(xp, z)
        if self.loss.power == THREE_HALVES:
            root = xp.exp(0.5 * z)
            return root + t / root
        a, b = 1 - Fraction(self.loss.power), 2 - Fraction(self.loss.power)
        return 2.0 * (float(b) * _exp(xp, b, z) - float(a) * (t * _exp(xp, a, z)))


def _reach_of_log(power: float) -> float:
    """Return the largest logarithm of the forms for ordinary floats."""
    return REACH_OF_ROOTS if power == THREE_HALVES else 0.5 * REACH / (2.0 + abs(power))


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
        return ~(xp.abs(z) < 0.25 * REACH)

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
