"""The hinge over classes, in two forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from pydantic import PositiveFloat

from lossfw import (
    LOGITS,
    Array,
    CategoricalLoss,
    Claims,
    Namespace,
    Space,
)
from lossfw.numerics import (
    apply_where_rows,
    column_numbers,
    multiply_or_zero,
    positive_part,
    put_at,
    take_at,
)

_GAP = r"\max\!\left(0,\, \mathrm{margin} + y_{j} - y_{k}\right)POWER"
_LATEX = {
    "crammer_singer": rf"\sum_{{k}} t_{{k}}\,\max_{{j \ne k}} {_GAP}",
    "weston_watkins": rf"\sum_{{k}} t_{{k}}\,\sum_{{j \ne k}} {_GAP}",
    "multi_margin": rf"\frac{{1}}{{K}}\,\sum_{{k}} t_{{k}}\,\sum_{{j \ne k}} {_GAP}",
}


class MulticlassHinge(CategoricalLoss):
    """Hinge over classes: how far other scores exceed that of class k minus a margin.

    Use it when a classifier of many classes needs a margin between scores, not probabilities.

    ========================== ====================================================
    form                       formula, to the power of ``power``
    ========================== ====================================================
    crammer_singer (default)   max(0, margin + max over j != k of z_j - z_k)
    weston_watkins             sum over j != k of max(0, margin + z_j - z_k)
    multi_margin               the sum of weston_watkins over the number of classes
    ========================== ====================================================

    Prediction of shape (..., K): logits (scores) of any size, infinite ones included; at least two
    classes. Target: class indices (...), or distributions (..., K), for which the loss is the mean
    over classes. One loss per row.

    Parameters
    ----------
    form : {"crammer_singer", "weston_watkins", "multi_margin"}
        The loss counts the worst of the other classes, the sum over all others, or this sum divided
        by the number of classes: ``torch.nn.MultiMarginLoss`` is ``form="multi_margin"``.
    margin : float
        How far the score of class k must exceed the others, above 0.
    power : {1, 2}
        2 squares each ``max(0, ...)``.

    Notes
    -----
    With two classes both are the hinge of z_k - z_j, and calibrated. With more they are calibrated
    only where the most probable class has a probability above 1/2, so neither claims it. The
    derivative of the first form is at most sqrt(2); those of the others depend on the number of
    classes, so they have no constant. At a kink the derivative is that of the side without a
    violation, and of equal classes the first one counts. In Weston and Watkins' form, targets given
    as rows take K times the work of class indices.

    Sources: Crammer and Singer, *On the algorithmic implementation of multiclass kernel-based
    vector machines*, 2001; Weston and Watkins, *Support vector machines for multi-class pattern
    recognition*, 1999; calibration: Tewari and Bartlett, *On the consistency of multiclass
    classification methods*, 2007; Liu, *Fisher consistency of multicategory support vector
    machines*, 2007.

    See Also
    --------
    hinge : for one score per element and targets of -1 and +1.

    Examples
    --------
    >>> MulticlassHinge()([[2.0, 1.5, 1.75]], [0])
    0.75
    >>> MulticlassHinge(form="weston_watkins")([[2.0, 1.5, 1.75]], [0])
    1.25
    >>> MulticlassHinge(form="multi_margin", power=2)([[2.0, 1.5, 1.75]], [0])
    0.2708333333333333
    """

    # It has a row for each class, which cannot be computed from one row.
    latex: ClassVar[Any] = property(
        lambda loss: _LATEX[loss.form].replace("POWER", "^{2}" if loss.power == 2 else "")
    )

    prediction: ClassVar[Space] = LOGITS
    least_classes: ClassVar[int] = 2

    form: Literal["crammer_singer", "weston_watkins", "multi_margin"] = "crammer_singer"
    margin: PositiveFloat = 1.0
    power: Literal[1, 2] = 1

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The table's formula for each class, and its mean over the target."""
        losses = []
        for k in range(y.shape[-1]):
            others = xp.concat([y[..., :k], y[..., k + 1 :]], axis=-1)
            gaps = self.margin + _difference(xp, others, y[..., k : k + 1])
            if self._only_worst:
                losses.append(self._raise_power(positive_part(xp, xp.max(gaps, axis=-1))))
            else:
                losses.append(xp.sum(self._raise_power(positive_part(xp, gaps)), axis=-1))
        return self._divide_by_classes(
            xp.sum(multiply_or_zero(xp, t, xp.stack(losses, axis=-1)), axis=-1), y
        )

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same with a gap that is 0 only where it is, and without the K copies of a row."""
        if self._only_worst:
            worst = self._violation(xp, _strongest_other(xp, y), y)
            loss = xp.sum(multiply_or_zero(xp, t, self._raise_power(worst)), axis=-1)
        else:
            loss = 0.0 * t[..., 0]
            for k in range(y.shape[-1]):
                against = self._raise_power(self._violations_of_class(xp, y, k))
                loss = loss + multiply_or_zero(xp, t[..., k], xp.sum(against, axis=-1))
            loss = self._divide_by_classes(loss, y)
        if self.power == 1:
            return loss
        return apply_where_rows(xp, loss, xp.isinf(loss), self._weight_before_squaring, y, t)

    def _weight_before_squaring(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the same of squares, which overflow before their share makes them small."""
        share, loss = self._divide_by_classes(t, y), 0.0 * t[..., 0]
        if self._only_worst:
            worst = self._violation(xp, _strongest_other(xp, y), y)
            return xp.sum(_weighted_square(xp, share, worst), axis=-1)
        for k in range(y.shape[-1]):
            against = self._violations_of_class(xp, y, k)
            loss = loss + xp.sum(_weighted_square(xp, share[..., k : k + 1], against), axis=-1)
        return loss

    def value_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """The same for one class of each row."""
        if self._only_worst:
            strongest = xp.max(_mask_class(xp, y, index), axis=-1)
            return self._raise_power(self._violation(xp, strongest, take_at(xp, y, index)))
        return self._divide_by_classes(
            xp.sum(self._raise_power(self._violations_of_target(xp, y, index)), axis=-1), y
        )

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The rate of a violation for the class that violates, and minus it for the target's."""
        return _with_nan_rows(xp, y, self._net_rates(xp, y, t, self._power_derivative, -1.0))

    def derivative_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """The same for one class of each row, with the work of one row."""
        return self.value_and_derivative_at(xp, y, index)[1]

    def value_and_derivative_at(self, xp: Namespace, y: Array, index: Array) -> tuple[Array, Array]:
        """Both from the same comparisons."""
        if self._only_worst:
            others = _mask_class(xp, y, index)
            strongest = xp.max(others, axis=-1)
            worst = self._violation(xp, strongest, take_at(xp, y, index))
            loss = self._raise_power(worst)
            rival = put_at(xp, others == strongest[..., None], index, index < 0)
            violated = _mark_first(xp, rival, y) & (worst > 0)[..., None]
            gain = xp.astype(violated, y.dtype)
            if self.power == 2:
                gain = multiply_or_zero(xp, gain, 2.0 * worst[..., None])
        else:
            violation = self._violations_of_target(xp, y, index)
            loss = self._divide_by_classes(xp.sum(self._raise_power(violation), axis=-1), y)
            gain = self._power_derivative(xp, violation)
        derivative = put_at(xp, gain, index, 0.0 - xp.sum(gain, axis=-1))
        return loss, _with_nan_rows(xp, y, self._divide_by_classes(derivative, y))

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """0 wherever it exists, of squares 2 for each violation; NaN for a prediction of NaN."""
        second_derivative = xp.zeros_like(y)
        if self.power == 2:
            second_derivative = self._net_rates(xp, y, t, self._second_derivative, 1.0)
        return xp.where(xp.isnan(y), y, second_derivative)

    def claims(self) -> Claims:
        """Convex and piecewise linear, or of squares."""
        line, mean = self.power == 1, self.form == "multi_margin"
        return Claims(
            nonnegative=True,
            convex=True,
            lipschitz=math.sqrt(2.0) if line and self._only_worst else None,
            gradient_lipschitz=2.0 if mean and not line else None,
            smooth=(not line and not self._only_worst) or None,
            shift_invariant=True,
            permutation_equivariant=True,
            linear_in_target=True,
        )

    @property
    def _only_worst(self) -> bool:
        """Whether only the worst of the other classes counts."""
        return self.form == "crammer_singer"

    def _divide_by_classes(self, sums: Array, y: Array) -> Array:
        """Return sums over the other classes, over the number of classes if that is asked for."""
        return sums / y.shape[-1] if self.form == "multi_margin" else sums

    def _raise_power(self, violation: Array) -> Array:
        return violation * violation if self.power == 2 else violation

    def _power_derivative(self, xp: Namespace, violation: Array) -> Array:
        """Return the derivative of the power of a violation."""
        return 2.0 * violation if self.power == 2 else xp.astype(violation > 0, violation.dtype)

    def _second_derivative(self, xp: Namespace, violation: Array) -> Array:
        """Return the second derivative of the square of a violation."""
        return 2.0 * xp.astype(violation > 0, violation.dtype)

    def _net_rates(
        self, xp: Namespace, y: Array, t: Array, rate: Callable[..., Array], sign: float
    ) -> Array:
        """Return the rates at which classes violate, plus `sign` those at which they are violated.

        Both are weighted by the target.
        """
        if self._only_worst:
            return self._net_rates_of_worst(xp, y, t, rate, sign)
        total = 0.0 * t
        for k in range(y.shape[-1]):
            rates = rate(xp, self._violations_of_class(xp, y, k))
            own = xp.astype(column_numbers(xp, y) == k, y.dtype)
            count = multiply_or_zero(xp, own, sign * xp.sum(rates, axis=-1, keepdims=True))
            total = total + multiply_or_zero(xp, t[..., k : k + 1], rates + count)
        return self._divide_by_classes(total, y)

    def _net_rates_of_worst(
        self, xp: Namespace, y: Array, t: Array, rate: Callable[..., Array], sign: float
    ) -> Array:
        """Return the same for Crammer and Singer's form."""
        first, second = _mark_two_strongest(xp, y)
        none = xp.zeros_like(y)
        if self.power == 2:
            # If scores are equal, the first counts, also in derivatives of this.
            top, next_one = (
                xp.sum(xp.where(chosen, y, none), axis=-1, keepdims=True)
                for chosen in (first, second)
            )
            strongest = xp.where(first, next_one, top)
        else:
            strongest = _strongest_other(xp, y)
        weight = multiply_or_zero(xp, t, rate(xp, self._violation(xp, strongest, y)))
        # What is missing to the first is missing to the second for the first itself.
        of_first = xp.sum(xp.where(first, weight, none), axis=-1, keepdims=True)
        of_rest = xp.sum(xp.where(first, none, weight), axis=-1, keepdims=True)
        gain = xp.where(first, of_rest, xp.where(second, of_first, none))
        return gain + sign * weight

    def _violation(self, xp: Namespace, other: Array, own: Array) -> Array:
        """Return max(0, margin + other - own), 0 between infinite ones that are equal."""
        difference = other - own
        equal = other == own
        if self.power == 2:
            # The derivative of equal finite scores has a derivative.
            equal = equal & xp.isinf(other)
        difference = xp.where(equal, xp.zeros_like(difference), difference)
        return positive_part(xp, self.margin + difference)

    def _violations_of_class(self, xp: Namespace, y: Array, k: int) -> Array:
        """Return by how much each class violates its margin to class k; 0 for k itself."""
        violation = self._violation(xp, y, y[..., k : k + 1])
        return xp.where(column_numbers(xp, y) == k, 0.0 * violation, violation)

    def _violations_of_target(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return by how much each class violates its margin to the class `index`, itself by 0."""
        violation = self._violation(xp, y, take_at(xp, y, index)[..., None])
        return put_at(xp, violation, index, 0.0 * take_at(xp, violation, index))


def _weighted_square(xp: Namespace, weight: Array, violation: Array) -> Array:
    return multiply_or_zero(xp, multiply_or_zero(xp, weight, violation), violation)


def _with_nan_rows(xp: Namespace, y: Array, derivative: Array) -> Array:
    """Return a derivative, and NaN for all classes of a row with a NaN in it."""
    unknown = xp.any(xp.isnan(y), axis=-1, keepdims=True)
    return xp.where(unknown, xp.nan * xp.ones_like(y), derivative)


def _difference(xp: Namespace, a: Array, b: Array) -> Array:
    """Return a - b, and 0 for equal infinities, as for other equal logits."""
    return xp.where(a == b, xp.zeros_like(a - b), a - b)


def _mark_two_strongest(xp: Namespace, y: Array) -> tuple[Array, Array]:
    """Tell for each class whether it is the first of the largest, and the next one."""
    classes = column_numbers(xp, y)
    first = classes == xp.argmax(y, axis=-1, keepdims=True)
    next_largest = (y == _largest_without(xp, y, first)) & ~first
    return first, _mark_first(xp, next_largest, y)


def _mark_first(xp: Namespace, chosen: Array, y: Array) -> Array:
    """Tell for each class whether it is the first of the chosen ones of its row."""
    classes = xp.astype(column_numbers(xp, y), y.dtype)
    # The least is found along columns as fast as along rows, and argmax is not.
    place = xp.where(chosen, classes, xp.full_like(y, xp.inf))
    return chosen & (place == xp.min(place, axis=-1, keepdims=True))


def _mask_class(xp: Namespace, y: Array, index: Array) -> Array:
    """Return rows with -inf in the place of the class `index`."""
    return put_at(xp, 0.0 + y, index, xp.full_like(y[..., 0], -xp.inf))


def _strongest_other(xp: Namespace, y: Array) -> Array:
    """Return for each class the largest of the others."""
    first = column_numbers(xp, y) == xp.argmax(y, axis=-1, keepdims=True)
    largest = xp.max(y, axis=-1, keepdims=True)
    return xp.where(first, _largest_without(xp, y, first), largest)


def _largest_without(xp: Namespace, y: Array, left_out: Array) -> Array:
    """Return the largest of each row but for the classes that are left out."""
    rest = xp.where(left_out, -xp.inf * xp.ones_like(y), y)
    return xp.max(rest, axis=-1, keepdims=True)
