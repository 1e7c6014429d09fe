"""The start of a model of several raw predictions a row, such as one for each class."""

from __future__ import annotations

from typing import Final

import numpy as np

from lossfw.bridges.softmax_form import SoftmaxForm, softmax_form
from lossfw.errors import ArgumentError, DomainError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# A class that never occurs has this share, as in LightGBM; its logit would be -inf.
LEAST_SHARE: Final = 1e-15
_STEPS: Final = 200
_CONVERGED: Final = 1e-12


def start_of_rows(loss: Loss, t: NDArray, w: NDArray, classes: int | None) -> NDArray:
    """Return the constant row of least mean loss.

    Parameters
    ----------
    loss : Loss
        Of raw predictions.
    t : ndarray
        Class indices or rows.
    w : ndarray
        A weight for each.
    classes : int or None
        The number of columns; found from the targets if not given.
    """
    columns = columns_of(loss, t, classes)
    form = softmax_form(loss, columns) if t.ndim == 1 and t.dtype.kind in "iu" else None
    if form is not None:
        return _of_shares(form, t, w)
    return _newton(loss, t, w, columns)


def columns_of(loss: Loss, t: NDArray, classes: int | None) -> int:
    """Return the number of raw predictions of a row.

    Raises
    ------
    DomainError
        If a label is no class.
    ArgumentError
        If the number of classes is not that of the loss.
    """
    if t.ndim == 2:
        return int(t.shape[1])
    least, most = int(t.min()), int(t.max())
    columns = classes or loss.fixed_classes or max(most + 1, 2)
    if least < 0 or most >= columns:
        bad = int(np.argmax((t < 0) | (t >= columns)))
        raise DomainError(
            f"target[{bad}] = {t[bad]} is no class: with {columns} classes they are "
            f"0 ... {columns - 1}. Encode labels, for instance with numpy.unique("
            "labels, return_inverse=True)."
        )
    if loss.fixed_classes not in (None, columns):
        raise ArgumentError(
            f"{loss.name} is made for {loss.fixed_classes} classes, and {columns} were given."
        )
    return columns


def _of_shares(form: SoftmaxForm, t: NDArray, w: NDArray) -> NDArray:
    """Return the centred logarithms of the shares of the classes."""
    mass = np.bincount(t, w, len(form.weight)) * form.weight
    shares = (mass @ form.target) / mass.sum()
    z = np.log(np.maximum(shares, LEAST_SHARE))
    centred: NDArray = z - z.mean()
    return centred


def _newton(loss: Loss, t: NDArray, w: NDArray, columns: int) -> NDArray:
    """Return a minimum by diagonal steps, halved until the loss falls."""

    def tiled(z: NDArray) -> NDArray:
        return np.tile(z, (len(t), 1))

    def mean(z: NDArray) -> float:
        return float(loss(tiled(z), t, sample_weight=w))

    z = np.zeros(columns)
    best = mean(z)
    for _ in range(_STEPS):
        slopes = loss.gradient(tiled(z), t, sample_weight=w, reduction="none")
        second = loss.hessian(tiled(z), t, sample_weight=w, reduction="none")
        bends = np.maximum(second, np.abs(slopes)).sum(axis=0)
        step = slopes.sum(axis=0) / np.where(bends > 0, bends, 1.0)
        while np.abs(step).max() > _CONVERGED and not mean(z - step) < best:
            step = 0.5 * step
        if np.abs(step).max() <= _CONVERGED:
            break
        z = z - step
        best = mean(z)
    return z - z.mean() if loss.claims().shift_invariant else z
