"""Kinds of losses: an author's functions, lifted once to prediction and target.

Kinds are abstract and shipped losses are final: to change a loss, wrap it.

The author's functions are in `lossfw.losses.bodies`; derivatives that are not
given come from dual numbers.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from lossfw.components.spaces import CLASS_INDEX, SIGN, SIMPLEX, Space
from lossfw.losses.base import BODY_FUNCTIONS, Argument, ResultForm
from lossfw.losses.bodies import PairBody, PointwiseBody, RowBody, UnaryBody
from lossfw.losses.engine.read_only import set_flags
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, Namespace


class ElementwiseLoss(Loss):
    """A loss with one value for each element; base of three kinds.

    Attributes
    ----------
    per : {"element", "row"}
        ``"row"`` sums the losses over the last axis first.
    """

    per: Literal["element", "row"] = "element"

    @property
    def takes_rows(self) -> bool:
        """Always false: each element has its own loss."""
        return False

    @property
    def sums_rows(self) -> bool:
        """Whether the losses of a row are summed."""
        return self.per == "row"


def _own(x: Array) -> Array:
    """Return the argument of an author's functions, of which one may follow the other."""
    if type(x) is np.ndarray:
        set_flags(x, False)  # see `lossfw.losses.engine.read_only`
    return x


class DistanceLoss(UnaryBody, ElementwiseLoss):
    """A loss of the residual ``r = y - t``.

    Write `value`; `formula`, `derivative` and `second_derivative` (with respect
    to the residual) where they are known.

    Examples
    --------
    >>> class Quartic(DistanceLoss):
    ...     "The fourth power of the residual."
    ...     def value(self, xp, r):
    ...         return xp.square(xp.square(r))
    >>> float(Quartic()(3.0, 1.0)), float(Quartic().gradient(3.0, 1.0))
    (16.0, 32.0)
    """

    argument: ClassVar[Argument] = "residual"

    def touching_parabola(self, xp: Namespace, r: Array) -> Array:
        """Return the curvature of the parabola that touches the value at r and at -r.

        It is l'(r) / r, and at 0 the second derivative. Where the value is a concave
        function of r^2, no parabola of less curvature lies above it: then it is the
        best `curvature_bound`.

        Examples
        --------
        >>> import lossfw, numpy as np
        >>> lossfw.loss("huber").touching_parabola(np, np.asarray([0.0, 4.0]))
        array([1.  , 0.25])
        """
        # The slope at a subnormal residual has lost its digits.
        info = xp.finfo(r.dtype)
        near = xp.abs(r) < float(info.smallest_normal) / float(info.eps)
        # NumPy can tell that there is none, which spares more than half of the operations.
        if xp is np and not near.any():
            return self.derivative(xp, r) / r
        curvature = self.derivative(xp, r) / xp.where(near, xp.ones_like(r), r)
        return xp.where(near, self.second_derivative(xp, r), curvature)

    def compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Apply the author's functions to the residual."""
        return getattr(self, BODY_FUNCTIONS[form])(xp, _own(y - t))


class MarginLoss(UnaryBody, ElementwiseLoss):
    """A loss of the margin ``m = t y``, with targets in {-1, +1}.

    Write `value`; `formula`, `derivative` and `second_derivative` (with
    respect to the margin) where they are known.
    """

    target: ClassVar[Space] = SIGN
    argument: ClassVar[Argument] = "margin"

    def compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Apply the author's functions to the margin; dm/dy = t, and t^2 is 1."""
        results = getattr(self, BODY_FUNCTIONS[form])(xp, _own(t * y))
        if form == "both":
            return results[0], t * results[1]
        return t * results if form == "gradient" else results


class _PairLoss(PairBody, Loss):
    """Base of the kinds whose author writes functions of prediction and target."""

    @property
    def body(self) -> object:
        """The loss itself, or the functions of logits; see `LinkedLoss`."""
        return self

    def compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Apply the functions of the body to prediction and target."""
        name = BODY_FUNCTIONS[form] + ("_at" if by_index else "")
        return getattr(self.body, name)(xp, y, t)


class PointwiseLoss(PointwiseBody, _PairLoss, ElementwiseLoss):
    """A loss of a prediction and a target that is not a function of their difference or product.

    Declare the spaces and write `value`; `formula`, `derivative`,
    `second_derivative` (with respect to the prediction) where they are known.
    """


class CategoricalLoss(RowBody, _PairLoss):
    """A loss of rows: prediction and target have shape (..., K), the result (...).

    Where the target's space is `CLASS_INDEX` or `SIMPLEX`, a target may also be
    class indices of shape (...): they differ by dtype and dimensions,
    and `value` gets them as one-hot rows. Write the functions named ``..._at``
    too where a class index needs less work.
    """

    prediction: ClassVar[Space] = SIMPLEX
    target: ClassVar[Space] = CLASS_INDEX
    forms_at_index: ClassVar[tuple[ResultForm, ...]] = ("value", "gradient", "both")

    @property
    def takes_rows(self) -> bool:
        """Always true: the last axis is one row."""
        return True
