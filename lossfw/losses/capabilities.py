"""Capabilities: base classes for raw outputs, a guard or a distribution, next to the kind.

Derive from one of them and from a kind: ``class Mine(RawOutputLoss, PointwiseLoss)``.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lossfw.components.ranges import EXPONENTIATED, PROMISED, PromisedRange
from lossfw.components.spaces import UNIT
from lossfw.errors import ArgumentError, ShapeError
from lossfw.losses.base import Form
from lossfw.losses.bodies import PairBody
from lossfw.losses.inputs import as_array, check_members, result_dtype, work_dtype
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.guards import Guard

# What goes into an output activation.
_RAW_OUTPUTS: Mapping[str, Form] = {"softmax": "logits", "sigmoid": "logits", "exp": "logs"}


class RawOutputLoss(Loss):
    """Mixin for losses that take the results of an output activation, or the raw outputs before it.

    Implement the functions of the kind for the results of the output activation, and `raw_body` for
    the raw outputs. A field of the loss selects one of them.

    Attributes
    ----------
    output_activation : str
        The activation that the loss expects before it.
    raw_parameters : mapping
        The field and the value that make the loss take raw outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from lossfw import UNIT, PointwiseBody, PointwiseLoss
    >>> from lossfw.numerics import log_sigmoid
    >>> class OnLogits(PointwiseBody):
    ...     "The same of logits."
    ...     def value(self, xp, z, t):
    ...         return -t * log_sigmoid(xp, z)
    >>> class Surprise(RawOutputLoss, PointwiseLoss):
    ...     "The surprise at a success, -t log y."
    ...     prediction = target = UNIT
    ...     output_activation = "sigmoid"
    ...     from_logits: bool = False
    ...     def value(self, xp, y, t):
    ...         return -t * xp.log(y)
    ...     def raw_body(self):
    ...         return OnLogits()
    >>> Surprise()([0.5], [1.0]) == Surprise(from_logits=True)([0.0], [1.0])
    True
    """

    output_activation: ClassVar[str]
    raw_parameters: ClassVar[Mapping[str, Any]] = {"from_logits": True}

    @abstractmethod
    def raw_body(self) -> PairBody:
        """Return the functions of raw output and target, at these parameters."""

    @property
    def body(self) -> object:
        """`raw_body` if predictions are raw outputs, otherwise the loss itself."""
        return self.raw_body() if self._takes_raw_outputs else self

    @property
    def prediction_range(self) -> PromisedRange:  # type: ignore[override]  # it depends on the form
        """The promised range; that of logarithms for raw outputs of an exponential."""
        is_log = self.output_activation == "exp" and self._takes_raw_outputs
        return EXPONENTIATED if is_log else PROMISED

    @property
    def _input_form(self) -> Form:
        """The word for raw outputs where the parameters are `raw_parameters`."""
        choice = self.raw_parameters.items()
        is_raw = all(getattr(self, name) == value for name, value in choice)
        return _RAW_OUTPUTS.get(self.output_activation, "raw outputs") if is_raw else "prediction"

    def _domain_remedy(self, y: NDArray) -> str:
        """Return what to pass where predictions look like logits: some are outside [0, 1]."""
        if self._takes_raw_outputs or UNIT.outside_or_none(y) is None:
            return ""
        choice = ", ".join(f"{name}={value!r}" for name, value in self.raw_parameters.items())
        words = _RAW_OUTPUTS.get(self.output_activation, "raw outputs")
        return f"If these are {words}, pass {choice}."

    def on_raw_outputs(self) -> Loss | None:
        """Return this loss as a function of raw outputs; None if it is one already."""
        return None if self._takes_raw_outputs else self.replace(**self.raw_parameters)


class LogGuard(NamedTuple):
    """A guard of a logarithm; see `lossfw.numerics.guarded_log`."""

    guard: Guard
    delta: float


class GuardedLoss(Loss):
    """Mixin for losses that guard the logarithm of a probability against log(0).

    A run counts the probabilities below delta. If a configuration sets a guard, the run does not
    fuse the loss with the output activation.

    Attributes
    ----------
    guard_parameters : tuple of str
        The fields that make up the guard.

    Examples
    --------
    >>> from lossfw import CategoricalLoss
    >>> from lossfw.numerics import guarded_log
    >>> class Surprise(GuardedLoss, CategoricalLoss):
    ...     "The surprise at a class."
    ...     guard_parameters = ("eps",)
    ...     eps: float = 1e-6
    ...     @property
    ...     def log_guard(self):
    ...         return LogGuard("additive", self.eps)
    ...     def value(self, xp, y, t):
    ...         return -xp.sum(t * guarded_log(xp, y, *self.log_guard), axis=-1)
    >>> round(Surprise()([[0.0, 1.0]], [0]), 4)
    13.8155
    """

    guard_parameters: ClassVar[tuple[str, ...]] = ("guard", "delta")

    @property
    def log_guard(self) -> LogGuard:
        """The guard at these parameters; override it if the fields have other names."""
        guard, delta = (getattr(self, name) for name in self.guard_parameters)
        return LogGuard(guard, delta)


class DistributionLoss(Loss):
    """Mixin for losses whose prediction describes a distribution of the target.

    Implement `quantile` and `cdf`, and `expected_second_derivative` if it is known. They get the
    prediction in the form that `value` gets, and work element by element: one level or one number
    for each target. The metrics ``interval_coverage`` and ``pit`` use them to measure the
    calibration of the distribution, and `lossfw check` uses them to test ``proper`` and
    ``strictly_proper``.

    Examples
    --------
    >>> import numpy as np
    >>> from lossfw import POSITIVE, PointwiseLoss
    >>> class Exponential(DistributionLoss, PointwiseLoss):
    ...     "Negative log-likelihood of an exponential distribution with the predicted mean."
    ...     prediction = target = POSITIVE
    ...     def value(self, xp, y, t):
    ...         return xp.log(y) + t / y
    ...     def quantile(self, xp, y, p):
    ...         return -y * xp.log1p(-p)
    ...     def cdf(self, xp, y, x):
    ...         return -xp.expm1(-x / y)
    >>> loss = Exponential()
    >>> loss.quantiles([1.0, 10.0], [0.05, 0.95]).round(3)
    array([[ 0.051,  2.996],
           [ 0.513, 29.957]])
    >>> loss.probabilities([1.0, 10.0], 2.0).round(3)
    array([0.865, 0.181])
    """

    @abstractmethod
    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """Return the quantile of level p, 0 < p < 1: the smallest x with P(target <= x) >= p."""

    @abstractmethod
    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """Return P(target <= x)."""

    def expected_second_derivative(self, xp: Namespace, y: Any) -> Any:
        """Return the expected `second_derivative` for targets from the predicted distribution.

        The result has the shape of `second_derivative`. The default is None, and then
        ``curvature="expected"`` raises an error.
        """
        return None

    def quantiles(self, prediction: Any, levels: Any) -> NDArray:
        """Return quantiles of the predicted distributions.

        Parameters
        ----------
        prediction : array_like
            As in the call.
        levels : array_like, shape (L,)
            Probabilities between 0 and 1.

        Returns
        -------
        ndarray, shape (..., L)
            Row i has the quantiles of prediction i. The levels ``[0.05, 0.95]`` give the ends of
            the 90 % prediction interval.

        Raises
        ------
        ArgumentError
            If a level is not between 0 and 1; and the errors of the call.
        """
        p = as_array(levels, "levels").astype(np.float64)
        if p.ndim != 1 or not ((p > 0) & (p < 1)).all():
            raise ArgumentError(
                f"levels is {levels!r}; expected a list of probabilities between 0 and 1, such as "
                "[0.05, 0.95]."
            )
        y, shape = self._checked_distribution(prediction)
        columns = [self.quantile(np, y, np.full(shape, level)) for level in p]
        return np.stack(columns, axis=-1) if columns else np.empty((*shape, 0))

    def probabilities(self, prediction: Any, x: Any) -> NDArray:
        """Return the predicted probabilities P(target <= x).

        At the true targets these are the values of the probability integral transform (PIT),
        which are uniform if the predictions are calibrated.

        Parameters
        ----------
        prediction : array_like
            As in the call.
        x : float or array_like
            One number for all predictions, or one for each prediction.

        Returns
        -------
        ndarray
            In the shape of the targets.

        Raises
        ------
        ShapeError
            If `x` is neither one number nor one per prediction; and the errors of the call.
        """
        y, shape = self._checked_distribution(prediction)
        values = as_array(x, "x").astype(np.float64)
        if values.shape not in ((), shape):
            raise ShapeError(
                f"x has shape {values.shape}; expected one number, or the shape {shape}: one for "
                "each prediction."
            )
        return np.asarray(self.cdf(np, y, np.broadcast_to(values, shape)))

    def _checked_distribution(self, prediction: Any) -> tuple[Any, tuple[int, ...]]:
        """Return predictions as the functions of the author get them, and how many there are."""
        y = as_array(prediction, "prediction")
        y = y.astype(work_dtype(np, result_dtype(y)))
        space = self.prediction_space
        shape = check_members(y.shape, space, "prediction")
        if space.axes:
            y = y.reshape(*shape, math.prod(y.shape[len(shape) :]))
        space.check(y, "prediction")
        return space.to_record(y), shape


def guard_of(loss: Loss) -> LogGuard | None:
    """Return the guard of a loss; None if it has none, or takes logits."""
    if isinstance(loss, GuardedLoss) and not loss._takes_raw_outputs:
        return loss.log_guard
    return None


def without_guard(loss: Loss) -> Loss:
    """Return a loss without its guard, or the loss itself if it has no guard "none".

    Examples
    --------
    >>> import lossfw
    >>> without_guard(lossfw.loss("cross_entropy")).guard
    'none'
    """
    if isinstance(loss, GuardedLoss) and "guard" in loss.guard_parameters:
        return loss.replace(guard="none")
    return loss
