"""AutogradBridge: a bridge to a library that differentiates, as the harness proves it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from lossfw.bridges.bridge import Bridge
from lossfw.bridges.raw_form import made
from lossfw.errors import ArgumentError, ShapeError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray


def trained_form(loss: Any, *, fuse: bool) -> Loss:
    """Return the loss of a name, mapping or Loss, on logits where it has a link and is fused."""
    given = made(loss)
    return (given.on_logits() or given) if fuse else given


def refusal(loss: Loss) -> str | None:
    """Return why a network cannot be trained with a loss; None if it can."""
    if not loss.claims().gradient_zero_almost_everywhere:
        return None
    return (
        f"the slope of {loss.name} is 0 almost everywhere, so nothing can be learnt from it. "
        "Choose a loss that bounds it from above, such as logistic or hinge for zero_one."
    )


def refuse_flat(loss: Loss) -> Loss:
    """Return a loss that can be trained with.

    Raises
    ------
    ArgumentError
        If its slope is 0 almost everywhere.
    """
    why = refusal(loss)
    if why is not None:
        raise ArgumentError(why)
    return loss


def check_class_axis(loss: Loss, class_axis: Any) -> None:
    """Raise `ArgumentError` for an axis of classes that is not a whole number, or has no use."""
    if not isinstance(class_axis, int) or isinstance(class_axis, bool):
        raise ArgumentError(
            f"class_axis is {class_axis!r}; expected a whole number, such as 1 for (N, C, H, W)."
        )
    if class_axis != -1 and not loss.takes_rows:
        raise ArgumentError(
            f"class_axis={class_axis}: {loss.name} takes single numbers, and no classes."
        )


def classes_last(
    loss: Loss, class_axis: int, prediction: Any, target: Any, *, move: Callable[..., Any], by: str
) -> tuple[Any, Any]:
    """Return prediction and target with the classes along the last axis.

    Parameters
    ----------
    loss : Loss
    class_axis : int
        The axis of the classes in the prediction, and in a target of as many axes.
    prediction, target : array
        Of one library.
    move : callable
        The library's ``move(array, from, to)`` of axes.
    by : str
        The function that takes `class_axis`, for a message.

    Raises
    ------
    ShapeError
        If there is no such axis, or another one has the classes, as the shapes tell.
    """
    axes = len(prediction.shape)
    if class_axis == -1:
        _refuse_classes_along_1(loss, tuple(prediction.shape), tuple(target.shape), by)
        return prediction, target
    if not -axes <= class_axis < axes:
        raise ShapeError(
            f"class_axis={class_axis}: the prediction has the shape {tuple(prediction.shape)}, "
            f"and no axis {class_axis}."
        )
    if len(target.shape) == axes:
        target = move(target, class_axis, -1)
    return move(prediction, class_axis, -1), target


def _refuse_classes_along_1(
    loss: Loss, prediction: tuple[int, ...], target: tuple[int, ...], by: str
) -> None:
    if not loss.takes_classes or len(prediction) < 3 or len(target) != len(prediction) - 1:
        return
    if target != prediction[:-1] and target == (prediction[0], *prediction[2:]):
        raise ShapeError(
            f"the prediction has the shape {prediction} and the target {target}: if the classes "
            f"are along axis 1, as in images, write {by}(..., class_axis=1)."
        )


class AutogradBridge(Bridge):
    """A bridge to a library of automatic differentiation.

    The harness calls `value_and_slope` for every loss (``lossfw check --bridges NAME``), at
    ties and kinks, in several dtypes, and compiled.
    """

    def refuses(self, loss: Loss) -> str | None:
        """Return why a loss cannot be trained with: a slope of 0 almost everywhere."""
        return refusal(loss)

    @abstractmethod
    def value_and_slope(
        self, loss: Loss, y: NDArray, t: NDArray, *, compiled: bool = False
    ) -> tuple[NDArray, NDArray]:
        """Return unreduced losses, and the slopes that the library differentiates their sum to.

        Parameters
        ----------
        loss : Loss
            Taken as it is, not fused with its link.
        y, t : ndarray
            In float64 or float32. Results have the dtype of `y`, or the widest of the library.
        compiled : bool
            Whether the library compiles the function first.
        """
