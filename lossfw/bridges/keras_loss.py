"""The class of losses of Keras, which must be imported for it; see `lossfw.bridges.keras`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from lossfw.bridges.autograd_bridge import (
    check_class_axis,
    classes_last,
    refuse_flat,
    trained_form,
)
from lossfw.bridges.jax import double_precision
from lossfw.bridges.keras_look import NO_CLASS, explained, look_while_traced
from lossfw.bridges.keras_weights import counted
from lossfw.components.spaces import SIGN
from lossfw.errors import ArgumentError, ShapeError
from lossfw.losses.array_api import has_values
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, NDArray, is_jax, is_torch

# Backends whose arrays follow the array API.
_BACKENDS = ("jax", "torch", "numpy")


@keras.saving.register_keras_serializable(package="lossfw", name="Loss")
class KerasLoss(keras.losses.Loss):  # type: ignore[misc]  # keras may be missing
    """A loss of lossfw; `lossfw.bridges.keras.loss` makes it and documents it."""

    def __init__(
        self,
        loss: Any,
        name: str | None = None,
        reduction: str = "sum_over_batch_size",
        dtype: Any = None,
        class_axis: int = -1,
        fuse: bool = True,
        check: bool = True,
    ) -> None:
        backend = keras.backend.backend()
        if backend not in _BACKENDS:
            raise ArgumentError(
                f"Keras runs on {backend}, with whose arrays lossfw does not compute: set the "
                "environment variable KERAS_BACKEND to jax or torch before Keras is imported."
            )
        self.loss = refuse_flat(trained_form(loss, fuse=fuse))
        check_class_axis(self.loss, class_axis)
        self.class_axis, self.fuse, self.check = class_axis, fuse, check
        super().__init__(name=name or self.loss.name, reduction=reduction, dtype=dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch, without what a weight of 0 or a mask leaves out."""
        kept = counted(self.loss, self.class_axis, y_pred, sample_weight)
        # Keras converts each array of a structure and hands it to `call`.
        return super().__call__(y_true if kept is None else (y_true, kept), y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss for each row, or for each of its leading axes."""
        loss, kept = self.loss, None
        if isinstance(y_true, tuple):
            y_true, kept = y_true
            kept = kept != 0
        y_pred, target = classes_last(
            loss, self.class_axis, y_pred, y_true, move=keras.ops.moveaxis, by="loss"
        )
        _refuse_one_column(loss, y_pred)
        target = _in_shape(target, y_pred, loss)
        losses = self._unreduced(y_pred, self._in_space(target, y_pred), kept)
        whole = loss.takes_rows or loss.sums_rows or len(losses.shape) < 2
        # Keras's own mean is that of float32.
        return losses if whole else losses.mean(-1)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes the loss from again."""
        return {
            **super().get_config(),
            "loss": self.loss.to_config(),
            "class_axis": self.class_axis,
            "fuse": self.fuse,
            "check": self.check,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.loss!r}, reduction={self.reduction!r})"

    def _in_space(self, target: Any, y_pred: Any) -> Any:
        """Return a target as the loss takes it, of which Keras has made floats."""
        loss, ops = self.loss, keras.ops
        if loss.takes_classes and len(target.shape) < len(y_pred.shape):
            return ops.cast(ops.where(ops.floor(target) == target, target, NO_CLASS), "int32")
        if loss.target_space is SIGN:
            # As Keras's own hinge takes them; 0 itself has no side.
            return ops.where(target == 0, -ops.ones_like(target), target)
        return target

    def _unreduced(self, y: Array, t: Array, kept: Array | None) -> Any:
        if not self.check or _made_up(y, t):
            return self.loss.unchecked(y, t, where=kept, reduction="none")
        if is_jax(y) and not has_values(y):
            look_while_traced(self.loss, y, t, kept)
        with explained(self.loss):
            return self.loss(y, t, where=kept, reduction="none")


def _made_up(y: Array, t: Array) -> bool:
    """Tell whether Keras traces the loss with ones, as on PyTorch if it has to."""
    if not is_torch(y) or y.requires_grad or not has_values(y, t):
        return False
    return bool((y == 1).all()) and bool((t == 1).all())


def _refuse_one_column(loss: Loss, prediction: Any) -> None:
    if loss.takes_classes and len(prediction.shape) == 2 and prediction.shape[-1] == 1:
        raise ShapeError(
            f"{loss.name} takes a column for each class, and the predictions have one: give the "
            "last layer a unit for each class, or choose binary_cross_entropy."
        )


def _in_shape(target: Any, prediction: Any, loss: Loss) -> Any:
    """Return a target of (n,) or (n, 1) in the shape that belongs to the prediction."""
    given, wanted = tuple(target.shape), tuple(prediction.shape)
    per_row = loss.takes_classes or loss.target_per_row
    if per_row and given == (*wanted[:-1], 1) and wanted[-1] != 1:
        return keras.ops.squeeze(target, -1)
    if not loss.takes_rows and given == wanted[:-1] and wanted[-1] == 1:
        return keras.ops.expand_dims(target, -1)
    if not loss.takes_rows and given == (*wanted, 1):
        return keras.ops.squeeze(target, -1)
    return target


def differentiated(
    loss: Loss, y: NDArray, t: NDArray, *, compiled: bool
) -> tuple[NDArray, NDArray]:
    """Return losses and slopes as Keras has them, by its backend."""
    criterion = KerasLoss(loss, reduction="none", dtype=str(y.dtype), fuse=False)
    if not loss.takes_rows and not loss.sums_rows:
        y, t = y[:, None], t[:, None]
    by_backend = _by_jax if keras.backend.backend() == "jax" else _by_torch
    losses, slopes = by_backend(criterion, y, t, compiled)
    return losses, slopes.reshape(losses.shape) if slopes.shape[1:] == (1,) else slopes


def _by_jax(criterion: Any, y: NDArray, t: NDArray, compiled: bool) -> tuple[NDArray, NDArray]:
    import jax

    def both(y: Any) -> Any:
        losses, back = jax.vjp(lambda y: criterion(t, y), y)
        return losses, back(jax.numpy.ones_like(losses))[0]

    with double_precision(y.dtype == np.float64):
        losses, slopes = (jax.jit(both) if compiled else both)(jax.numpy.asarray(y))
    return np.asarray(losses), np.asarray(slopes)


def _by_torch(criterion: Any, y: NDArray, t: NDArray, compiled: bool) -> tuple[NDArray, NDArray]:
    import torch

    prediction = torch.tensor(y, requires_grad=True)
    # Keras compiles a whole training step, and no loss alone.
    losses = criterion(torch.tensor(t), prediction)
    losses.sum().backward()
    return losses.detach().numpy(), prediction.grad.numpy()
