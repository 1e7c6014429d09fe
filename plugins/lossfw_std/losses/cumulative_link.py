"""The loss of ordered classes, with cut points between them."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from lossfw import REAL, Array, Claims, FiniteSpace, Namespace, PointwiseLoss, Space
from lossfw.numerics import computed_in_float64, with_nan_of
from lossfw_std.intervals import EXTREME, LOGISTIC, NORMAL, IntervalEnds, StandardDistribution

_LINKS: dict[str, StandardDistribution] = {
    "logit": LOGISTIC,
    "probit": NORMAL,
    "cloglog": EXTREME,
}


def _require_increasing(cuts: tuple[float, ...]) -> tuple[float, ...]:
    """Refuse cut points that do not increase."""
    for k, (low, high) in enumerate(itertools.pairwise(cuts)):
        if not low < high:
            raise ValueError(
                f"cuts[{k + 1}] = {high:g} is not above cuts[{k}] = {low:g}; expected increasing "
                "numbers, because class k lies between cut k - 1 and cut k"
            )
    return cuts


_Cuts = Annotated[
    tuple[Annotated[float, Field(allow_inf_nan=False)], ...],
    Field(min_length=1),
    AfterValidator(_require_increasing),
]


class CumulativeLink(PointwiseLoss):
    """Cumulative link of ordered classes, -log(F(c_k - y) - F(c_(k-1) - y)) for class k.

    Use it when classes have an order, such as grades or stages, and the model predicts one score.

    The prediction has shape (...), any real score: the larger it is, the higher the class. The
    target has the same shape, a class 0 .. K - 1, where K - 1 is the number of cuts. One loss
    per element.

    Parameters
    ----------
    cuts : tuple of float
        The K - 1 increasing cut points between the classes.
    link : {"logit", "probit", "cloglog"}
        F: the logistic, the normal, or the extreme value distribution of minima. The first is
        the model of proportional odds, the last of proportional hazards.

    Notes
    -----
    The probability of a class above k is 1 - F(c_k - y). The difference of two values of F keeps
    its digits in both tails and for nearly equal cuts. Convex in y, because the three densities are
    log-concave. The cuts are constants: estimate them from the class frequencies, or try several.
    Source: McCullagh, *Regression models for ordinal data*, Journal of the Royal Statistical
    Society B 42, 1980, doi:10.1111/j.2517-6161.1980.tb01109.x.

    See Also
    --------
    binary_cross_entropy : of two classes; it is this one with the cut 0.
    cross_entropy : of classes without an order.

    Examples
    --------
    >>> loss = CumulativeLink(cuts=(-1.0, 0.5, 2.0))
    >>> loss([0.25, 1.5, 12.0], [1, 3, 1], reduction="none")
    array([ 1.08035096,  0.97407698, 11.75249485])
    """

    latex: ClassVar[str | None] = (
        r"-\log\left(F(c_{t} - y) - F(c_{t-1} - y)\right)\quad\text{with cuts } c"
    )

    prediction: ClassVar[Space] = REAL

    cuts: _Cuts = (0.0,)
    link: Literal["logit", "probit", "cloglog"] = "logit"

    @property
    def target_space(self) -> Space:
        """The classes 0 .. K - 1."""
        return _class_space(len(self.cuts) + 1)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        low, high = -xp.full_like(y, xp.inf), xp.full_like(y, xp.inf)
        for k, cut in enumerate(self.cuts):
            low, high = xp.where(t == k + 1, cut - y, low), xp.where(t == k, cut - y, high)
        return _LINKS[self.link].interval_formula(xp, low, high)

    @computed_in_float64
    def _loss_or_derivative(self, xp: Namespace, y: Array, t: Array, order: int) -> Array:
        found = _LINKS[self.link].interval_loss(xp, self._class_ends(xp, y, t), order)
        return with_nan_of(xp, y, with_nan_of(xp, t, -found if order == 1 else found))

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same, without the cancellation of the two probabilities."""
        return self._loss_or_derivative(xp, y, t, 0)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(f(b) - f(a)) / (F(b) - F(a)) between a and b, the cuts less y."""
        return self._loss_or_derivative(xp, y, t, 1)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Never negative; for the normal distribution at most 1, for the logistic one 1/2."""
        return self._loss_or_derivative(xp, y, t, 2)

    def _class_ends(self, xp: Namespace, y: Array, t: Array) -> IntervalEnds:
        cuts = (-math.inf, *self.cuts, math.inf)
        low, high = xp.full_like(y, cuts[0]), xp.full_like(y, cuts[1])
        for k in range(1, len(cuts) - 1):
            is_here = t == k
            low = xp.where(is_here, xp.full_like(y, cuts[k]), low)
            high = xp.where(is_here, xp.full_like(y, cuts[k + 1]), high)
        return IntervalEnds(low - y, high - y, high - low)

    def claims(self) -> Claims:
        """Convex and smooth, a logarithm of a probability."""
        return Claims(
            nonnegative=True,
            convex=True,
            twice_smooth=True,
            lipschitz=1.0 if self.link == "logit" else None,
        )

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """1/4 for each cut beside the class with the logit, and 1 with the probit."""
        one = xp.ones_like(y)
        if self.link == "logit":
            return 0.25 * (
                xp.where(t > 0, one, 0.0 * one) + xp.where(t < len(self.cuts), one, 0.0 * one)
            )
        return one if self.link == "probit" else None


@functools.cache
def _class_space(count: int) -> FiniteSpace:
    numbers = tuple(float(k) for k in range(count))
    return FiniteSpace("CLASSES", f"the classes 0 .. {count - 1} between the cuts", members=numbers)
