"""A loss of groups for the checks of rows: a group is one row of all its numbers."""

from __future__ import annotations

import math
from typing import Any

from lossfw.components.spaces import Space
from lossfw.losses.base import ResultForm
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, Namespace, NDArray, namespace_of

# How many numbers a vector has whose space leaves it open.
GROUP_WIDTH = 2


class GroupRows:
    """A loss of groups that takes flat rows: (..., n C) for groups of n rows with C numbers.

    Other attributes are those of the loss.
    """

    takes_rows = True

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.sizes = (
            loss.prediction_space.flat_size(GROUP_WIDTH),
            loss.target_space.flat_size(GROUP_WIDTH),
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loss, name)

    @property
    def width(self) -> int:
        """How many numbers the prediction of a row has."""
        return self.sizes[0]

    # Calls -----------------------------------------------------------------

    def lines(self, y: Any, t: Any) -> tuple[Any, Any]:
        """Return flat groups in the form for a call with groups of one size."""
        return self._line(self.loss.prediction_space, y, 0), self._line(
            self.loss.target_space, t, 1
        )

    def _line(self, space: Space, x: Any, role: int) -> Any:
        if not space.axes or len(x.shape) != 2:
            return x
        rows, size = int(x.shape[0]), self.sizes[role]
        shape = (rows, int(x.shape[1]) // size, *space.row_shape(size))
        return namespace_of(x).reshape(x, shape)

    def __call__(self, y: Any, t: Any, **options: Any) -> Any:
        """Return the loss of flat groups."""
        return self.loss(*self.lines(y, t), **_call_options(y, self.width, options))

    def gradient(self, y: Any, t: Any, **options: Any) -> Any:
        """Return the gradient of flat groups, in the shape of `y`."""
        return self._derivative(self.loss.gradient, y, t, options)

    def hessian(self, y: Any, t: Any, **options: Any) -> Any:
        """Return the diagonal of the Hessian of flat groups, in the shape of `y`."""
        return self._derivative(self.loss.hessian, y, t, options)

    def _derivative(self, function: Any, y: Any, t: Any, options: dict[str, Any]) -> Any:
        found = function(*self.lines(y, t), **_call_options(y, self.width, options))
        return found if found.shape == y.shape else namespace_of(found).reshape(found, y.shape)

    # Bodies ----------------------------------------------------------------

    def _unreduced_losses(self, form: ResultForm, xp: Namespace, y: Array, t: Array) -> Any:
        """Return the results of a form for flat groups; see `LossDefinition._unreduced_losses`."""
        found = self.loss._unreduced_losses(form, xp, *self._groups(xp, y, t))
        if form == "both":
            return found[0], found[1].reshape(y.shape)
        return found.reshape(y.shape) if form in ("gradient", "hessian") else found

    def _groups(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Return flat groups as the engine has them, rows of several numbers on an axis."""
        spaces = self.loss.prediction_space, self.loss.target_space
        y, t = (
            xp.reshape(x, (*x.shape[:-1], int(x.shape[-1]) // size, size)) if space.axes else x
            for x, space, size in zip((y, t), spaces, self.sizes, strict=True)
        )
        return y, t

    def _unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the losses by the textbook definition."""
        return self.loss._unreduced_formula(xp, *self._groups(xp, y, t))

    def _unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the losses."""
        return self._unreduced_losses("value", xp, y, t)

    def _unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the derivatives."""
        return self._unreduced_losses("gradient", xp, y, t)

    def _unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the second derivatives."""
        return self._unreduced_losses("hessian", xp, y, t)

    def _unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> Any:
        """Return losses and derivatives."""
        return self._unreduced_losses("both", xp, y, t)

    def _unreduced_curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """Return the bound of the curvature, in the shape of `y`."""
        bound = self.loss._unreduced_curvature_bound(xp, *self._groups(xp, y, t))
        return None if bound is None else bound.reshape(y.shape)


def _call_options(y: Any, width: int, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a call, a mask of groups as one of their rows."""
    where = options.get("where")
    if where is None or len(getattr(where, "shape", ())) != 1 or len(y.shape) != 2:
        return options
    rows = int(y.shape[1]) // width
    spread = namespace_of(where).broadcast_to(where[:, None], (int(where.shape[0]), rows))
    return {**options, "where": spread}


def flatten_groups(x: NDArray) -> NDArray:
    """Return groups (g, n, ...) as flat rows (g, n C)."""
    return x.reshape(len(x), math.prod(x.shape[1:]))


def flat_group_setup(rows: GroupRows) -> tuple[str, ...]:
    """Return code of the functions of checks, which take flat groups."""
    y, t = (
        f"np.reshape({x}, (len({x}), -1, {', '.join(map(str, space.row_shape(size)))}))"
        if space.axes
        else x
        for x, space, size in zip(
            "yt", (rows.loss.prediction_space, rows.loss.target_space), rows.sizes, strict=True
        )
    )
    call = f"({y}, {t}, reduction='none')"
    return (
        f"def value(y, t): return loss{call}",
        f"def gradient(y, t): return loss.gradient{call}.reshape(np.shape(y))",
        f"def hessian(y, t): return loss.hessian{call}.reshape(np.shape(y))",
        f"def reduce(y, t, **options): return loss({y}, {t}, **options)",
    )


def as_rows(loss: Loss) -> Any:
    """Return a loss of groups that takes flat rows, and another loss unchanged."""
    return GroupRows(loss) if loss.takes_groups else loss
