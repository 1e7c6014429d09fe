"""Shared by the bridges to boosting libraries: derivatives at raw predictions."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np

from lossfw.errors import ArgumentError, DivergenceError, DomainError, ShapeError
from lossfw.learning.curvature import Rule, constant_curvature, curvature_of, rule_for
from lossfw.learning.raw_form import (
    Rows,
    Targets,
    as_loss,
    predictions_of,
    raw_loss_of,
    rows_for,
    targets_for,
)
from lossfw.learning.start import best_constant
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = ["Derivatives", "TargetTable", "best_constant", "predictions_of"]


class ImmutableObject:
    """An immutable object that is its own copy.

    Libraries copy their parameters, and `sklearn.base.clone` refuses an estimator whose parameter
    is replaced by a copy in its constructor. A pickle leaves out what is computed from the fields.
    """

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> Any:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]  # every subclass is a dataclass


@dataclass(frozen=True)
class Derivatives(ImmutableObject):
    """The gradients and curvatures of a loss at raw predictions, for gradient boosting.

    Parameters
    ----------
    given_loss : Loss
        A loss that can be boosted; see `lossfw.learning.raw_form.raw_form`.
    curvature : {"auto", "exact", "bound", "gradient", "one", "twice", "expected"}
        The rule for the second derivative; see the page on curvature.
    table : TargetTable, optional
        The table of targets, if labels are its row numbers.

    Examples
    --------
    >>> import lossfw
    >>> derivatives = Derivatives(lossfw.loss("huber"))
    >>> derivatives([0.0, 4.0], [0.5, 0.0])
    (array([-0.5,  1. ]), array([1.  , 0.25]))
    """

    given_loss: Loss
    curvature: str = "auto"
    table: TargetTable | None = None

    @property
    def name(self) -> str:
        """The name of the loss that was given."""
        return self.given_loss.name

    @functools.cached_property
    def loss(self) -> Loss:
        """The loss of raw predictions."""
        return raw_loss_of(self.given_loss, wide=True)

    @functools.cached_property
    def rule(self) -> Rule:
        """The rule for the curvature of this loss."""
        return rule_for(self.loss, self.curvature)

    def prepare_targets(
        self, target: Any, weight: Any = None, sizes: Any = None, *, narrow: bool = False
    ) -> Targets:
        """Return targets and weights in the form that the loss takes, for all rounds of a training.

        For a library that keeps everything in float32, `narrow` also computes in float32 if the
        loss writes its own derivatives, which are right in float32.
        """
        found = targets_for(self.loss, self.look_up_targets(target), weight, sizes)
        if narrow and self.rule == "exact" and found.t.dtype == np.float64:
            found = found._replace(t=found.t.astype(np.float32))
        is_plain = not (self.loss.takes_rows or self.loss.has_columns or self.loss.takes_groups)
        if constant_curvature(self.loss, self.rule) is None or not is_plain:
            return found
        # The same for any predictions, and so for the targets in their place.
        curvatures = curvature_of(self.loss, self.rule, Rows(found.t, found.t, found.w), found.t)
        return found._replace(h=curvatures.astype(found.t.dtype, copy=False))

    def look_up_targets(self, labels: Any) -> Any:
        """Return the targets of labels: rows of the table, if there is one."""
        return labels if self.table is None else self.table.rows(labels)

    def prepare_rows(self, raw: Any, target: Any, weight: Any = None, sizes: Any = None) -> Rows:
        """Return the arrays of a library in the form that the loss takes."""
        if not isinstance(target, Targets):
            target = self.look_up_targets(target)
        return rows_for(self.loss, raw, target, weight, sizes)

    def __call__(
        self,
        raw: Any,
        target: Any,
        weight: Any = None,
        sizes: Any = None,
        *,
        softmax_factor: float = 1.0,
    ) -> tuple[NDArray, NDArray]:
        """Return the weighted gradients and curvatures, in the shape of the raw predictions.

        Parameters
        ----------
        raw : array_like
            (N,) or (N, K).
        target : array_like or Targets
            (N,); (N, K) for several outputs. `targets` makes the other one, with the weights.
        weight : array_like, optional
            (N,); for a loss of groups one for each group, or the same in a group.
        sizes : array_like, optional
            How many rows each group has, in their order.
        softmax_factor : float
            What the library itself multiplies the curvature of softmax by.

        Raises
        ------
        DomainError, ShapeError
            For a target outside the space of the loss, or of another shape.
        DivergenceError
            For the first row without finite derivatives.
        """
        rows = self.prepare_rows(raw, target, weight, sizes)
        # Numbers that are not finite raise an error below, in place of a warning of NumPy.
        with np.errstate(all="ignore"):
            gradients = rows.compute(self.loss, "gradient")
            curvatures = curvature_of(self.loss, self.rule, rows, gradients, softmax_factor)
            # A sum is finite only where everything in it is, and 0 where all is 0: one pass
            # is spared where it is neither.
            gradient = np.add.reduce(gradients, axis=None)
            finite = np.isfinite(gradient + np.add.reduce(curvatures, axis=None))
            if self.loss.takes_groups:
                # A row that does not count in its group has derivatives all the same.
                finite = finite and np.isfinite(rows.y).all()
        if not finite:
            self._refuse_not_finite(rows, gradients, curvatures)
        if gradient == 0.0 and not gradients.any() and _has_different(rows.t):
            warnings.warn(
                f"every gradient of {self.name} is 0: the model does not change. If training has "
                "just begun, it began on a kink or a plateau: set another start.",
                RuntimeWarning,
                stacklevel=3,
            )
        return gradients, curvatures

    def mean(self, raw: Any, target: Any, weight: Any = None, sizes: Any = None) -> float:
        """Return the weighted mean loss."""
        return self.prepare_rows(raw, target, weight, sizes).mean(self.loss)

    def _refuse_not_finite(self, rows: Rows, gradients: NDArray, curvatures: NDArray) -> None:
        good = np.isfinite(gradients) & np.isfinite(curvatures)
        if not np.isfinite(rows.y).all():
            # In a group such a row spoils the derivatives of others.
            good = np.isfinite(rows.y)
        if good.all():
            return
        i = int(np.argmin(good.reshape(len(good), -1).all(axis=1)))
        raise DivergenceError(
            f"{self.name} at row {i} has the raw prediction {rows.y[i]} and the target "
            f"{rows.t[i]}, where the gradient is {gradients[i]} and the curvature {curvatures[i]}. "
            "A smaller learning rate keeps predictions finite, "
            'and so does another curvature, "bound" or "gradient".'
        )


@dataclass(frozen=True, eq=False)
class TargetTable(ImmutableObject):
    """Targets of several columns, whose row numbers are the labels of a data set.

    A data set has one label for each row, and a target such as a time and an event has two numbers.
    The library treats row numbers like any labels: it may leave rows out, reorder them, or hold
    some out.

    Examples
    --------
    >>> TargetTable(np.asarray([[5.0, 1.0], [8.0, 0.0]])).rows([1.0, 0.0])
    array([[8., 0.],
           [5., 1.]])
    """

    targets: NDArray

    def rows(self, labels: Any) -> NDArray:
        """Return the targets with these numbers."""
        labels = np.asarray(labels)
        with np.errstate(invalid="ignore"):
            index = labels.astype(np.int64)
        bad = (index != labels) | (index < 0) | (index >= len(self.targets))
        if labels.ndim != 1 or bad.any():
            first = np.ravel(labels[bad])[0] if bad.any() else labels.shape
            raise DomainError(
                f"a label is {first}, and not the number of a row of target, 0 .. "
                f"{len(self.targets) - 1}: give numpy.arange(N) as labels."
            )
        found: NDArray = self.targets[index]
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TargetTable) and np.array_equal(
            self.targets, other.targets, equal_nan=True
        )

    def __hash__(self) -> int:
        return hash(self.targets.tobytes())


def labels_of(target: NDArray, raw_loss: Loss) -> tuple[NDArray, NDArray | None]:
    """Return the labels of targets, and the table of targets if labels are row numbers."""
    if raw_loss.has_columns and raw_loss.target_space.axes:
        return np.arange(len(target)), target
    return target, None


def derivatives(
    loss: Any, curvature: str = "auto", *, target: Any = None, wide: bool = False
) -> Derivatives:
    """Return the derivatives of a loss; errors are raised now and not in a training.

    `target` makes a `TargetTable`; for `wide` see `lossfw.learning.raw_form.raw_form`.
    """
    given = as_loss(loss)
    raw_loss_of(given, wide=wide)
    table = None if target is None else TargetTable(np.asarray(target))
    found = Derivatives(given, curvature, table)
    # Both are computed on first use, and refuse what cannot be used.
    _ = found.loss, found.rule
    return found


def _has_different(target: NDArray) -> bool:
    """Tell whether not all targets are the same; a constant is the start alone."""
    return bool((target != target[:1]).any())


# A row that asks for a smaller step than this, relative to the start, stays where it is.
_LEAST_STEP = 1e-6
# What one row can tell is looked for here, before all rows are asked.
FIRST_ROWS: Final = 1000


def has_zero_gradients(
    derivatives: Derivatives, start: Any, target: Any, weight: Any = None
) -> bool:
    """Tell whether the gradient is 0 for every row at a start: a kink or a plateau.

    For a loss of groups the answer is no: its start is 0.
    """
    if derivatives.loss.takes_groups:
        return False
    t, w = np.asarray(target), None if weight is None else np.asarray(weight)
    # One row that moves is enough, and mostly stands among the first.
    first = slice(FIRST_ROWS)
    if not _takes_no_step(derivatives, start, t[first], w if w is None else w[first]):
        return False
    return len(t) <= FIRST_ROWS or _takes_no_step(derivatives, start, t, w)


def _takes_no_step(
    derivatives: Derivatives, start: Any, target: NDArray, weight: NDArray | None
) -> bool:
    size = target.shape[:1] + np.shape(start)
    with warnings.catch_warnings():
        # What the caller says of it is more.
        warnings.simplefilter("ignore", RuntimeWarning)
        gradients, curvatures = derivatives(np.broadcast_to(start, size), target, weight)
    return bool((np.abs(gradients) <= _LEAST_STEP * (1.0 + np.abs(start)) * curvatures).all())


def training_start(
    derivatives: Derivatives, target: Any, weight: Any, given_start: Any, columns: int | None
) -> NDArray:
    """Return the start of a training: the given one, or that of least mean loss."""
    if given_start is None:
        least = best_constant(
            derivatives.given_loss, derivatives.look_up_targets(target), weight, classes=columns
        )
        refuse_dead_start(derivatives, least, target, weight)
        return np.asarray(least, np.float64)
    init_score = np.asarray(given_start, np.float64)
    shape = () if columns is None else (columns,)
    if init_score.shape not in ((), shape):
        raise ShapeError(
            f"start={given_start!r} has the shape {init_score.shape}: give one number"
            + ("." if columns is None else f", or {columns}, one for each class.")
        )
    return np.broadcast_to(init_score, shape)


def refuse_dead_start(derivatives: Derivatives, start: Any, target: Any, weight: Any) -> None:
    """Raise `ArgumentError` if all gradients are 0 at the start, although targets differ."""
    if not _has_different(np.asarray(target)):
        return
    if has_zero_gradients(derivatives, start, target, weight):
        raise ArgumentError(
            f"training cannot leave the start of {derivatives.name} for these targets, {start}: "
            "the gradient is 0 there for every row. Give another start, such as 0.5, or a loss "
            "as wide as the targets."
        )
