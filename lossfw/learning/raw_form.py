"""A loss of raw predictions, as a boosting library uses it, and the arrays of the library."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from lossfw.components.columns import Columns
from lossfw.components.registry import registry
from lossfw.components.spaces import (
    BINARY,
    CLASS_INDEX,
    SIGN,
    SIMPLEX,
    UNIT,
    Interval,
    Space,
    Vector,
)
from lossfw.errors import ArgumentError, DomainError, ShapeError, UnknownNameError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

_ELSEWHERE: Final = "lossfw.bridges has XGBoost and LightGBM for it, and PyTorch and JAX"

# Targets that are labels, and not numbers.
LABELS: Final = (UNIT, BINARY, SIGN, CLASS_INDEX, SIMPLEX)


def as_loss(loss: Any) -> Loss:
    """Return the loss of a name, of a mapping with a name and parameters, or the loss itself."""
    try:
        found: Loss = registry().create("loss", loss)
    except UnknownNameError as error:
        raise UnknownNameError(
            f"{error} For a class of your own, pass the loss itself, such as MyLoss(); for a saved "
            "model of Keras pass load_model(..., custom_objects={'my_loss': MyLoss})."
        ) from None
    return found


def raw_loss_of(loss: Any, *, wide: bool = False) -> Loss:
    """Return a loss as a function of raw predictions, fused with its activation if it has one.

    Losses of groups, and of rows with named columns, need `wide`: the library must support them.
    """
    given = as_loss(loss)
    why = refusal(given, wide=wide)
    if why is not None:
        raise ArgumentError(why)
    return _raw_form_or_none(given) or given


def refusal(loss: Loss, *, wide: bool = False) -> str | None:
    """Return why a loss cannot be boosted; None if it can. See `raw_loss_of`."""
    form = _raw_form_or_none(loss)
    if form is None:
        return (
            f"{loss.name} takes predictions in {loss.prediction_space}, but a boosting library "
            "predicts any real number: it has no form that takes logits. Choose a loss of the "
            "whole line, or one with an output activation, such as cross_entropy."
        )
    if not wide and form.takes_groups:
        return (
            f"{loss.name} is a loss of groups of rows, but this library does not pass "
            f"groups to a custom objective: {_ELSEWHERE}."
        )
    if not wide and form.has_columns:
        return (
            f"{loss.name} is a loss of rows of several numbers, but this library has one raw "
            f"prediction and one target for a row, or classes: {_ELSEWHERE}."
        )
    if form.takes_rows and not (form.takes_classes or form.has_columns or form.takes_groups):
        return (
            f"{loss.name} takes rows whose targets are not classes, but a boosting library has one "
            "target for each raw prediction, or a class: choose a loss of elements or of classes."
        )
    return zero_gradient_reason(loss)


def zero_gradient_reason(loss: Loss) -> str | None:
    """Return a message if the gradient of a loss is 0 almost everywhere; otherwise None."""
    if not loss.claims().gradient_zero_almost_everywhere:
        return None
    return (
        f"the gradient of {loss.name} is 0 almost everywhere, so no model can be trained on it. "
        "Choose a loss that bounds it from above, such as logistic or hinge for zero_one."
    )


def _raw_form_or_none(loss: Loss) -> Loss | None:
    for form in (loss, loss.on_raw_outputs()):
        if form is not None and _has_any_real(form.prediction_space):
            return form
    return None


def _has_any_real(space: Space) -> bool:
    """Tell whether a space has any real numbers, one by one or in rows."""
    if isinstance(space, Columns):
        return all(map(_has_any_real, space.spaces))
    if isinstance(space, Vector):
        return _has_any_real(space.of_numbers)
    return isinstance(space, Interval) and math.isinf(space.low) and math.isinf(space.high)


def predictions_of(loss: Any, raw: Any) -> NDArray:
    """Convert raw predictions to those the loss was written for, such as probabilities or means.

    Parameters
    ----------
    loss : str, mapping or Loss
    raw : array_like
        Raw predictions of a library, (N,) or (N, K).

    Returns
    -------
    ndarray of float64
        The output activation of `raw`, or `raw` for a loss without an output activation.

    Examples
    --------
    >>> predictions_of("binary_cross_entropy", [0.0, 1.0])
    array([0.5       , 0.73105858])
    >>> predictions_of("huber", [0.0, 1.0])
    array([0., 1.])
    """
    output_activation = as_loss(loss).output_activation
    z = np.asarray(raw, np.float64)
    return (
        z
        if output_activation is None
        else np.asarray(registry().create("activation", output_activation)(z))
    )


class Targets(NamedTuple):
    """Targets (N,) or (N, K) in float64 or float32, or N class indices; weights (N,) in float64.

    `h` has the weighted curvatures if they are the same in each round.
    `group` has the number of each row's group, from 0, for a loss of groups.
    """

    t: NDArray
    w: NDArray | None
    h: NDArray | None = None
    group: NDArray | None = None


class Rows(NamedTuple):
    """Raw predictions (N,) or (N, K), with targets of this shape or N class indices.

    In float64, except for `Targets` of float32. Weights are (N,), or of the groups; for `h` and
    `group` see `Targets`.
    """

    y: NDArray
    t: NDArray
    w: NDArray | None
    h: NDArray | None = None
    group: NDArray | None = None

    def broadcast_weights(self) -> NDArray | float:
        """Return the weights in a shape that multiplies derivatives."""
        if self.w is None:
            return 1.0
        w = self.w if len(self.w) == len(self.y) else self.w[self.group]
        return w if self.y.ndim == 1 else w[:, None]

    def compute(self, loss: Loss, name: str) -> Any:
        """Return the weighted unreduced ``gradient`` or ``hessian``, in the shape of `y`."""
        result = getattr(loss, name)(
            to_members(loss.prediction_space, self.y),
            to_members(loss.target_space, self.t),
            group=self.group,
            sample_weight=self.w,
            reduction="none",
        )
        return result.reshape(self.y.shape)

    def mean(self, loss: Loss) -> float:
        """Return the weighted mean loss."""
        y, t = to_members(loss.prediction_space, self.y), to_members(loss.target_space, self.t)
        return float(loss(y, t, group=self.group, sample_weight=self.w))


def to_members(space: Space, rows: NDArray) -> NDArray:
    """Return flat rows in the shape of the members of a space."""
    if space.axes < 2:
        return rows
    return rows.reshape(len(rows), *space.row_shape(rows.shape[-1]))


def rows_for(loss: Loss, raw: Any, target: Any, weight: Any = None, sizes: Any = None) -> Rows:
    """Return the arrays of a library as a loss takes them; see `targets_for`.

    `Targets`, made once for all rounds of a training, are not checked again; if they are float32,
    float32 raw predictions remain float32.
    """
    # Row by row: LightGBM has raw predictions class by class, and each pass would take longer.
    y = np.asarray(raw, order="C")
    if loss.takes_rows:
        _refuse_no_rows(loss, y)
    known = target
    if not isinstance(known, Targets):
        known = targets_for(loss, target, weight, sizes)
    if not y.dtype == known.t.dtype == np.float32:
        y = y.astype(np.float64, copy=False)
    if not loss.takes_rows and y.ndim == 2 and known.t.ndim == 1 and y.shape[1] == 1:
        y = y[:, 0]
    return Rows(y, known.t, known.w, known.h, known.group)


def targets_for(loss: Loss, target: Any, weight: Any = None, sizes: Any = None) -> Targets:
    """Return targets and weights as a loss takes them; `sizes` are those of groups of rows.

    Labels 0 of a loss of the margin become -1. Labels of a loss of classes become
    integers; libraries keep them as floats.

    Raises
    ------
    DomainError
        If a target is NaN or infinite, or a class is not an integer.
    """
    t = np.asarray(target)
    w = None if weight is None or np.size(weight) == 0 else np.asarray(weight, np.float64)
    if loss.target_space.axes and loss.has_columns:
        found = _targets_of_columns(loss, t)
    elif loss.takes_rows and not loss.has_columns:
        found = _targets_of_rows(loss, t)
    else:
        found = targets_of_elements(loss, t)
    if sizes is not None and not loss.takes_groups and w is not None and len(w) == len(sizes):
        # XGBoost has one weight for each group.
        w = np.repeat(w, sizes)
    return Targets(found, w, group=_row_groups(loss, sizes, len(found)))


def _row_groups(loss: Loss, sizes: Any, rows: int) -> NDArray | None:
    """Return the number of each row's group for a loss of groups."""
    if not loss.takes_groups or (sizes is None and not loss.needs_group):
        return None
    if sizes is None:
        raise ArgumentError(
            f"{loss.name} is a loss of groups, but the data has none: give the data set its "
            "groups, the sizes as group= or, in XGBoost, an id of each row as qid=."
        )
    group = np.repeat(np.arange(len(sizes)), sizes)
    if len(group) != rows:
        raise ShapeError(f"the groups have {len(group)} rows, but the data has {rows}.")
    return group


def _targets_of_columns(loss: Loss, t: NDArray) -> NDArray:
    if t.ndim == 2:
        return t.astype(np.float64, copy=False)
    columns = ", ".join(getattr(loss.target_space, "names", ())) or str(loss.target_space)
    raise ShapeError(
        f"{loss.name} takes targets of several columns ({columns}), but the library has a single "
        "label for each row: give them as target=, an array (N, C), and the number of each row in "
        "it as its label, numpy.arange(N)."
    )


def targets_of_elements(loss: Loss, target: Any) -> NDArray:
    """Return targets in float64; 0 becomes -1 for a loss of the margin."""
    t = as_numbers(target).astype(np.float64, copy=False)
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
    if y.ndim != 2 and loss.has_columns:
        raise ShapeError(
            f"{loss.name} takes several raw predictions for each row, {loss.prediction_space}, but "
            f"got raw predictions of shape {y.shape}. Give the library their number; settings and "
            "train do so."
        )
    if y.ndim != 2:
        raise ShapeError(
            f"{loss.name} takes a row of predictions for each target, but got raw predictions of "
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
    t = as_numbers(target)
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


def raw_output_count(loss: Loss, t: NDArray, classes: int | None) -> int:
    """Return the number of raw predictions of a row; refuse labels beyond them."""
    if loss.has_columns:
        return _columns_in_space(loss, classes)
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
            f"{loss.name} is made for {loss.fixed_classes} classes, but {columns} were given."
        )
    return columns


def _columns_in_space(loss: Loss, given: int | None) -> int:
    """Return the number of raw predictions of a row with named columns, or of a vector."""
    size = loss.prediction_space.size or given
    if size is None:
        raise ArgumentError(
            f"{loss.name} takes any number of raw predictions per row, {loss.prediction_space}: "
            "pass classes= to settings, or num_target (XGBoost) or num_class (LightGBM) among the "
            "parameters."
        )
    loss.prediction_space.check_size(size, "prediction")
    return size


def as_numbers(target: Any) -> NDArray:
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
