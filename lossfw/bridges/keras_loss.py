"""The class of losses of Keras, which must be imported for it; see `lossfw.bridges.keras`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from lossfw.bridges.autograd_bridge import refuse_flat, trained_form
from lossfw.bridges.jax import double_precision
from lossfw.components.spaces import SIGN
from lossfw.errors import ArgumentError, ShapeError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

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
        fuse: bool = True,
    ) -> None:
        backend = keras.backend.backend()
        if backend not in _BACKENDS:
            raise ArgumentError(
                f"Keras runs on {backend}, with whose arrays lossfw does not compute: set the "
                "environment variable KERAS_BACKEND to jax or torch before Keras is imported."
            )
        self.loss = refuse_flat(trained_form(loss, fuse=fuse))
        self.fuse = fuse
        super().__init__(name=name or self.loss.name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss for each row, or for each of its leading axes."""
        loss = self.loss
        _refuse_one_column(loss, y_pred)
        target = _in_shape(y_true, y_pred, loss)
        if loss.takes_classes and len(target.shape) < len(y_pred.shape):
            # Keras makes everything floats.
            target = keras.ops.cast(target, "int32")
        if loss.target_space is SIGN:
            # As Keras's own hinge takes them; 0 itself has no side.
            target = keras.ops.where(target == 0, -keras.ops.ones_like(target), target)
        losses = loss.unchecked(y_pred, target, reduction="none")
        whole = loss.takes_rows or loss.sums_rows or len(losses.shape) < 2
        # Keras's own mean is that of float32.
        return losses if whole else losses.mean(-1)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes the loss from again."""
        return {**super().get_config(), "loss": self.loss.to_config(), "fuse": self.fuse}


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
