"""What the bridges of boosting libraries share: raw predictions in, derivatives out."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np

from lossfw.bridges.curvature import Rule, constant_curvature, curvature_of, rule_for
from lossfw.bridges.raw_form import (
    Rows,
    Targets,
    as_loss,
    raw_form,
    response,
    rows_for,
    targets_for,
)
from lossfw.bridges.start import start
from lossfw.errors import ArgumentError, DivergenceError, ShapeError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = ["Derivatives", "response", "start"]


class Frozen:
    """An immutable object, whose copy is itself.

    Libraries copy their parameters, and `sklearn.base.clone` refuses an estimator whose
    parameter is replaced by a copy in its constructor. What is computed of the fields is kept
    out of a pickle.
    """

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> Any:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]  # every subclass is a dataclass


@dataclass(frozen=True)
class Derivatives(Frozen):
    """The slopes and curvatures of a loss at raw predictions.

    Parameters
    ----------
    given_loss : Loss
        A loss that can be boosted; see `lossfw.bridges.raw_form.raw_form`.
    curvature : {"auto", "exact", "bound", "slope", "one"}
        What takes the place of the second derivative; see the how-to page.

    Examples
    --------
    >>> import lossfw
    >>> derivatives = Derivatives(lossfw.loss("huber"))
    >>> derivatives([0.0, 4.0], [0.5, 0.0])
    (array([-0.5,  1. ]), array([1.  , 0.25]))
    """

    given_loss: Loss
    curvature: str = "auto"

    @property
    def of(self) -> Loss:
        """The former name of `given_loss`."""
        warnings.warn("Derivatives.of is given_loss now", DeprecationWarning, stacklevel=2)
        return self.given_loss

    @property
    def name(self) -> str:
        """The name of the loss that was given."""
        return self.given_loss.name

    @functools.cached_property
    def loss(self) -> Loss:
        """The loss of raw predictions."""
        return raw_form(self.given_loss)

    @functools.cached_property
    def rule(self) -> Rule:
        """What the curvature is for this loss."""
        return rule_for(self.loss, self.curvature)

    def targets(self, target: Any, weight: Any = None, *, narrow: bool = False) -> Targets:
        """Return targets and weights as the loss takes them, for all rounds of a training.

        For a library that keeps everything in float32, `narrow` also computes in it where
        the derivatives are those that the loss publishes, which are right in float32.
        """
        found = targets_for(self.loss, target, weight)
        if narrow and self.rule == "exact" and found.t.dtype == np.float64:
            found = found._replace(t=found.t.astype(np.float32))
        if constant_curvature(self.loss, self.rule) is None or self.loss.takes_rows:
            return found
        # The same for any predictions, and so for the targets in their place.
        curvatures = curvature_of(self.loss, self.rule, Rows(found.t, found.t, found.w), found.t)
        return found._replace(h=curvatures.astype(found.t.dtype, copy=False))

    def rows(self, raw: Any, target: Any, weight: Any = None) -> Rows:
        """Return the arrays of a library as the loss takes them."""
        return rows_for(self.loss, raw, target, weight)

    def __call__(
        self, raw: Any, target: Any, weight: Any = None, *, softmax_factor: float = 1.0
    ) -> tuple[NDArray, NDArray]:
        """Return the weighted slopes and curvatures, in the shape of the raw predictions.

        Parameters
        ----------
        raw : array_like
            (N,) or (N, K).
        target : array_like or Targets
            (N,); (N, K) for several outputs. `targets` makes the other one, with the weights.
        weight : array_like, optional
            (N,).
        softmax_factor : float
            What the library itself multiplies the curvature of softmax by.

        Raises
        ------
        DomainError, ShapeError
            For a target outside the space of the loss, or of another shape.
        DivergenceError
            For the first row without finite derivatives.
        """
        rows = self.rows(raw, target, weight)
        # Numbers that are not finite raise an error below, in place of a warning of NumPy.
        with np.errstate(all="ignore"):
            slopes = self.loss.gradient(rows.y, rows.t, sample_weight=rows.w, reduction="none")
            bends = curvature_of(self.loss, self.rule, rows, slopes, softmax_factor)
            # A sum is finite only where everything in it is, and 0 where all is 0: one pass
            # is spared where it is neither.
            slope = np.add.reduce(slopes, axis=None)
            finite = np.isfinite(slope + np.add.reduce(bends, axis=None))
        if not finite:
            self._refuse_not_finite(rows, slopes, bends)
        if slope == 0.0 and not slopes.any() and _differ(rows.t):
            warnings.warn(
                f"every slope of {self.name} is 0: the model stays as it is. If training has "
                "just begun, it began on a kink or a flat piece: set another start.",
                RuntimeWarning,
                stacklevel=3,
            )
        return slopes, bends

    def mean(self, raw: Any, target: Any, weight: Any = None) -> float:
        """Return the weighted mean loss."""
        rows = self.rows(raw, target, weight)
        return float(self.loss(rows.y, rows.t, sample_weight=rows.w))

    def _refuse_not_finite(self, rows: Rows, slopes: NDArray, bends: NDArray) -> None:
        good = np.isfinite(slopes) & np.isfinite(bends)
        if good.all():
            return
        i = int(np.argmin(good.reshape(len(good), -1).all(axis=1)))
        raise DivergenceError(
            f"{self.name} at row {i} has the raw prediction {rows.y[i]} and the target "
            f"{rows.t[i]}, and there the slope {slopes[i]} and the curvature {bends[i]}. A smaller "
            'learning rate keeps predictions finite, and so does another curvature, "bound" or '
            '"slope".'
        )


def derivatives(loss: Any, curvature: str = "auto") -> Derivatives:
    """Return the derivatives of a loss; errors are raised now and not in a training."""
    found = Derivatives(as_loss(loss), curvature)
    # Both are computed on first use, and refuse what cannot be used.
    _ = found.loss, found.rule
    return found


def _differ(target: NDArray) -> bool:
    """Tell whether not all targets are the same, which are learnt by the start."""
    return bool((target != target[:1]).any())


# A row that asks for a smaller step than this, relative to the start, stays where it is.
_LEAST_STEP = 1e-6
# What one row can tell is looked for here, before all rows are asked.
FIRST_ROWS: Final = 1000


def is_dead(derivatives: Derivatives, start: Any, target: Any, weight: Any = None) -> bool:
    """Tell whether the gradient is 0 for every row at a start: a kink or a plateau."""
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
        slopes, bends = derivatives(np.broadcast_to(start, size), target, weight)
    return bool((np.abs(slopes) <= _LEAST_STEP * (1.0 + np.abs(start)) * bends).all())


def start_of_training(
    derivatives: Derivatives, target: Any, weight: Any, given: Any, columns: int | None
) -> NDArray:
    """Return the start of a training: the one that was given, or that of least mean loss."""
    if given is None:
        least = start(derivatives.given_loss, target, weight, classes=columns)
        refuse_dead_start(derivatives, least, target, weight)
        return np.asarray(least, np.float64)
    init_score = np.asarray(given, np.float64)
    shape = () if columns is None else (columns,)
    if init_score.shape not in ((), shape):
        raise ShapeError(
            f"start={given!r} has the shape {init_score.shape}: give one number"
            + ("." if columns is None else f", or {columns}, one for each class.")
        )
    return np.broadcast_to(init_score, shape)


def refuse_dead_start(derivatives: Derivatives, start: Any, target: Any, weight: Any) -> None:
    """Raise `ArgumentError` if no row asks for a step from the start, though targets differ."""
    if not _differ(np.asarray(target)):
        return
    if is_dead(derivatives, start, target, weight):
        raise ArgumentError(
            f"training cannot leave the start of {derivatives.name} for these targets, {start}: "
            "the gradient is 0 there for every row. Give another start, such as 0.5, or a loss as "
            "wide as the targets."
        )
