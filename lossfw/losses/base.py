"""Definition: what a loss is, apart from how it is called.

Its spaces and claims, its link, and its functions of prediction and target,
lifted by a kind from what the author wrote.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from lossfw.components.claims import Claims
from lossfw.components.component import Component
from lossfw.components.spaces import CLASS_INDEX, LOGITS, REAL, SIMPLEX, Space
from lossfw.errors import ArgumentError
from lossfw.losses.inputs import one_hot
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.exact.reference import Order

Form = Literal["prediction", "logits"]


class Definition(Component, ABC):
    """What a loss is: base of `lossfw.Loss`, which adds how it is called."""

    kind: ClassVar[str] = "loss"
    prediction: ClassVar[Space] = REAL
    target: ClassVar[Space] = REAL
    # Whether a loss of rows has one number per row as target, and not a row.
    target_per_row: ClassVar[bool] = False

    # What an author may add ------------------------------------------------

    def claims(self) -> Claims:
        """Return what this loss promises at its parameters; nothing by default."""
        return Claims()

    @property
    def prediction_space(self) -> Space:
        """Where predictions live at these parameters."""
        return LOGITS if self.input_form == "logits" else self.prediction

    @property
    def target_space(self) -> Space:
        """Where targets live at these parameters."""
        return self.target

    def own_mask_and_weight(
        self, xp: Namespace, t: Array, by_index: bool
    ) -> tuple[Array | None, Array | None]:
        """Return what this loss's own rule says of targets: which count, and how much.

        Both as ``where`` and ``sample_weight`` in a call; None where there is no rule.
        """
        return None, None

    def without_own_weight(self) -> Definition:
        """Return this loss without the weights of `chosen`, which the reduction applies."""
        return self

    # The link --------------------------------------------------------------

    @property
    def input_form(self) -> Form:
        """``"logits"`` where predictions are what goes into the link, else ``"prediction"``."""
        return "logits" if self.__dict__.get("from_logits", False) else "prediction"

    def link_activation(self) -> str | None:
        """Return the activation whose results this loss expects, or None where any will do."""
        if "from_logits" in type(self).model_fields and self.input_form == "prediction":
            link: str = type(self).link  # type: ignore[attr-defined]  # a linked loss declares it
            return link
        return None

    # What a kind provides --------------------------------------------------

    @property
    @abstractmethod
    def takes_rows(self) -> bool:
        """Whether the last axis of a prediction is one row with one loss."""

    @property
    def sums_rows(self) -> bool:
        """Whether the losses of elements are summed over the last axis (``per: row``)."""
        return False

    @abstractmethod
    def unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the unreduced losses by the textbook definition."""

    @abstractmethod
    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the unreduced losses, computed the stable way."""

    @abstractmethod
    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the derivatives of the unreduced losses with respect to the prediction."""

    @abstractmethod
    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the diagonal second derivatives of the unreduced losses."""

    def unreduced_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return the unreduced losses of rows for class indices."""
        raise ArgumentError(f"{type(self).__name__} takes no class indices.")

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Return `values` and `gradients`, in one pass where the author shares work."""
        return self.unreduced(xp, y, t), self.unreduced_gradient(xp, y, t)

    def unreduced_gradient_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return `gradients` of rows for class indices; from one-hot rows unless given."""
        return self.unreduced_gradient(xp, y, one_hot(index, y.shape[-1], y.dtype))

    def unreduced_with_gradient_at(
        self, xp: Namespace, y: Array, index: Array
    ) -> tuple[Array, Array]:
        """Return `unreduced_with_gradient` of rows for class indices."""
        return self.unreduced_with_gradient(xp, y, one_hot(index, y.shape[-1], y.dtype))

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Raise `DomainError` where a prediction or target lies outside its space."""
        self.prediction_space.check(y, "prediction", start=start)
        if by_index:
            CLASS_INDEX.check_below(t, y.shape[-1], start=start)
        else:
            space = self.target_space
            (SIMPLEX if space is CLASS_INDEX else space).check(t, "target", start=start)

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """Return the terms that may cancel in the value or in a derivative.

        None by default: then results are held to a few units in the last place
        of themselves. A loss that crosses zero is measured against the largest
        of its terms instead, and says so by writing this.
        """
        return ()
