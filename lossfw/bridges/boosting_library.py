"""Common code of the bridges to XGBoost, LightGBM and CatBoost: objective, metric and training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np

from lossfw.errors import ArgumentError, ShapeError
from lossfw.learning.bridge import BoostingBridge, spec_code
from lossfw.learning.derivatives import derivatives
from lossfw.learning.raw_form import as_loss, as_numbers
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# What the parameters are for: the library's own function for training, or an estimator.
EstimatorKind: TypeAlias = Literal["native", "regressor", "classifier"]


def estimator_kind(estimator: EstimatorKind) -> EstimatorKind:
    """Return a known `EstimatorKind`."""
    if estimator not in get_args(EstimatorKind):
        known = ", ".join(get_args(EstimatorKind))
        raise ArgumentError(f"estimator={estimator!r} is unknown: choose one of {known}.")
    return estimator


def arguments_of_call(
    first: Any, second: Any, weight: Any = None, sizes: Any = None
) -> tuple[Any, Any, Any, Any]:
    """Return raw predictions, targets, weights and group sizes from a library's call.

    Its training passes (predictions, data set), its estimators (labels, predictions, weights,
    and in LightGBM group sizes).
    """
    if hasattr(second, "get_label"):
        return first, second.get_label(), second.get_weight(), sizes_of(second)
    return second, first, weight, sizes


def sizes_of(data: Any) -> NDArray | None:
    """Return how many rows each group of a data set has; None without groups."""
    if hasattr(data, "get_uint_info"):
        sizes = np.diff(data.get_uint_info("group_ptr").astype(np.int64))
        return sizes if sizes.size else None
    sizes = data.get_group() if hasattr(data, "get_group") else None
    return None if sizes is None else np.asarray(sizes, np.int64)


class BoostingLibrary(BoostingBridge):
    """A bridge to a boosting library with its own data sets.

    `objective_class` and `metric_class` are made from `Derivatives`. The parameters
    `objective_keys` would name another objective. `training` is what `usage` shows after the loss.
    """

    objective_class: ClassVar[type[Any]]
    metric_class: ClassVar[type[Any]]
    objective_keys: ClassVar[tuple[str, ...]] = ()
    data_class: ClassVar[str]
    takes_rows_of_labels: ClassVar[bool] = False
    training: ClassVar[str]

    def objective(self, loss: Any, *, curvature: str = "auto", target: Any = None) -> Any:
        """Return a loss as an objective of the library.

        Parameters
        ----------
        loss : str, mapping or Loss
            A loss with an output activation is fused with it.
        curvature : {"auto", "exact", "bound", "gradient", "one", "twice", "expected"}
            The rule for the second derivative; see the page on curvature.
        target : array_like, optional
            For a loss with targets of several columns: all of them, (N, C). Labels are then the
            numbers of their rows, ``numpy.arange(N)``.

        Returns
        -------
        object
            Immutable; equal for equal arguments, and can be hashed and pickled.

        Raises
        ------
        ArgumentError
            If the loss cannot be boosted, or has no curvature of this kind.
        """
        made = derivatives(loss, curvature, target=target, wide=self.is_wide)
        return self.objective_class(made)

    def metric(self, loss: Any, *, target: Any = None) -> Any:
        """Return the weighted mean loss as a metric that the library minimises.

        The metric takes raw predictions, which the library passes if the objective is one of this
        module. With one of their built-in objectives, XGBoost and LightGBM pass responses instead:
        then use a loss without an output activation. For `target` see `objective`.
        """
        return self.metric_class(derivatives(loss, "one", target=target, wide=self.is_wide))

    def usage(self, loss: Loss) -> str:
        return (
            f"import {self.library}\n"
            f"from lossfw.bridges import {self.library} as bridge\n"
            f"model = bridge.train({spec_code(loss)}, {self.training})"
        )

    def read_data(
        self, loss: Any, params: dict[str, Any], data: Any
    ) -> tuple[NDArray, NDArray | None]:
        """Return the targets and weights of a data set; refuse other data, and two objectives."""
        expected = getattr(self.imported(), self.data_class)
        if not isinstance(data, expected):
            name = f"{self.library}.{self.data_class}"
            raise ArgumentError(
                f"the training data has the type {type(data).__name__}; expected {name}: give "
                f"{name}(x, y)."
            )
        for key in self.objective_keys:
            if isinstance(params.get(key), str):
                raise ArgumentError(
                    f"the parameters have {key}={params[key]!r}, but the loss "
                    f"{as_loss(loss).name} is the objective: leave {key} out."
                )
        return self.targets(data), self._weights(data)

    def targets(self, data: Any) -> NDArray:
        """Return the labels of a data set as numbers."""
        labels = self._labels(data)
        if labels is None or not np.size(labels):
            raise ArgumentError(
                "the training data has no labels: give it the targets, or for targets of several "
                "columns the numbers of their rows, numpy.arange(N), and the targets as target=."
            )
        shape = np.shape(labels)
        if len(shape) == 2 and shape[1] > 1 and not self.takes_rows_of_labels:
            raise ShapeError(
                f"the labels have the shape {shape}, but {self.library} takes one label for each "
                f"row, ({shape[0]},), with a custom loss. Give classes that are one-hot rows "
                "by labels.argmax(axis=1); for several targets train a model for each, or XGBoost."
            )
        return as_numbers(labels)

    def _labels(self, data: Any) -> Any:
        return data.get_label()

    def _weights(self, data: Any) -> Any:
        return data.get_weight()


class StartInDataLibrary(BoostingLibrary):
    """A bridge to a boosting library that stores the start of a model in its data sets."""

    @contextmanager
    def temporary_start(self, data_sets: list[Any], start: NDArray) -> Iterator[None]:
        """Set this start for data sets without one during a training."""
        without = [data for data in data_sets if start.any() and not self._has_start(data)]
        for data in without:
            self._set_start(data, start)
        try:
            yield
        finally:
            for data in without:
                self._set_start(data, self._zero_start(start))

    @abstractmethod
    def _has_start(self, data: Any) -> bool:
        """Return whether a data set has a start of its own."""

    @abstractmethod
    def _set_start(self, data: Any, start: NDArray) -> None:
        """Give a data set a start."""

    def _zero_start(self, start: NDArray) -> NDArray:
        return np.zeros_like(start)
