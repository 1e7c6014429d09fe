"""What the bridges of boosting libraries share: raw predictions in, derivatives out."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, Self, TypeAlias, get_args

import numpy as np

from lossfw.bridges.curvature import Rule, constant_curvature, curvature_of, rule_for
from lossfw.bridges.raw_form import made, raw_form, response
from lossfw.bridges.rows import Rows, Targets, rows_for, targets_for
from lossfw.bridges.start import start
from lossfw.errors import ArgumentError, DivergenceError, ShapeError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = ["Derivatives", "response", "start"]

# What the parameters are for: the library's own function for training, or an estimator.
Face: TypeAlias = Literal["native", "regressor", "classifier"]


def refuse_unknown_face(face: str) -> None:
    """Raise `ArgumentError` if a face is none of `Face`."""
    if face not in get_args(Face):
        raise ArgumentError(f"face={face!r} is unknown: choose one of {', '.join(get_args(Face))}.")


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
    of : Loss
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

    of: Loss
    curvature: str = "auto"

    @functools.cached_property
    def loss(self) -> Loss:
        """The loss of raw predictions."""
        return raw_form(self.of)

    @functools.cached_property
    def rule(self) -> Rule:
        """What the curvature is for this loss."""
        return rule_for(self.loss, self.curvature)

    def targets(self, target: Any, weight: Any = None, *, narrow: bool = False) -> Targets:
        """Return targets and weights as the loss takes them, for all rounds of a training.

        Of a library that keeps everything in float32, `narrow` computes in it too where
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
        """Return the weighted slopes and curvatures.

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

        Returns
        -------
        tuple of ndarray
            Both in the shape of `raw`, in float64, or float32 for `Targets` of it.

        Raises
        ------
        DomainError, ShapeError
            For a target that is none.
        DivergenceError
            For the first row without finite derivatives.
        """
        rows = self.rows(raw, target, weight)
        # What is not finite is told below, and no warning of NumPy.
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
                f"every slope of {self.of.name} is 0: the model stays as it is. If training has "
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
            f"{self.of.name} at row {i} has the raw prediction {rows.y[i]} and the target "
            f"{rows.t[i]}, and there the slope {slopes[i]} and the curvature {bends[i]}. A smaller "
            'learning rate keeps predictions finite, and so does another curvature, "bound" or '
            '"slope".'
        )


def derivatives(loss: Any, curvature: str = "auto") -> Derivatives:
    """Return the derivatives of a loss; errors are raised now and not in a training."""
    found = Derivatives(made(loss), curvature)
    # Both are computed on first use, and refuse what cannot be used.
    _ = found.loss, found.rule
    return found


def refuse_other_data(data: Any, wanted: type) -> None:
    """Raise `ArgumentError` if what is trained on is no data set of the library."""
    if not isinstance(data, wanted):
        name = f"{wanted.__module__.partition('.')[0]}.{wanted.__name__}"
        raise ArgumentError(
            f"the training data has the type {type(data).__name__}, and not {name}: give "
            f"{name}(x, y)."
        )


def refuse_no_labels(target: Any) -> None:
    """Raise `ArgumentError` if a data set has no labels."""
    if target is None or not np.size(target):
        raise ArgumentError("the training data has no labels: give it the targets.")


def refuse_rows_of_labels(target: Any, library: str) -> None:
    """Raise `ShapeError` if a library that takes one label a row has got several."""
    shape = np.shape(target)
    if len(shape) == 2 and shape[1] > 1:
        raise ShapeError(
            f"the labels have the shape {shape}, and {library} takes ({shape[0]},) with a loss "
            "from outside. Give classes that are one-hot rows by labels.argmax(axis=1); for "
            "several targets train a model for each, or XGBoost."
        )


def refuse_other_objective(params: dict[str, Any], names: tuple[str, ...], loss: Loss) -> None:
    """Raise `ArgumentError` if parameters name an objective of the library, beside the loss."""
    for name in names:
        if isinstance(params.get(name), str):
            raise ArgumentError(
                f"the parameters have {name}={params[name]!r} beside the loss {loss.name}, and a "
                f"model has one objective: leave {name} out."
            )


def _differ(target: NDArray) -> bool:
    """Tell whether not all targets are the same, which are learnt by the start."""
    return bool((target != target[:1]).any())


# A row that asks for a smaller step than this, relative to the start, stays where it is.
_LEAST_STEP = 1e-6
# What one row can tell is looked for here, before all rows are asked.
FIRST_ROWS: Final = 1000


def is_dead(of: Derivatives, begin: Any, target: Any, weight: Any = None) -> bool:
    """Tell whether no row asks for a step from a start: it is on a kink, or in a flat piece."""
    t, w = np.asarray(target), None if weight is None else np.asarray(weight)
    # One row that moves is enough, and mostly stands among the first.
    first = slice(FIRST_ROWS)
    if not _stays(of, begin, t[first], w if w is None else w[first]):
        return False
    return len(t) <= FIRST_ROWS or _stays(of, begin, t, w)


def _stays(of: Derivatives, begin: Any, target: NDArray, weight: NDArray | None) -> bool:
    size = target.shape[:1] + np.shape(begin)
    with warnings.catch_warnings():
        # What the caller says of it is more.
        warnings.simplefilter("ignore", RuntimeWarning)
        slopes, bends = of(np.broadcast_to(begin, size), target, weight)
    return bool((np.abs(slopes) <= _LEAST_STEP * (1.0 + np.abs(begin)) * bends).all())


def start_of_training(
    of: Derivatives,
    target: Any,
    weight: Any,
    *,
    given: Any,
    classes: int | None,
    has_one: bool,
) -> NDArray:
    """Return the start of a training: the one that was given, or that of least mean loss.

    It is 0 where the training has one already, by its data or its first model.
    """
    if has_one:
        return np.zeros(classes or ())
    if given is not None:
        begin = np.asarray(given, np.float64)
        wanted = () if classes is None else (classes,)
        if begin.shape not in ((), wanted):
            raise ShapeError(
                f"start={given!r} has the shape {begin.shape}: give one number"
                + ("." if classes is None else f", or {classes}, one for each class.")
            )
        return np.broadcast_to(begin, wanted)
    begin = np.asarray(start(of.of, target, weight, classes=classes), np.float64)
    refuse_dead_start(of, begin, target, weight)
    return begin


def refuse_dead_start(of: Derivatives, begin: Any, target: Any, weight: Any) -> None:
    """Raise `ArgumentError` if no row asks for a step from the start, though targets differ."""
    if not _differ(np.asarray(target)):
        return
    if is_dead(of, begin, target, weight):
        raise ArgumentError(
            f"the start of {of.of.name} for these targets is {begin}, on a kink or in a flat piece "
            "for every row, so that nothing would be learnt: give another start, such as 0.5, or a "
            "loss as wide as the targets."
        )
