"""The cosine distance."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import Field

from lossfw import (
    REAL,
    Array,
    CategoricalLoss,
    Claims,
    DomainError,
    Namespace,
    NDArray,
    Space,
)
from lossfw.numerics import namespace_of
from lossfw_std.angles import (
    derivative,
    distance,
    distance_and_derivative,
    second_derivative,
)

# The loss of a row of zeros, from 0 (alike) to 2 (opposite).
Zero: TypeAlias = Literal["error"] | Annotated[float, Field(ge=0, le=2)]


class CosineDistance(CategoricalLoss):
    """Cosine distance, 1 - sum(y t) / (norm(y) norm(t)).

    Use it when the direction of a vector counts and not its length, as for embeddings.

    Prediction and target of shape (..., K): rows of real numbers. One loss per row: 0 for the same
    direction, 1 for a right angle, 2 for the opposite direction.

    Parameters
    ----------
    zero : "error" or float
        A row of zeros has no direction: it raises `DomainError`, or has this loss, from 0 to 2, and
        the gradient 0.

    Notes
    -----
    It equals half the squared distance of the unit rows, and stays accurate where the cosine rounds
    to 1. Value and gradient come from the sine: the component of t orthogonal to y is computed from
    determinants, so it is exactly 0 for parallel rows and accurate for small angles. Not convex,
    and steep without bound near y = 0. Source: Salton and McGill, *Introduction to modern
    information retrieval*, 1983.

    See Also
    --------
    squared_error : of unit rows, twice this loss with ``per="row"``.

    Examples
    --------
    >>> CosineDistance()([[1.0, 1e-9]], [[1.0, 0.0]])
    5e-19
    """

    prediction: ClassVar[Space] = REAL
    target: ClassVar[Space] = REAL

    zero: Zero = "error"

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Raise for a row of zeros where ``zero`` says so, and as every loss does."""
        super().check_domain(y, t, by_index, start)
        if self.zero != "error":
            return
        xp = namespace_of(y, t)
        for role, rows in (("prediction", y), ("target", t)):
            bad = xp.all(rows == 0, axis=-1)
            if bool(xp.any(bad)):
                index = np.argwhere(bad)[0]
                at = ", ".join(str(i + start if axis == 0 else i) for axis, i in enumerate(index))
                raise DomainError(
                    f"{role}{f'[{at}]' if at else ''} is a row of zeros, which has no direction: "
                    "leave it out by where=False, or set its loss by zero=..., from 0 to 2."
                )

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 - sum(y t) / (norm(y) norm(t))."""
        norms = xp.sqrt(xp.sum(y * y, axis=-1)) * xp.sqrt(xp.sum(t * t, axis=-1))
        lost = norms == 0
        distance = 1 - xp.sum(y * t, axis=-1) / xp.where(lost, xp.ones_like(norms), norms)
        return xp.where(lost, xp.full_like(norms, self._zero_row_loss()), distance)

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """sin^2 / (1 + cos), which is 1 - cos; that itself where it does not cancel."""
        return distance(xp, y, t, self._zero_row_loss())

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Minus the part of the unit row of t across y, divided by the norm of y."""
        return derivative(xp, y, t)

    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, of one angle."""
        return distance_and_derivative(xp, y, t, self._zero_row_loss())

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(2 a u + cos (1 - u^2)) / norm(y)^2; u the unit row of y, a that across it."""
        return second_derivative(xp, y, t)

    def claims(self) -> Claims:
        """Bounded; smooth but for the row of zeros, if that is legal."""
        return Claims(
            nonnegative=True,
            bounded=2.0,
            zero_at_target=self.zero in ("error", 0.0) or None,
            twice_smooth=self.zero == "error" or None,
            permutation_equivariant=True,
            exchangeable=True,
        )

    def _zero_row_loss(self) -> float:
        """Return the loss of a row of zeros; NaN where that is an error."""
        return math.nan if self.zero == "error" else self.zero
