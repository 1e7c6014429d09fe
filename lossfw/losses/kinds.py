"""Kinds of losses: base classes for the functions of an author.

Kinds are abstract and built-in losses are final: to change a loss, wrap it.

The author's functions are in `lossfw.losses.bodies`; derivatives that are not
given come from dual numbers.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from lossfw.components.spaces import CLASS_INDEX, SIGN, SIMPLEX, Space
from lossfw.errors import ParameterError
from lossfw.losses.base import BODY_FUNCTIONS, Argument, ResultForm
from lossfw.losses.bodies import PairBody, PointwiseBody, RowBody, UnaryBody
from lossfw.losses.engine.read_only import set_flags
from lossfw.losses.lifting import (
    bound_from_flat_rows,
    derivatives_from_duals,
    losses_from_flat_rows,
)
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, Namespace


class ElementwiseLoss(Loss):
    """A loss with one value per element; base class of three kinds.

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
    def _sums_rows(self) -> bool:
        """Whether the losses of a row are summed."""
        return self.per == "row"


def _protect(x: Array) -> Array:
    """Return the argument of an author's functions, of which one may follow the other."""
    if type(x) is np.ndarray:
        set_flags(x, False)  # see `lossfw.losses.engine.read_only`
    return x


class DistanceLoss(UnaryBody, ElementwiseLoss):
    """A loss of the residual ``r = y - t``.

    Write `value`, and optionally `formula`, `derivative` and `second_derivative` (with respect to
    the residual).

    Examples
    --------
    >>> class Quartic(DistanceLoss):
    ...     "The fourth power of the residual."
    ...     def value(self, xp, r):
    ...         return xp.square(xp.square(r))
    >>> float(Quartic()(3.0, 1.0)), float(Quartic().gradient(3.0, 1.0))
    (16.0, 32.0)
    """

    _argument: ClassVar[Argument] = "residual"

    def touching_parabola(self, xp: Namespace, r: Array) -> Array:
        """Return the curvature of the parabola that touches the loss at r and -r.

        It is l'(r) / r, and the second derivative at r = 0. If the loss is a concave function of
        r^2, it is the smallest possible `curvature_bound`.

        Examples
        --------
        >>> import lossfw, numpy as np
        >>> lossfw.loss("huber").touching_parabola(np, np.asarray([0.0, 4.0]))
        array([1.  , 0.25])
        """
        # The derivative at a subnormal residual has lost its digits.
        info = xp.finfo(r.dtype)
        near = xp.abs(r) < float(info.smallest_normal) / float(info.eps)
        # NumPy can tell that there is none, which spares more than half of the operations.
        if xp is np and not near.any():
            return self.derivative(xp, r) / r
        curvature = self.derivative(xp, r) / xp.where(near, xp.ones_like(r), r)
        return xp.where(near, self.second_derivative(xp, r), curvature)

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Apply the author's functions to the residual."""
        return getattr(self, BODY_FUNCTIONS[form])(xp, _protect(y - t))


class MarginLoss(UnaryBody, ElementwiseLoss):
    """A loss of the margin ``m = t y``, with targets in {-1, +1}.

    Write `value`, and optionally `formula`, `derivative` and `second_derivative` (with respect to
    the margin).
    """

    target: ClassVar[Space] = SIGN
    _argument: ClassVar[Argument] = "margin"

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Apply the author's functions to the margin; dm/dy = t, and t^2 is 1."""
        results = getattr(self, BODY_FUNCTIONS[form])(xp, _protect(t * y))
        if form == "both":
            return results[0], t * results[1]
        return t * results if form == "gradient" else results


class _PairLoss(PairBody, Loss):
    """Base of the kinds whose author writes functions of prediction and target."""

    @property
    def body(self) -> object:
        """The loss itself, or the functions of logits; see `RawOutputLoss`."""
        return self

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Apply the functions of the body to prediction and target."""
        name = BODY_FUNCTIONS[form] + ("_at" if by_index else "")
        return getattr(self.body, name)(xp, y, t)


class _SpacesLoss(_PairLoss):
    """Base of the kinds whose spaces may be of columns or vectors."""

    _allows_columns: ClassVar[bool] = True

    @property
    def takes_rows(self) -> bool:
        """Whether a prediction has columns or is a vector."""
        return self.prediction_space.of_rows

    @property
    def _takes_target_rows(self) -> bool:
        """Whether a target has columns or is a vector."""
        return self.target_space.of_rows

    @property
    def has_columns(self) -> bool:
        """Whether prediction or target has columns or is a vector."""
        return self.takes_rows or self._takes_target_rows

    @property
    def fixed_classes(self) -> int | None:
        """The number of columns, where the space fixes it."""
        return self.prediction_space.size if self.takes_rows else None

    def _unreduced_curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """See `LossDefinition._unreduced_curvature_bound`."""
        if self.has_columns:
            return bound_from_flat_rows(self, xp, y, t)
        return super()._unreduced_curvature_bound(xp, y, t)

    def _derivatives_by_duals(self, xp: Namespace, y: Any, t: Any, order: int) -> tuple[Any, ...]:
        space = self.prediction_space
        flat = space.from_record(xp, y), self.target_space.from_record(xp, t)
        value, *parts = derivatives_from_duals(self, xp, *flat, order)
        return (value, *map(space.to_record, parts))


class PointwiseLoss(PointwiseBody, _SpacesLoss, ElementwiseLoss):
    """Base class of elementwise losses that are not a function of y - t or t y.

    Declare the spaces and write `value`; `formula`, `derivative`,
    `second_derivative` (with respect to the prediction) where they are known.

    If a space is `Columns`, arrays have one more axis and the functions get a record of its
    columns, such as ``y.location``. There is one loss per row. Return derivatives as a mapping by
    name, or as a sequence in the order of the columns. With a `Vector`, functions get rows of
    numbers, (..., D).

    Examples
    --------
    >>> from lossfw import BINARY, POSITIVE, REAL, Columns
    >>> class ExponentialTime(PointwiseLoss):
    ...     "Negative log-likelihood of a time until an event, which may not have come yet."
    ...     prediction = REAL
    ...     target = Columns.of(time=POSITIVE, event=BINARY)
    ...     def value(self, xp, y, t):
    ...         return t.time * xp.exp(y) - t.event * y
    >>> ExponentialTime()([0.0, 0.0], [[2.0, 1.0], [3.0, 0.0]], reduction="none")
    array([2., 3.])
    """

    @model_validator(mode="after")
    def _refuse_sum_of_columns(self) -> Self:
        if self.per == "row" and self.has_columns:
            raise ParameterError(
                "per: row sums the losses of elements, but a row with columns has one loss already."
            )
        return self

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Apply the functions of the body, to columns by name."""
        if self.has_columns:
            return losses_from_flat_rows(self, form, xp, y, t)
        return super()._compute_losses(form, xp, y, t, by_index)

    def _derivatives_by_duals(self, xp: Namespace, y: Any, t: Any, order: int) -> tuple[Any, ...]:
        kind = _SpacesLoss if self.has_columns else PointwiseBody
        return kind._derivatives_by_duals(self, xp, y, t, order)


class CategoricalLoss(RowBody, _PairLoss):
    """Base class of losses of rows, such as those of classes.

    Prediction and target have the shape (..., K), the result has (...). If the space of the target
    is `CLASS_INDEX` or `SIMPLEX`, the target may also be integer class indices of shape (...);
    `value` gets them as one-hot rows. Also implement the functions named ``..._at`` if a class
    index needs less work than a row.
    """

    prediction: ClassVar[Space] = SIMPLEX
    target: ClassVar[Space] = CLASS_INDEX
    _forms_at_index: ClassVar[tuple[ResultForm, ...]] = ("value", "gradient", "both")

    @property
    def takes_rows(self) -> bool:
        """Always true: the last axis is one row."""
        return True


class GroupLoss(_SpacesLoss):
    """Base class of losses with one value per group of rows, such as a query or a batch.

    Write `value(xp, y, t)`, where y and t have the shape (..., n) and the result has (...): the
    last axis runs over the rows of a group. Where a space is `Columns`, they are ``t.time`` and
    so on, each of shape (..., n); a `Vector` has the shape (..., n, D). Write `formula`,
    `derivative` and `second_derivative`, by each number of the prediction, where they are known.
    The functions see neither ids nor weights nor a mask.

    Attributes
    ----------
    needs_group : bool
        Whether ``group=`` is required in a call. If not, a call without it treats all rows as one
        group.
    neutral : tuple of prediction and target, or None
        A row that can be added to a group without a change of the loss or of the other derivatives,
        and whose own derivative is 0. It pads groups to equal size, which PyTorch and JAX need for
        a traced mask and Keras for every batch. Its prediction must be in the space of predictions;
        its target may be any marker that does not occur in data.

    Examples
    --------
    >>> import numpy as np
    >>> class Spread(GroupLoss):
    ...     "The variance of the residuals of a group: a shift costs nothing."
    ...     def value(self, xp, y, t):
    ...         r = y - t
    ...         return xp.mean((r - xp.mean(r, axis=-1, keepdims=True)) ** 2, axis=-1)
    >>> loss, query = Spread(), ["a", "a", "b", "b"]
    >>> y, t = [1.0, 3.0, 5.0, 5.0], [0.0, 0.0, 0.0, 2.0]
    >>> loss(y, t, group=query, reduction="none")
    array([1., 1.])
    >>> loss.gradient(y, t, group=query, reduction="sum")
    array([-1.,  1.,  1., -1.])
    """

    takes_groups: ClassVar[bool] = True
    needs_group: ClassVar[bool] = True

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Apply the functions of the author to groups, arrays (..., n) of numbers or flat rows."""
        return losses_from_flat_rows(self, form, xp, y, t)
