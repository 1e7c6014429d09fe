"""The Keras class of losses, which requires Keras; see `lossfw.bridges.keras`."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import keras
import numpy as np
from keras.src.backend import get_keras_mask  # Keras has no public name for it

from lossfw.bridges import jax as jax_bridge
from lossfw.bridges import torch as torch_bridge
from lossfw.bridges.network_loss import check_class_axis, classes_last, trainable_loss
from lossfw.components.spaces import SIGN, SIMPLEX, UNIT, Interval, Space
from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.losses.array_api import has_values
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, NDArray, is_torch

# Backends whose arrays follow the array API.
_BACKENDS = ("jax", "torch", "numpy")

# In place of a label that is not a whole number: a number that is not a class, and that no one
# chooses for a label to leave out.
_NO_CLASS: Final = -(2**31)


@keras.saving.register_keras_serializable(package="lossfw", name="Loss")
class KerasLoss(keras.losses.Loss):  # type: ignore[misc]  # keras may be missing
    """A lossfw loss; `lossfw.bridges.keras.loss` makes and documents it."""

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
                f"the Keras backend {backend} is not supported: set the environment variable "
                "KERAS_BACKEND to jax or torch before Keras is imported."
            )
        self.loss = trainable_loss(_resolve_custom_objects(loss), fuse=fuse)
        check_class_axis(self.loss, class_axis)
        self.class_axis, self.fuse, self.check = class_axis, fuse, check
        super().__init__(name=name or self.loss.name, reduction=reduction, dtype=dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch, without what a weight of 0 or a mask leaves out."""
        kept = _counting_mask(self.loss, self.class_axis, y_pred, sample_weight)
        # Keras converts each array of a structure and hands it to `call`.
        return super().__call__(y_true if kept is None else (y_true, kept), y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per row, or per element of its leading axes."""
        loss, kept = self.loss, None
        if loss.takes_groups:
            return self._group_losses(y_true, y_pred)
        if isinstance(y_true, tuple):
            y_true, kept = y_true
            kept = kept != 0
        y_pred, target = classes_last(
            loss, self.class_axis, y_pred, y_true, move=keras.ops.moveaxis, by="loss"
        )
        _refuse_one_column(loss, y_pred)
        target = _fit_target_shape(target, y_pred, loss)
        losses = self._unreduced_loss(y_pred, self._fit_target_space(target, y_pred), kept)
        whole = loss.takes_rows or loss._sums_rows or len(losses.shape) < 2
        # Keras's own mean is that of float32.
        return losses if whole else losses.mean(-1)

    def _group_losses(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss for each line of a batch; labels may come with a mask of their rows."""
        target, kept = y_true, None
        if isinstance(y_true, dict):
            if set(y_true) != {"labels", "mask"}:
                raise ArgumentError(
                    f"y_true has the keys {', '.join(map(str, y_true))}; expected labels and mask."
                )
            target, kept = y_true["labels"], y_true["mask"] != 0
            if self.loss.neutral is None:
                raise ArgumentError(
                    f"{self.loss.name} has no neutral row, so that its groups cannot be filled up: "
                    "give batches of groups of one size without a mask."
                )
        is_traced = not has_values(y_pred, target)
        if not self.check or is_traced or _is_traced_with_ones(y_pred, target):
            return self.loss.unchecked(y_pred, target, where=kept, reduction="none")
        with _explain_domain_errors(self.loss):
            return self.loss(y_pred, target, where=kept, reduction="none")

    def get_config(self) -> dict[str, Any]:
        """Return the configuration from which `from_config` rebuilds the loss."""
        return {
            **super().get_config(),
            "loss": self.loss.to_config(),
            "class_axis": self.class_axis,
            "fuse": self.fuse,
            "check": self.check,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.loss!r}, reduction={self.reduction!r})"

    def _fit_target_space(self, target: Any, y_pred: Any) -> Any:
        """Return a target as the loss takes it, of which Keras has made floats."""
        loss, ops = self.loss, keras.ops
        if loss.takes_classes and len(target.shape) < len(y_pred.shape):
            return ops.cast(ops.where(ops.floor(target) == target, target, _NO_CLASS), "int32")
        if loss.target_space is SIGN:
            # As Keras's own hinge takes them; 0 itself has no side.
            return ops.where(target == 0, -ops.ones_like(target), target)
        return target

    def _unreduced_loss(self, y: Array, t: Array, mask: Array | None) -> Any:
        if not self.check or _is_traced_with_ones(y, t):
            return self.loss.unchecked(y, t, where=mask, reduction="none")
        with _explain_domain_errors(self.loss):
            return self.loss(y, t, where=mask, reduction="none")


@contextmanager
def _explain_domain_errors(loss: Loss) -> Iterator[None]:
    """Add to an error of a value outside of its space what to do in Keras."""
    try:
        yield
    except DomainError as error:
        message = re.sub(f"= {_NO_CLASS} is no(t a)? class", "is not a whole number", str(error))
        activation = _suggest_activation(loss.prediction_space)
        if message.startswith("prediction") and activation:
            message += f" With activation={activation!r} in the last layer they lie inside."
        raise DomainError(
            f"{message} To train without this check, pass check=False to bridge.loss."
        ) from None


def _suggest_activation(space: Space) -> str:
    """Return an activation of Keras whose results lie in a space; empty if none is known."""
    if space == SIMPLEX:
        return "softmax"
    if space == UNIT:
        return "sigmoid"
    above = isinstance(space, Interval) and -np.inf < space.low <= 0 and space.high == np.inf
    return "softplus" if above else ""


def _resolve_custom_objects(spec: Any) -> Any:
    """Return a specification with losses in place of what names classes that Keras was given."""
    if isinstance(spec, list | tuple):
        return [_resolve_custom_objects(part) for part in spec]
    if not isinstance(spec, Mapping):
        return spec
    parts = {key: _resolve_custom_objects(part) for key, part in spec.items()}
    cls = keras.saving.get_registered_object(str(spec.get("name")))
    if not (isinstance(cls, type) and issubclass(cls, Loss)):
        return parts
    return cls(**{key: part for key, part in parts.items() if key != "name"})


def _is_traced_with_ones(y: Array, t: Array) -> bool:
    """Tell whether Keras traces the loss with ones, as on PyTorch if it has to."""
    if not is_torch(y) or y.requires_grad or not has_values(y, t):
        return False
    return bool((y == 1).all()) and bool((t == 1).all())


def _refuse_one_column(loss: Loss, prediction: Any) -> None:
    if loss.takes_classes and len(prediction.shape) == 2 and prediction.shape[-1] == 1:
        raise ShapeError(
            f"{loss.name} takes a column for each class, but the predictions have one column: give "
            "the last layer one unit per class, or choose binary_cross_entropy."
        )


def _fit_target_shape(target: Any, prediction: Any, loss: Loss) -> Any:
    """Return a target of (n,) or (n, 1) in the shape that belongs to the prediction."""
    shape, expected_shape = tuple(target.shape), tuple(prediction.shape)
    per_row = loss.takes_classes or (loss.takes_rows and not loss._takes_target_rows)
    if per_row and shape == (*expected_shape[:-1], 1) and expected_shape[-1] != 1:
        return keras.ops.squeeze(target, -1)
    if not loss.takes_rows and shape == expected_shape[:-1] and expected_shape[-1] == 1:
        return keras.ops.expand_dims(target, -1)
    if not loss.takes_rows and shape == (*expected_shape, 1):
        return keras.ops.squeeze(target, -1)
    return target


def _counting_mask(loss: Loss, class_axis: int, prediction: Any, sample_weight: Any) -> Any:
    """Return which losses of a batch count, in the shape of the unreduced loss of lossfw.

    None where all do. Keras multiplies the losses by the weights afterwards, so a NaN would stay
    one. A mask of Keras is an attribute of the prediction.
    """
    given = [x for x in (sample_weight, get_keras_mask(prediction)) if x is not None]
    if loss.takes_groups:
        return None  # Labels bring a mask of their own.
    shape = list(prediction.shape)
    if not given or (loss.takes_rows and not -len(shape) <= class_axis < len(shape)):
        return None
    averaged = not (loss.takes_rows or loss._sums_rows) and len(shape) > 1
    if loss.takes_rows:
        del shape[class_axis]
    elif loss._sums_rows or averaged:
        del shape[-1]
    found = [one for x in given if (one := _fit_counts_shape(x, tuple(shape))) is not None]
    if not found:
        return None
    kept = functools.reduce(operator.and_, found)
    if not averaged:
        return kept
    return keras.ops.broadcast_to(keras.ops.expand_dims(kept, -1), prediction.shape)


def _fit_counts_shape(counts_given: Any, shape: tuple[int, ...]) -> Any:
    """Return whether each loss of Keras counts; None where Keras has to say what does not fit."""
    counts = keras.ops.convert_to_tensor(counts_given) != 0
    found = tuple(counts.shape)
    if found == (*shape, 1):
        return keras.ops.squeeze(counts, -1)
    if (*found, 1) == shape:
        return keras.ops.expand_dims(counts, -1)
    return counts if found == shape else None


def differentiate(loss: Loss, y: NDArray, t: NDArray, *, compiled: bool) -> tuple[NDArray, NDArray]:
    """Return losses and gradients by Keras's backend."""
    criterion = KerasLoss(loss, reduction="none", dtype=str(y.dtype), fuse=False)
    if not loss.takes_rows and not loss._sums_rows:
        y, t = y[:, None], t[:, None]
    if keras.backend.backend() == "jax":
        losses, gradients = jax_bridge.differentiate(
            lambda y: criterion(t, y), y, compiled=compiled
        )
    else:
        # Keras compiles a whole training step, and no loss alone.
        target = torch_bridge.TorchBridge.imported().tensor(t)
        losses, gradients = torch_bridge.differentiate(lambda y: criterion(target, y), y)
    return losses, gradients.reshape(losses.shape) if gradients.shape[1:] == (1,) else gradients
