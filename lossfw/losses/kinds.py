"""Kinds of losses: what an author writes, lifted once to prediction and target.

Kinds are abstract and shipped losses are final: to change a loss, wrap it.

An author's function takes the array namespace ``xp`` and uses nothing else. So
one body runs on NumPy, on exact and on dual numbers, and on the arrays of
other libraries. Derivatives that are not given come from dual numbers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np

from lossfw.components.spaces import CLASS_INDEX, SIGN, SIMPLEX, Space
from lossfw.losses.inputs import one_hot
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.dual import derivatives as dual


class ElementwiseLoss(Loss):
    """A loss with one value for each element; base of three kinds.

    Attributes
    ----------
    per : {"element", "row"}
        What one value is given for. ``"row"`` sums over the last axis first.
    """

    per: Literal["element", "row"] = "element"

    @property
    def takes_rows(self) -> bool:
        """Never: each element has its own loss."""
        return False

    @property
    def sums_rows(self) -> bool:
        """Whether the losses of a row are summed."""
        return self.per == "row"


class DistanceLoss(ElementwiseLoss):
    """A loss of the residual ``r = y - t``.

    Write `value`; `formula`, `derivative` and `second_derivative` where they
    are known.

    Examples
    --------
    >>> class Quartic(DistanceLoss):
    ...     "The fourth power of the residual."
    ...     def value(self, xp, r):
    ...         return xp.square(xp.square(r))
    >>> float(Quartic()(3.0, 1.0)), float(Quartic().gradient(3.0, 1.0))
    (16.0, 32.0)
    """

    @abstractmethod
    def value(self, xp: Namespace, r: Array) -> Array:
        """Return the loss of each residual."""

    def formula(self, xp: Namespace, r: Array) -> Array:
        """Return the textbook definition; `value` unless given."""
        return self.value(xp, r)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """Return the derivative with respect to the residual."""
        return dual.derivatives(self.value, xp, r, order=1)[1]

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """Return the second derivative with respect to the residual."""
        return dual.derivatives(self.value, xp, r)[2]

    def unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Lift `formula`; see `Loss.unreduced_formula`."""
        return self.formula(xp, y - t)

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Lift `value`; see `Loss.unreduced`."""
        return self.value(xp, y - t)

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Lift `derivative`; see `Loss.unreduced_gradient`."""
        return self.derivative(xp, y - t)

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Lift `second_derivative`; see `Loss.unreduced_hessian`."""
        return self.second_derivative(xp, y - t)

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Lift both with one subtraction, or one pass of dual numbers."""
        r = y - t
        if type(self).derivative is DistanceLoss.derivative:
            value, slope = dual.derivatives(self.value, xp, r, order=1)
            return value, slope
        return self.value(xp, r), self.derivative(xp, r)


class MarginLoss(ElementwiseLoss):
    """A loss of the margin ``m = t y``, with targets in {-1, +1}.

    Write `value`; `formula`, `derivative` and `second_derivative` (with
    respect to the margin) where they are known.
    """

    target: ClassVar[Space] = SIGN

    @abstractmethod
    def value(self, xp: Namespace, m: Array) -> Array:
        """Return the loss of each margin."""

    def formula(self, xp: Namespace, m: Array) -> Array:
        """Return the textbook definition; `value` unless given."""
        return self.value(xp, m)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """Return the derivative with respect to the margin."""
        return dual.derivatives(self.value, xp, m, order=1)[1]

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """Return the second derivative with respect to the margin."""
        return dual.derivatives(self.value, xp, m)[2]

    def unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Lift `formula`; see `Loss.unreduced_formula`."""
        return self.formula(xp, t * y)

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Lift `value`; see `Loss.unreduced`."""
        return self.value(xp, t * y)

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Lift `derivative` by the chain rule: dm/dy = t."""
        return t * self.derivative(xp, t * y)

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Lift `second_derivative`; the chain rule's factor t^2 is 1."""
        return self.second_derivative(xp, t * y)

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Lift both with one product, or one pass of dual numbers."""
        m = t * y
        if type(self).derivative is MarginLoss.derivative:
            value, slope = dual.derivatives(self.value, xp, m, order=1)
            return value, t * slope
        return self.value(xp, m), t * self.derivative(xp, m)


class _PairLoss(Loss):
    """What the kinds share whose author writes functions of prediction and target.

    A loss with a link declares the field ``from_logits: bool = False``, the
    class attribute ``link`` (the activation's name) and the functions named
    ``..._from_logits``, which take logits.
    """

    @abstractmethod
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the loss, of each element or of each row."""

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the textbook definition; `value` unless given."""
        return self.value(xp, y, t)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the derivative with respect to the prediction."""
        return self._dual(self.value, xp, y, t, 1)[1]

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the second derivative, of rows its diagonal."""
        return self._dual(self.value, xp, y, t, 2)[2]

    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Return both; worth writing where they share work."""
        return self.value(xp, y, t), self.derivative(xp, y, t)

    def value_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Return the loss of the link's result at logits z, in a stable form."""
        raise NotImplementedError(f"{type(self).__name__} has from_logits but no such function.")

    def formula_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Return the textbook definition at logits; `value_from_logits` unless given."""
        return self.value_from_logits(xp, z, t)

    def derivative_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Return the derivative with respect to the logits."""
        return self._dual(self.value_from_logits, xp, z, t, 1)[1]

    def second_derivative_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Return the second derivative with respect to the logits."""
        return self._dual(self.value_from_logits, xp, z, t, 2)[2]

    def value_and_derivative_from_logits(
        self, xp: Namespace, z: Array, t: Array
    ) -> tuple[Array, Array]:
        """Return both; worth writing where they share work."""
        return self.value_from_logits(xp, z, t), self.derivative_from_logits(xp, z, t)

    @abstractmethod
    def _dual(
        self, body: Callable[..., Array], xp: Namespace, y: Array, t: Array, order: int
    ) -> tuple[Array, ...]:
        """Return value and derivatives up to an order from dual numbers."""

    def unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Choose the form; see `Loss.unreduced_formula`."""
        logits = self.input_form == "logits"
        return (self.formula_from_logits if logits else self.formula)(xp, y, t)

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Choose the form; see `Loss.unreduced`."""
        logits = self.input_form == "logits"
        return (self.value_from_logits if logits else self.value)(xp, y, t)

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Choose the form; see `Loss.unreduced_gradient`."""
        logits = self.input_form == "logits"
        return (self.derivative_from_logits if logits else self.derivative)(xp, y, t)

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Choose the form; see `Loss.unreduced_hessian`."""
        logits = self.input_form == "logits"
        return (self.second_derivative_from_logits if logits else self.second_derivative)(xp, y, t)

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Choose the form; see `Loss.unreduced_with_gradient`."""
        logits = self.input_form == "logits"
        both = self.value_and_derivative_from_logits if logits else self.value_and_derivative
        return both(xp, y, t)


class PointwiseLoss(_PairLoss, ElementwiseLoss):
    """A loss of a prediction and a target that is no function of their difference or product.

    Declare the spaces and write `value`; `formula`, `derivative`,
    `second_derivative` (with respect to the prediction) where they are known.
    """

    def _dual(
        self, body: Callable[..., Array], xp: Namespace, y: Array, t: Array, order: int
    ) -> tuple[Array, ...]:
        return dual.derivatives(body, xp, y, t, order=order)


class CategoricalLoss(_PairLoss):
    """A loss of rows: prediction and target have shape (..., K), the result (...).

    Where the target's space is `CLASS_INDEX` or `SIMPLEX`, a target may also be
    class indices of shape (...): they are told apart by dtype and dimensions,
    and `value` gets them as one-hot rows. Write the functions named ``..._at``
    too where a class index needs less work.
    """

    prediction: ClassVar[Space] = SIMPLEX
    target: ClassVar[Space] = CLASS_INDEX

    @property
    def takes_rows(self) -> bool:
        """Always: the last axis is one row."""
        return True

    def value_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return the loss for class indices; from one-hot rows unless given."""
        return self.value(xp, y, one_hot_rows(xp, y, index))

    def value_at_from_logits(self, xp: Namespace, z: Array, index: Array) -> Array:
        """Return the loss of logits for class indices; from one-hot rows unless given."""
        return self.value_from_logits(xp, z, one_hot_rows(xp, z, index))

    def derivative_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return the derivative for class indices; from one-hot rows unless given."""
        return self.derivative(xp, y, one_hot_rows(xp, y, index))

    def derivative_at_from_logits(self, xp: Namespace, z: Array, index: Array) -> Array:
        """Return the derivative at logits for class indices; from one-hot rows unless given."""
        return self.derivative_from_logits(xp, z, one_hot_rows(xp, z, index))

    def value_and_derivative_at(self, xp: Namespace, y: Array, index: Array) -> tuple[Array, Array]:
        """Return both for class indices; from one-hot rows unless given."""
        return self.value_and_derivative(xp, y, one_hot_rows(xp, y, index))

    def value_and_derivative_at_from_logits(
        self, xp: Namespace, z: Array, index: Array
    ) -> tuple[Array, Array]:
        """Return both at logits for class indices; from one-hot rows unless given."""
        return self.value_and_derivative_from_logits(xp, z, one_hot_rows(xp, z, index))

    def unreduced_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Choose the form; see `Loss.unreduced_at`."""
        logits = self.input_form == "logits"
        return (self.value_at_from_logits if logits else self.value_at)(xp, y, index)

    def unreduced_gradient_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Choose the form; see `Loss.unreduced_gradient_at`."""
        logits = self.input_form == "logits"
        return (self.derivative_at_from_logits if logits else self.derivative_at)(xp, y, index)

    def unreduced_with_gradient_at(
        self, xp: Namespace, y: Array, index: Array
    ) -> tuple[Array, Array]:
        """Choose the form; see `Loss.unreduced_with_gradient_at`."""
        if self.input_form == "logits":
            return self.value_and_derivative_at_from_logits(xp, y, index)
        return self.value_and_derivative_at(xp, y, index)

    def _dual(
        self, body: Callable[..., Array], xp: Namespace, y: Array, t: Array, order: int
    ) -> tuple[Array, ...]:
        return dual.row_derivatives(body, xp, y, t, order=order)


def one_hot_rows(xp: Namespace, y: Array, index: Array) -> Array:
    """Return class indices as rows in the shape and dtype of the prediction."""
    if xp is np and y.ndim == 2:
        return one_hot(index, y.shape[-1], y.dtype)
    classes = xp.arange(y.shape[-1])
    rows = index[..., np.newaxis] == classes
    return xp.astype(rows, y.dtype) if hasattr(xp, "astype") else rows.astype(y.dtype)
