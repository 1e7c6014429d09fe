"""Bridge: a component that connects lossfw to a training library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lossfw.components.library import LibraryComponent
from lossfw.errors import ArgumentError
from lossfw.learning.outputs import EstimatorOutputs
from lossfw.learning.raw_form import refusal, zero_gradient_reason
from lossfw.learning.start import best_constant
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray


def spec_code(loss: Loss) -> str:
    """Return the Python code of a loss's specification: a name or a mapping."""
    config = loss.to_config()
    return repr(config["name"] if len(config) == 1 else config)


class Bridge(LibraryComponent, ABC):
    """Base class of bridges: components that connect lossfw to a training library.

    A bridge knows which losses its library can train with. `lossfw check --bridges` checks every
    installed bridge with a loss.
    """

    kind: ClassVar[str] = "bridge"

    def refusal(self, loss: Loss) -> str | None:
        """Return why the library cannot train with a loss; None if it can."""
        return None

    def build(self, loss: Loss) -> Any:
        """Return the object that the library trains with.

        Raises
        ------
        LossfwError
            If the bridge refuses the loss.
        """
        raise NotImplementedError(
            f"{type(self).__name__}.build(loss) is not implemented: return what the library "
            "trains with."
        )

    def usage(self, loss: Loss) -> str:
        """Return example code that trains with a loss in the library, for arrays x and y.

        Raises
        ------
        ArgumentError
            If the bridge has no example.
        """
        raise ArgumentError(f"the bridge {self.name} has no usage example")

    def value_and_gradient(self, loss: Loss, y: NDArray, t: NDArray) -> tuple[Any, Any] | None:
        """Return unreduced losses and gradients as the library computes them, as NumPy arrays.

        None for a library without automatic differentiation.
        """
        return None


class AutogradBridge(Bridge):
    """A bridge to a library of automatic differentiation.

    `lossfw check --bridges NAME` calls `value_and_gradient` for every loss: at ties and kinks, in
    several dtypes, and compiled.
    """

    def refusal(self, loss: Loss) -> str | None:
        """Return why a loss cannot train: its gradient is 0 almost everywhere."""
        return zero_gradient_reason(loss)

    @abstractmethod
    def value_and_gradient(
        self, loss: Loss, y: NDArray, t: NDArray, *, compiled: bool = False
    ) -> tuple[NDArray, NDArray]:
        """Return unreduced losses, and the gradients by the library's differentiation.

        Parameters
        ----------
        loss : Loss
            The loss; it is not fused with its output activation.
        y, t : ndarray
            Arrays of float64 or float32. Results have the dtype of `y`, or the widest one that the
            library supports.
        compiled : bool
            Whether the library compiles the function first.
        """


class BoostingSettings(NamedTuple):
    """The settings of a training that every boosting library can reproduce.

    Attributes
    ----------
    x : ndarray
        Features, (N, F).
    target : ndarray
        (N,).
    weight : ndarray or None
        (N,).
    start : float or ndarray
        The constant raw prediction before the first tree; K numbers for a loss of rows.
    rounds : int
        The number of trees, for each class.
    learning_rate : float
        The factor by which each tree is multiplied.
    l2 : float
        A leaf is -sum(w g) / (sum(w h) + l2).
    curvature : str
        See the how-to page.
    sizes : ndarray or None
        The number of rows of each group, for a loss of groups.
    """

    x: NDArray
    target: NDArray
    weight: NDArray | None = None
    start: Any = 0.0
    rounds: int = 1
    learning_rate: float = 1.0
    l2: float = 0.0
    curvature: str = "auto"
    sizes: NDArray | None = None


class BoostingBridge(Bridge):
    """Base class of bridges to gradient boosting libraries.

    Implement the methods below; `lossfw check` calls them for every loss
    (``lossfw check --bridges NAME``).

    Attributes
    ----------
    start_dtype : type
        The precision in which the library keeps a start.
    is_wide : bool
        Whether the library supports losses of groups, and several raw predictions per row that are
        not classes.
    """

    start_dtype: ClassVar[type[np.floating[Any]]] = np.float64
    is_wide: ClassVar[bool] = False

    def refusal(self, loss: Loss) -> str | None:
        """Return why the loss cannot be boosted; None if it can."""
        return refusal(loss, wide=self.is_wide)

    def build(self, loss: Loss) -> Any:
        """Return the objective."""
        return self.objective(loss)

    @abstractmethod
    def objective(self, loss: Any, *, curvature: str = "auto") -> Any:
        """Return the object that the library trains with."""

    @abstractmethod
    def metric(self, loss: Any) -> Any:
        """Return the object that the library monitors."""

    @abstractmethod
    def estimator_params(
        self, loss: Any, target: Any, sample_weight: Any = None, *, classes: int | None = None
    ) -> Mapping[str, Any]:
        """Return the parameters of the library that belong to the loss."""

    def best_constant(
        self, loss: Any, target: Any, sample_weight: Any = None, *, classes: int | None = None
    ) -> Any:
        """Return the constant raw prediction before the first tree."""
        found = best_constant(loss, target, sample_weight, classes=classes)
        return np.asarray(found, self.start_dtype).astype(np.float64)[()]  # a number stays one

    def outputs(self, estimator: Any) -> EstimatorOutputs | None:
        """Return the outputs of an estimator with an objective of this bridge; otherwise None.

        `lossfw.bridges.sklearn.scorer` asks every bridge whose library is imported. If all return
        None, it assumes that ``predict`` and ``predict_proba`` return responses.
        """
        return None

    def leaf_value(
        self, gradients: NDArray, curvatures: NDArray, weight: NDArray, l2: float
    ) -> NDArray | None:
        """Return the expected value of a leaf with these rows; None if it is not known.

        Parameters
        ----------
        gradients, curvatures : ndarray
            The weighted values that the library got for the rows of the leaf, (N,) or (N, K).
        weight : ndarray
            The weights of all training rows; 1 without weights.
        l2 : float
            See `BoostingSettings`.
        """
        value: NDArray = -gradients.sum(axis=0) / (curvatures.sum(axis=0) + l2)
        return value

    @abstractmethod
    def derivatives(
        self, objective: Any, raw: NDArray, target: NDArray, weight: NDArray | None
    ) -> tuple[NDArray, NDArray]:
        """Return the gradients and curvatures that the objective passes to the library.

        They are computed through the library's own classes, as in a training, and converted back to
        the sign of the loss and the shape of `raw`, (N,) or (N, K).
        """

    @abstractmethod
    def score(
        self, metric: Any, raw: NDArray, target: NDArray, weight: NDArray | None
    ) -> tuple[float, bool]:
        """Return the value that the metric passes to the library, and whether greater is better."""

    @abstractmethod
    def fit_predict(self, loss: Loss, training: BoostingSettings) -> NDArray:
        """Train a model without sampling, and return its raw predictions of the training rows.

        Leaves may have any number of rows and any sum of curvatures.
        """
