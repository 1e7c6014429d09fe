"""A loss for networks: on logits, with the classes along any axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossfw.errors import ArgumentError, ShapeError
from lossfw.learning.raw_form import as_loss, zero_gradient_reason
from lossfw.losses.loss import Loss


def trainable_loss(loss: Any, *, fuse: bool) -> Loss:
    """Return a loss, on raw outputs if it is fused; refuse a loss without a gradient."""
    given = as_loss(loss)
    trained = (given.on_raw_outputs() or given) if fuse else given
    why = zero_gradient_reason(trained)
    if why is not None:
        raise ArgumentError(why)
    # Some losses keep it, and `torch.compile` cannot follow how it is made.
    trained._without_own_weight()
    return trained


def check_class_axis(loss: Loss, class_axis: Any) -> None:
    """Raise `ArgumentError` for a class axis that is not an integer, or does not apply."""
    if not isinstance(class_axis, int) or isinstance(class_axis, bool):
        raise ArgumentError(
            f"class_axis is {class_axis!r}; expected a whole number, such as 1 for (N, C, H, W)."
        )
    if class_axis != -1 and not loss.takes_rows:
        raise ArgumentError(
            f"class_axis={class_axis}: {loss.name} takes single numbers, not classes; leave "
            "class_axis out."
        )


def classes_last(
    loss: Loss, class_axis: int, prediction: Any, target: Any, *, move: Callable[..., Any], by: str
) -> tuple[Any, Any]:
    """Return a library's prediction and target with the classes along the last axis.

    `move` is the library's ``move(array, from, to)`` of axes, and `by` the function that takes
    `class_axis`, for a message. Raises `ShapeError` if there is no such axis, or if the shapes show
    that the classes are along axis 1.
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
