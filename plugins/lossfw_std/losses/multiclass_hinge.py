"""The hinge over classes, in two forms."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from lossfw import (
    LOGITS,
    Array,
    CategoricalLoss,
    Claims,
    Namespace,
    NDArray,
    Order,
    ShapeError,
    Space,
)
from lossfw.numerics import columns, positive_part, put_at, take_at, times, two_diff

_GAP = r"\max\!\left(0,\, 1 + y_{j} - y_{k}\right)"
_LATEX = {
    "crammer_singer": rf"\sum_{{k}} t_{{k}}\,\max_{{j \ne k}} {_GAP}",
    "weston_watkins": rf"\sum_{{k}} t_{{k}}\,\sum_{{j \ne k}} {_GAP}",
}


class MulticlassHinge(CategoricalLoss):
    """Hinge over classes: how much the scores of others exceed that of class k less 1.

    Use it when a classifier of many classes needs a margin between scores and no
    probability.

    ========================== ====================================================
    form                       formula
    ========================== ====================================================
    crammer_singer (default)   max(0, 1 + max over j != k of z_j - z_k)
    weston_watkins             sum over j != k of max(0, 1 + z_j - z_k)
    ========================== ====================================================

    Prediction of shape (..., K): logits (scores) of any size, infinite ones
    included; at least two classes. Target: class indices (...), or distributions
    (..., K), for which the loss is the mean over the class. One loss per row.

    Parameters
    ----------
    form : {"crammer_singer", "weston_watkins"}
        The worst of the other classes counts, or all of them.

    Notes
    -----
    With two classes both are the hinge of z_k - z_j, and calibrated. With more
    they are calibrated only where the most probable class has a probability
    above 1/2, so neither claims it. The slope of the first form is at most
    sqrt(2); that of the second grows with the number of classes, so it has no
    constant. At a kink the derivative is that of the side where nothing is
    violated, and among equal classes the first one counts. With Weston and
    Watkins' form, targets that are given as rows take K times the work of
    class indices.

    Sources: Crammer and Singer, *On the algorithmic implementation of
    multiclass kernel-based vector machines*, 2001; Weston and Watkins,
    *Support vector machines for multi-class pattern recognition*, 1999;
    calibration: Tewari and Bartlett, *On the consistency of multiclass
    classification methods*, 2007; Liu, *Fisher consistency of multicategory
    support vector machines*, 2007.

    See Also
    --------
    hinge : for one score per element and targets of -1 and +1.

    Examples
    --------
    >>> MulticlassHinge()([[2.0, 1.5, 1.75]], [0])
    0.75
    >>> MulticlassHinge(form="weston_watkins")([[2.0, 1.5, 1.75]], [0])
    1.25
    """

    # Of a row for each class, which is no expression of one row.
    latex: ClassVar[Any] = property(lambda loss: _LATEX[loss.form])

    prediction: ClassVar[Space] = LOGITS
    least_classes: ClassVar[int] = 2

    form: Literal["crammer_singer", "weston_watkins"] = "crammer_singer"

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Raise where there is but one class, and as every loss does."""
        if y.shape[-1] < self.least_classes:
            raise ShapeError(
                f"prediction of shape {tuple(y.shape)} has one class: a hinge needs another one "
                "to compare it with."
            )
        super().check_domain(y, t, by_index, start)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The table's formula for each class, and its mean over the target."""
        losses = []
        for k in range(y.shape[-1]):
            others = xp.concat([y[..., :k], y[..., k + 1 :]], axis=-1)
            gaps = 1 + _difference(xp, others, y[..., k : k + 1])
            if self.form == "crammer_singer":
                losses.append(positive_part(xp, xp.max(gaps, axis=-1)))
            else:
                losses.append(xp.sum(positive_part(xp, gaps), axis=-1))
        return xp.sum(times(xp, t, xp.stack(losses, axis=-1)), axis=-1)

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same with a gap that is 0 only where it is, and without the K copies of a row."""
        if self.form == "crammer_singer":
            return xp.sum(times(xp, t, _violation(xp, _strongest_other(xp, y), y)), axis=-1)
        loss = 0.0 * t[..., 0]
        for k in range(y.shape[-1]):
            loss = loss + times(xp, t[..., k], xp.sum(self._against(xp, y, k), axis=-1))
        return loss

    def value_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """The same for one class of each row."""
        if self.form == "crammer_singer":
            return _violation(xp, xp.max(_without(xp, y, index), axis=-1), take_at(xp, y, index))
        return xp.sum(_against_own(xp, y, index), axis=-1)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-1 for the target's class, and 1 for a class that violates its margin."""
        slope = self._worst_slope(xp, y, t)
        if self.form == "weston_watkins":
            slope = 0.0 * t
            for k in range(y.shape[-1]):
                violated = xp.astype(self._against(xp, y, k) > 0, y.dtype)
                own = xp.astype(columns(xp, y) == k, y.dtype)
                count = xp.sum(violated, axis=-1, keepdims=True)
                slope = slope + t[..., k : k + 1] * (violated - own * count)
        return _unless_unknown(xp, y, slope)

    def derivative_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """The same for one class of each row, with the work of one row."""
        return self.value_and_derivative_at(xp, y, index)[1]

    def value_and_derivative_at(self, xp: Namespace, y: Array, index: Array) -> tuple[Array, Array]:
        """Both from the same comparisons."""
        if self.form == "crammer_singer":
            others = _without(xp, y, index)
            strongest = xp.max(others, axis=-1)
            loss = _violation(xp, strongest, take_at(xp, y, index))
            rival = put_at(xp, others == strongest[..., None], index, index < 0)
            violated = _first_of(xp, rival, y) & (loss > 0)[..., None]
        else:
            violation = _against_own(xp, y, index)
            loss = xp.sum(violation, axis=-1)
            violated = violation > 0
        gain = xp.astype(violated, y.dtype)
        slope = put_at(xp, gain, index, 0.0 - xp.sum(gain, axis=-1))
        return loss, _unless_unknown(xp, y, slope)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """0 wherever it exists; NaN where the prediction is NaN."""
        return xp.where(xp.isnan(y), y, xp.zeros_like(y))

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """The share of a soft target that each class may take from its own slope."""
        if order != 1:
            return ()
        most = 1.0 if self.form == "crammer_singer" else y.shape[-1] - 1.0
        return (xp.where((t > 0) & (t < 1), most * t, 0.0 * t),)

    def claims(self) -> Claims:
        """Convex and piecewise linear."""
        worst = self.form == "crammer_singer"
        return Claims(
            nonnegative=True,
            convex=True,
            lipschitz=math.sqrt(2.0) if worst else None,
            shift_invariant=True,
            permutation_equivariant=True,
            linear_in_target=True,
        )

    def _against(self, xp: Namespace, y: Array, k: int) -> Array:
        """Return by how much each class violates its margin to class k; 0 for k itself."""
        violation = _violation(xp, y, y[..., k : k + 1])
        return xp.where(columns(xp, y) == k, 0.0 * violation, violation)

    def _worst_slope(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the derivative of Crammer and Singer's form."""
        violated = xp.astype(_violation(xp, _strongest_other(xp, y), y) > 0, y.dtype)
        weight = t * violated
        first, second = _two_strongest(xp, y)
        # What is missing to the first is missing to the second for the first itself.
        of_first = xp.sum(xp.where(first, weight, 0.0 * weight), axis=-1, keepdims=True)
        of_rest = xp.sum(xp.where(first, 0.0 * weight, weight), axis=-1, keepdims=True)
        gain = xp.where(first, of_rest, xp.where(second, of_first, 0.0 * weight))
        return gain - weight


def _unless_unknown(xp: Namespace, y: Array, slope: Array) -> Array:
    """Return a slope, and NaN for all classes of a row with a NaN in it."""
    unknown = xp.any(xp.isnan(y), axis=-1, keepdims=True)
    return xp.where(unknown, xp.nan * xp.ones_like(y), slope)


def _difference(xp: Namespace, a: Array, b: Array) -> Array:
    """Return a - b, and 0 for equal infinities, as for other equal logits."""
    return xp.where(a == b, xp.zeros_like(a - b), a - b)


def _violation(xp: Namespace, other: Array, own: Array) -> Array:
    """Return max(0, 1 + other - own), right also where the three nearly cancel."""
    difference, rounding = two_diff(xp, other, own)
    equal = other == own
    difference = xp.where(equal, xp.zeros_like(difference), difference)
    return positive_part(xp, (1.0 + difference) + rounding)


def _two_strongest(xp: Namespace, y: Array) -> tuple[Array, Array]:
    """Tell for each class whether it is the first of the largest, and the next one."""
    classes = columns(xp, y)
    first = classes == xp.argmax(y, axis=-1, keepdims=True)
    next_largest = (y == _largest_without(xp, y, first)) & ~first
    return first, _first_of(xp, next_largest, y)


def _first_of(xp: Namespace, chosen: Array, y: Array) -> Array:
    """Tell for each class whether it is the first of the chosen ones of its row."""
    classes = xp.astype(columns(xp, y), y.dtype)
    # The least is found along columns as fast as along rows, and argmax is not.
    place = xp.where(chosen, classes, xp.full_like(y, xp.inf))
    return chosen & (place == xp.min(place, axis=-1, keepdims=True))


def _without(xp: Namespace, y: Array, index: Array) -> Array:
    """Return rows with -inf in the place of the class `index`."""
    return put_at(xp, 0.0 + y, index, xp.full_like(y[..., 0], -xp.inf))


def _against_own(xp: Namespace, y: Array, index: Array) -> Array:
    """Return by how much each class violates its margin to the class `index`; 0 for that one."""
    violation = _violation(xp, y, take_at(xp, y, index)[..., None])
    return put_at(xp, violation, index, 0.0 * take_at(xp, violation, index))


def _strongest_other(xp: Namespace, y: Array) -> Array:
    """Return for each class the largest of the others."""
    first = columns(xp, y) == xp.argmax(y, axis=-1, keepdims=True)
    largest = xp.max(y, axis=-1, keepdims=True)
    return xp.where(first, _largest_without(xp, y, first), largest)


def _largest_without(xp: Namespace, y: Array, left_out: Array) -> Array:
    """Return the largest of each row but for the classes that are left out."""
    rest = xp.where(left_out, -xp.inf * xp.ones_like(y), y)
    return xp.max(rest, axis=-1, keepdims=True)
