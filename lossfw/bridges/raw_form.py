"""A loss of raw predictions, as a boosting library uses it, and the arrays of the library."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from lossfw.bridges.own_losses import with_own_losses
from lossfw.components.registry import registry
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, REAL, SIGN, SIMPLEX, UNIT
from lossfw.errors import ArgumentError, DomainError, ShapeError, UnknownNameError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Targets that are labels, and not numbers.
LABELS: Final = (UNIT, BINARY, SIGN, CLASS_INDEX, SIMPLEX)


def as_loss(loss: Any) -> Loss:
    """Return the loss of a name, of a mapping with a name and parameters, or the loss itself.

    A name that no plugin has may be that of a class of the script; see `own_losses`.
    """
    create = registry().create
    try:
        found: Loss = create("loss", loss)
    except UnknownNameError as error:
        own = with_own_losses(loss)
        if own is loss:
            raise UnknownNameError(
                f"{error} If it is a class of your own, import the module that defines it first."
            ) from None
        found = create("loss", own)
    return found


def raw_form(loss: Any) -> Loss:
    """Return a loss as a function of raw predictions, fused with its link if it has one."""
    given = as_loss(loss)
    why = refusal(given)
    if why is not None:
        raise ArgumentError(why)
    return _unbounded(given) or given


def refusal(loss: Loss) -> str | None:
    """Return why a loss cannot be boosted; None if it can."""
    form = _unbounded(loss)
    if form is None:
        return (
            f"{loss.name} takes predictions in {loss.prediction_space}, and a boosting library "
            "predicts any real number: it has no form that takes logits. Choose a loss of the "
            "whole line, or one with a link, such as cross_entropy."
        )
    if form.takes_rows and not form.takes_classes:
        return (
            f"{loss.name} takes rows whose targets are not classes, and a boosting library has one "
            "target for each raw prediction, or a class: choose a loss of elements or of classes."
        )
    return flat_refusal(loss)


def flat_refusal(loss: Loss) -> str | None:
    """Return that the slope of a loss is 0 almost everywhere; None for any other loss."""
    if not loss.claims().gradient_zero_almost_everywhere:
        return None
    return (
        f"the slope of {loss.name} is 0 almost everywhere, so nothing can be learnt from it. "
        "Choose a loss that bounds it from above, such as logistic or hinge for zero_one."
    )


def _unbounded(loss: Loss) -> Loss | None:
    for form in (loss, loss.on_logits()):
        if form is not None and form.prediction_space in (REAL, LOGITS):
            return form
    return None


def response(loss: Any, raw: Any) -> NDArray:
    """Convert raw predictions to those the loss was written for, such as probabilities or means.

    Parameters
    ----------
    loss : str, mapping or Loss
    raw : array_like
        Raw predictions of a library, (N,) or (N, K).

    Returns
    -------
    ndarray of float64
        The link of the loss at `raw`; `raw` itself for a loss without a link.

    Examples
    --------
    >>> response("binary_cross_entropy", [0.0, 1.0])
    array([0.5       , 0.73105858])
    >>> response("huber", [0.0, 1.0])
    array([0., 1.])
    """
    link = as_loss(loss).link_name
    z = np.asarray(raw, np.float64)
    return z if link is None else np.asarray(registry().create("activation", link)(z))


class Targets(NamedTuple):
    """Targets (N,) or (N, K) in float64 or float32, or N class indices; weights (N,) in float64.

    `h` has the weighted curvatures if they are the same in each round and have been made.
    """

    t: NDArray
    w: NDArray | None
    h: NDArray | None = None


class Rows(NamedTuple):
    """Raw predictions (N,) or (N, K), with targets of this shape or N class indices.

    In float64, except for `Targets` of float32. Weights are (N,); for `h` see `Targets`.
    """

    y: NDArray
    t: NDArray
    w: NDArray | None
    h: NDArray | None = None

    def spread(self) -> NDArray | float:
        """Return the weights in a shape that multiplies derivatives."""
        if self.w is None:
            return 1.0
        return self.w if self.y.ndim == 1 else self.w[:, None]


def rows_for(loss: Loss, raw: Any, target: Any, weight: Any = None) -> Rows:
    """Return the arrays of a library as a loss takes them; see `targets_for`.

    `Targets`, made once for all rounds of a training, are not checked again; where they are
    of float32, raw predictions of float32 stay so.
    """
    # Row by row: LightGBM has raw predictions class by class, and each pass would take longer.
    y = np.asarray(raw, order="C")
    if loss.takes_rows:
        _refuse_no_rows(loss, y)
    known = target if isinstance(target, Targets) else targets_for(loss, target, weight)
    if not y.dtype == known.t.dtype == np.float32:
        y = y.astype(np.float64, copy=False)
    if not loss.takes_rows and y.ndim == 2 and known.t.ndim == 1 and y.shape[1] == 1:
        y = y[:, 0]
    return Rows(y, known.t, known.w, known.h)


def targets_for(loss: Loss, target: Any, weight: Any = None) -> Targets:
    """Return targets and weights as a loss takes them.

    Labels 0 of a loss of the margin become -1. Labels of a loss of classes become
    integers; libraries keep them as floats.

    Raises
    ------
    DomainError
        If a target is NaN or infinite, or a class no whole number.
    """
    t = np.asarray(target)
    w = None if weight is None or np.size(weight) == 0 else np.asarray(weight, np.float64)
    found = _targets_of_rows(loss, t) if loss.takes_rows else targets_of_elements(loss, t)
    return Targets(found, w)


def targets_of_elements(loss: Loss, target: Any) -> NDArray:
    """Return targets in float64; 0 becomes -1 for a loss of the margin."""
    t = numbers(target).astype(np.float64, copy=False)
    refuse_not_finite(t)
    if loss.target_space is SIGN:
        bad = (t != 0.0) & (np.abs(t) != 1.0)
        if bad.any():
            i = int(np.argmax(bad))
            raise DomainError(
                f"target[{i}] = {t.flat[i]:.9g} is not a label of two classes: {loss.name} takes 0 "
                "and 1, or -1 and 1."
            )
        return np.where(t == 0.0, -1.0, t)
    return t


def _refuse_no_rows(loss: Loss, y: NDArray) -> None:
    if y.ndim != 2:
        raise ShapeError(
            f"{loss.name} takes a row of predictions for each target, and got raw predictions of "
            f"shape {y.shape}. Give the library the number of classes, 3 or more; for two classes "
            "choose a loss of single logits, such as binary_cross_entropy."
        )


def _targets_of_rows(loss: Loss, t: NDArray) -> NDArray:
    if t.ndim == 2:
        t = t.astype(np.float64)
        refuse_not_finite(t)
        return t
    return class_indices(loss, t)


def class_indices(loss: Loss, target: Any) -> NDArray:
    """Return labels as integers; refuse other numbers."""
    t = numbers(target)
    if t.dtype.kind in "iu":
        return t
    with np.errstate(invalid="ignore"):
        index = t.astype(np.int64)
    bad = index != t
    if bad.any():
        refuse_not_finite(np.asarray(t, np.float64))
        i = int(np.argmax(bad))
        raise DomainError(
            f"target[{i}] = {t[i]:.9g} is not a class: {loss.name} takes whole numbers from 0."
        )
    return index


def columns_of(loss: Loss, t: NDArray, classes: int | None) -> int:
    """Return the number of raw predictions of a row; refuse labels beyond them."""
    if t.ndim == 2:
        return int(t.shape[1])
    least, most = int(t.min()), int(t.max())
    columns = classes or loss.fixed_classes or max(most + 1, 2)
    if least < 0 or most >= columns:
        bad = int(np.argmax((t < 0) | (t >= columns)))
        raise DomainError(
            f"target[{bad}] = {t[bad]} is not a class: with {columns} classes they are "
            f"0 ... {columns - 1}. Encode labels, for instance with numpy.unique("
            "labels, return_inverse=True)."
        )
    if loss.fixed_classes not in (None, columns):
        raise ArgumentError(
            f"{loss.name} is made for {loss.fixed_classes} classes, and {columns} were given."
        )
    return columns


def numbers(target: Any) -> NDArray:
    """Return targets as an array of numbers, also of objects and strings."""
    t = np.asarray(target)
    if t.dtype.kind not in "OUS":
        return t
    try:
        return t.astype(np.float64)
    except ValueError:
        raise DomainError(
            f"labels are strings, such as {str(t.flat[0])!r}, but a custom objective needs "
            "numbers: encode them with numpy.unique(labels, return_inverse=True)."
        ) from None


def refuse_not_finite(t: NDArray, name: str = "target") -> None:
    """Raise `DomainError` for the first target, or weight, that is NaN or infinite."""
    # One pass: a sum is finite only where everything in it is.
    if np.isfinite(t.sum()):
        return
    bad = ~np.isfinite(t)
    if bad.any():
        i = int(np.argmax(bad.reshape(len(t), -1).any(axis=1)))
        remedy = " and any finite target" if name == "target" else ""
        raise DomainError(
            f"{name}[{i}] = {t[i]} is not finite: leave the row out, or give it weight 0{remedy}."
        )
