"""Softmax cross-entropy in any dress: its table of class weights and target rows.

A loss of rows has this form if, for class k, its gradient is c[k] (softmax(z) - q[k]) and the
diagonal of its Hessian c[k] p (1 - p): cross-entropy, with label smoothing, class weights
or a factor, of lossfw or of a third party. The whole Hessian is then known, c[k] (diag(p) -
p p'), and so are the curvatures that libraries have of their own for it.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.numerics import softmax
from lossfw.numerics.arrays import NDArray

# How far gradients may be from the form, relative to its weight: rounding of a few operations.
_TOLERANCE = 1e-10


class SoftmaxForm(NamedTuple):
    """The table of a softmax cross-entropy: c, one for each class, and q, a row for each class."""

    weight: NDArray
    target: NDArray

    @property
    def is_plain(self) -> bool:
        """Whether each class is its own target, without label smoothing."""
        off = np.abs(self.target - np.eye(len(self.weight)))
        return bool((off <= _TOLERANCE).all())


@functools.lru_cache(maxsize=64)
def softmax_form(loss: Loss, classes: int) -> SoftmaxForm | None:
    """Return the table of a loss for a number of classes; None if it has not this form."""
    if not (loss.takes_classes and loss.output_activation == "softmax" and classes > 1):
        return None
    index = np.arange(classes)
    # Two rows of logits with nothing in common: the first makes the table, the second tries it.
    here, there = (np.tile(np.sin(a * (index + 1.0)), (classes, 1)) for a in (1.0, 2.3))
    try:
        form = _make_table(loss, here, index)
        return form if _is_softmax_form(loss, form, there, index) else None
    except LossfwError:
        # A loss whose number of classes is fixed takes no other.
        return None


def _make_table(loss: Loss, z: NDArray, index: NDArray) -> SoftmaxForm:
    gradients, curvatures = _derivatives(loss, z, index)
    p = softmax(np, z)
    weight = curvatures.sum(axis=1) / (p * (1.0 - p)).sum(axis=1)
    # Without class weights it is 1, but for rounding.
    weight[np.abs(weight - 1.0) <= _TOLERANCE] = 1.0
    with np.errstate(all="ignore"):
        return SoftmaxForm(weight, p - gradients / weight[:, None])


def _is_softmax_form(loss: Loss, form: SoftmaxForm, z: NDArray, index: NDArray) -> bool:
    gradients, curvatures = _derivatives(loss, z, index)
    p, c = softmax(np, z), form.weight[:, None]
    off = np.maximum(
        np.abs(gradients - c * (p - form.target)), np.abs(curvatures - c * p * (1.0 - p))
    )
    return bool((form.weight > 0).all() and (off <= _TOLERANCE * c).all())


def _derivatives(loss: Loss, z: NDArray, index: NDArray) -> tuple[NDArray, NDArray]:
    gradients = loss.gradient(z, index, reduction="none")
    return gradients, loss.hessian(z, index, reduction="none")
