"""What counts in a batch of Keras: rows of a weight other than 0 that no mask leaves out."""

from __future__ import annotations

import functools
import operator
from typing import Any

import keras
from keras.src.backend import get_keras_mask  # Keras has no public name for it

from lossfw.losses.loss import Loss


def counted(loss: Loss, class_axis: int, prediction: Any, sample_weight: Any) -> Any:
    """Return which losses of a batch count, in the shape of the unreduced loss of lossfw.

    None where all do. Keras multiplies the losses by the weights afterwards, so a NaN would stay
    one. A mask of Keras is an attribute of the prediction.
    """
    given = [x for x in (sample_weight, get_keras_mask(prediction)) if x is not None]
    shape = list(prediction.shape)
    if not given or (loss.takes_rows and not -len(shape) <= class_axis < len(shape)):
        return None
    averaged = not (loss.takes_rows or loss.sums_rows) and len(shape) > 1
    if loss.takes_rows:
        del shape[class_axis]
    elif loss.sums_rows or averaged:
        del shape[-1]
    found = [one for x in given if (one := _in_shape(x, tuple(shape))) is not None]
    if not found:
        return None
    kept = functools.reduce(operator.and_, found)
    if not averaged:
        return kept
    return keras.ops.broadcast_to(keras.ops.expand_dims(kept, -1), prediction.shape)


def _in_shape(given: Any, shape: tuple[int, ...]) -> Any:
    """Return whether each loss of Keras counts; None where Keras has to say what does not fit."""
    counts = keras.ops.convert_to_tensor(given) != 0
    found = tuple(counts.shape)
    if found == (*shape, 1):
        return keras.ops.squeeze(counts, -1)
    if (*found, 1) == shape:
        return keras.ops.expand_dims(counts, -1)
    return counts if found == shape else None
