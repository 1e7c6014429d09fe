"""What counts in a batch of Keras: rows of a weight other than 0 that no mask leaves out."""

from __future__ import annotations

from typing import Any

import keras
from keras.src.backend import get_keras_mask  # Keras has no public name for it

from lossfw.losses.loss import Loss


def counted(loss: Loss, class_axis: int, prediction: Any, sample_weight: Any) -> Any:
    """Return which losses of a batch count, in the shape of the unreduced loss of lossfw.

    None where all do. Keras multiplies by the weights what is already computed, so that a NaN
    would stay one.

    Parameters
    ----------
    loss : Loss
    class_axis : int
        The axis of the classes of a loss of rows.
    prediction : array
        Its mask of Keras is looked for.
    sample_weight : array_like or None
    """
    given = [x for x in (sample_weight, get_keras_mask(prediction)) if x is not None]
    shape = list(prediction.shape)
    if not given or (loss.takes_rows and not -len(shape) <= class_axis < len(shape)):
        return None
    if loss.takes_rows:
        del shape[class_axis]
    elif loss.sums_rows or len(shape) > 1:
        del shape[-1]
    kept = None
    for x in given:
        counts = _in_shape(x, tuple(shape))
        if counts is not None:
            kept = counts if kept is None else kept & counts
    if kept is None or loss.takes_rows or loss.sums_rows or len(prediction.shape) < 2:
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
