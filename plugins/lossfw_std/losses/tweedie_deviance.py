"""The deviance of Tweedie's distributions."""

from __future__ import annotations

import math
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
    PromisedRange,
    Space,
)
from lossfw.numerics import (
    cache_constants,
    clip_below,
    computed_in_float64,
    select,
    zero_or_nan,
)
from lossfw_std.deviance import Deviance, LogMeanBody
from lossfw_std.losses.gamma_deviance import GammaDeviance
from lossfw_std.losses.poisson_deviance import PoissonDeviance

# The power whose deviance is one of square roots: 4 (sqrt(y) - sqrt(t))^2 / sqrt(y).
_THREE_HALVES = 1.5

# Of a mean and a target of at most so many decimal digits, divided by 2 + |p|, all powers are
# floats; most powers have the digits of every promise.
_DIGITS, _USUAL_DIGITS, _USUAL_LOG = 150.0, 30.0, 80.0


def _require_power(power: float) -> float:
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


def _latex(power: float, *, on_raw_outputs: bool) -> str:
    """Return the definition, or its limit, in letters of print."""
    mean, base = ("e^{z}", r"\left(e^{z}\right)") if on_raw_outputs else ("y", "y")
    begin = r"\max\!\left(0,\, t\right)" if power < 0 else "t"
    text = _LIMITS.get(power, _GENERAL).replace("BEGIN", begin)
    return text.replace("MEAN", mean).replace("BASE", base)


class TweedieDeviance(Deviance):
    """Tweedie deviance, 2 (t^(2-p) / ((1-p) (2-p)) - t y^(1-p) / (1-p) + y^(2-p) / (2-p)).

    Use it when targets are amounts, many of them exactly 0, such as total claims or rainfall.

    Prediction and target of one shape; one loss per element. The prediction y is a mean above 0, or
    its logarithm z, of any size, for ``link="log"``. The target is any number at or above 0, above
    0 for a power of 2 or more. For the power 0, mean and target are any real numbers. For a power
    below 0 the target is any real number, and t^(2-p) counts as 0 for a target below 0.

    Parameters
    ----------
    power : float
        p, the power of the mean with which the variance grows: 0 for normal, 1 for Poisson's, 2 for
        gamma and 3 for inverse Gaussian distributions; between 1 and 2 the sum of a Poisson number
        of gamma variables. p is at or below 0, or at or above 1.
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.

    Notes
    -----
    The limits at the powers 0, 1 and 2 are squared error, `poisson_deviance` and `gamma_deviance`,
    which are computed there. It elicits the mean; for ``link="log"`` its logarithm, and then it is
    not 0 where the prediction is the target. In the mean it is convex only for the powers 0 and 1,
    and in the logarithm for those from 1 to 2; elsewhere it is concave for some predictions. For
    powers below -3 or above 3 the promised range shrinks, because powers of its numbers must be
    finite floats. Source: Jorgensen, *Exponential dispersion models*, Journal of the Royal
    Statistical Society B 49, 1987, doi:10.1111/j.2517-6161.1987.tb01685.x.

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

    power: Annotated[float, AfterValidator(_require_power)] = 1.5

    @property
    def prediction_space(self) -> Space:
        """Means above 0, any mean for the power 0, and any logarithm."""
        if self.power == 0 and self.link == "identity":
            return REAL
        # torch.compile cannot follow an attribute of what `super()` gives.
        return LOGITS if self.link == "log" else self.prediction

    @property
    def prediction_range(self) -> PromisedRange:  # type: ignore[override]  # it depends on the power
        """Sizes of which all powers are floats, or their logarithms."""
        digits = _DIGITS / (2.0 + abs(self.power))
        if self.link == "log":
            return PromisedRange(high=min(_USUAL_LOG, digits * math.log(10.0)))
        return self.target_range

    @property
    def target_range(self) -> PromisedRange:  # type: ignore[override]  # it depends on the power
        """Sizes of which all powers are floats."""
        digits = min(_USUAL_DIGITS, _DIGITS / (2.0 + abs(self.power)))
        return PromisedRange(10.0**-digits, 10.0**digits)

    @property
    def target_space(self) -> Space:
        """All targets at which the deviance is finite."""
        if self.power <= 0:
            return REAL
        return NONNEGATIVE if self.power < 2 else POSITIVE

    @property
    def body(self) -> object:
        """The functions below, or those of the power's limit."""
        if self._limiting_deviance is not None:
            return self._limiting_deviance.body
        if self.link == "log":
            return self.raw_body()
        return _SquaredErrorBody() if self.power == 0 else self

    def raw_body(self) -> LogMeanBody:
        return _SquaredErrorLogMeanBody(self) if self.power == 0 else _LogMeanBody(self)

    # The definition without the form for exact numbers near the target.
    latex: ClassVar[Any] = property(
        lambda loss: _latex(loss.power, on_raw_outputs=loss.link == "log")
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

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition without terms that cancel; see `half_deviance`."""
        if self.power == _THREE_HALVES:
            root = xp.sqrt(y)
            gone = (y - t) / (root + xp.sqrt(t))
            return 4.0 * gone * gone / root
        return 2.0 * self.half_deviance(xp, y, t, y**-self.power)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) y^-p."""
        if self.power == _THREE_HALVES:
            return 2.0 * (y - t) / (y * xp.sqrt(y))
        return 2.0 * (y - t) * y**-self.power

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, which float32 has from one conversion."""
        return self.value(xp, y, t), self.derivative(xp, y, t)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 y^-p (1 - p + p t / y)."""
        return 2.0 * y**-self.power * ((1.0 - self.power) + self.power * (t / y))

    def half_deviance(self, xp: Namespace, y: Array, t: Array, inverse: Array) -> Array:
        """Return half the deviance, of a mean, a target and y^-p.

        With u = t / y, a = 1 - p and b = 2 - p it is y^b (u (u^a - 1) / a - (u^b - 1) / b), or
        y^b ((u^b - 1) / b - (u - 1)) / a. Near the powers 1 and 2, where b or a is 0, the
        quotients are logarithms.
        """
        a, b, u = 1.0 - self.power, 2.0 - self.power, t / y
        powered = y * y * inverse
        if 1.0 < self.power < 2.0:
            log = xp.log(u)
            first = u * xp.expm1(a * log) / a
            first = select(xp, u == 0.0, xp.zeros_like(first), first)
            return clip_below(xp, powered * (first - xp.expm1(b * log) / b), 0.0)
        # For other powers t^b may be most of it, and needs the digits of a power. For a power
        # below 0 that of a target below 0 is 0.
        some = clip_below(xp, t, 0.0) if self.power < 0 else t
        log = b * xp.log(some / y)
        rise = select(
            xp,
            xp.abs(log) < 1.0,
            powered * xp.expm1(log),
            some * some * some**-self.power - powered,
        )
        return clip_below(xp, (rise / b - powered * (u - 1.0)) / a, 0.0)

    def claims(self) -> Claims:
        """Those of the limits at their powers; convex in the logarithm from 1 to 2."""
        if self._limiting_deviance is not None:
            return self._limiting_deviance.claims()
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
    def _limiting_deviance(self) -> Deviance | None:
        """The deviance with a name of its own at this power, where the formula divides by 0."""
        return _limiting_deviance(self.power, self.link)


@cache_constants
def _limiting_deviance(power: float, link: Literal["identity", "log"]) -> Deviance | None:
    classes: dict[float, type[Deviance]] = {1.0: PoissonDeviance, 2.0: GammaDeviance}
    return classes[power](link=link) if power in classes else None


class _LogMeanBody(LogMeanBody):
    """The deviance of a logarithm of the mean."""

    loss: TweedieDeviance

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The deviance of the mean exp(z)."""
        if self.loss.power == _THREE_HALVES:
            root = xp.exp(0.5 * z)
            gone = root - xp.sqrt(t)
            return 4.0 * gone * gone / root
        return 2.0 * self.loss.half_deviance(xp, xp.exp(z), t, xp.exp(-self.loss.power * z))

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (y - t) y^(1-p) with y = exp(z)."""
        if self.loss.power == _THREE_HALVES:
            root = xp.exp(0.5 * z)
            return 2.0 * (root - t / root)
        return 2.0 * (xp.exp(z) - t) * xp.exp((1.0 - self.loss.power) * z)

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, which float32 has from one conversion."""
        return self.value(xp, z, t), self.derivative(xp, z, t)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 ((2 - p) y - (1 - p) t) y^(1-p) with y = exp(z)."""
        a, b = 1.0 - self.loss.power, 2.0 - self.loss.power
        return 2.0 * (b * xp.exp(z) - a * t) * xp.exp(a * z)


class _SquaredErrorBody(PointwiseBody):
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


class _SquaredErrorLogMeanBody(LogMeanBody):
    """The deviance of the power 0 of a logarithm of the mean."""

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(exp(z) - t)^2."""
        return (xp.exp(z) - t) * (xp.exp(z) - t)

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(y - t)^2 with y = exp(z)."""
        gone = xp.exp(z) - t
        return gone * gone

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (y - t) y with y = exp(z)."""
        y = xp.exp(z)
        return 2.0 * ((y - t) * y)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (2 y - t) y with y = exp(z)."""
        y = xp.exp(z)
        return 2.0 * ((2.0 * y - t) * y)
