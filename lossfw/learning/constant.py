"""The constant prediction of least mean loss, which a model has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.learning.raw_form import predictions_of, raw_loss_of
from lossfw.learning.start import best_constant
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray


def constant_prediction(
    loss: Loss, target: Any, sample_weight: Any = None, *, classes: int | None = None
) -> NDArray:
    """Return the constant prediction of least mean loss: the activation of `best_constant`.

    Parameters
    ----------
    loss : Loss
    target : array_like
        (N,); for several outputs (N, K).
    sample_weight : array_like, optional
        (N,).
    classes : int, optional
        The number of classes, for a loss of rows.

    Returns
    -------
    ndarray
        A number, or a row of them.

    Raises
    ------
    ArgumentError
        If none is known.

    Examples
    --------
    >>> import lossfw
    >>> constant_prediction(lossfw.loss("absolute_error"), [1.0, 2.0, 9.0])
    array(2.)
    >>> constant_prediction(lossfw.loss("cross_entropy"), [0, 0, 0, 1]).round(12)
    array([0.75, 0.25])
    """
    if loss.takes_groups:
        raise ArgumentError(
            f"{loss.name} compares the rows of a group, and a constant makes them all equal."
        )
    form = raw_loss_of(loss, wide=True)
    raw = np.asarray(best_constant(loss, target, sample_weight, classes=classes), np.float64)
    found = raw if form == loss else predictions_of(loss, np.atleast_2d(raw)).reshape(raw.shape)
    if not np.isfinite(found).all():
        raise ArgumentError(f"no finite constant has the least loss {loss.name} on these targets.")
    return np.asarray(found)
