"""Fitted estimators of scikit-learn, opened: which one predicts, and what it predicts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from lossfw.bridges.boosting_bridge import BoostingBridge
from lossfw.bridges.outputs import EstimatorOutputs
from lossfw.components.registry import registry
from lossfw.errors import ArgumentError, BrokenPluginError
from lossfw.numerics.arrays import NDArray

# Whether targets are transformed is tried with these, which most transformations accept.
_TARGETS: Final = np.array([[0.25], [0.5], [0.75]])

_LINKED: Final = (
    "TransformedTargetRegressor({}, func=np.positive, inverse_func=np.exp, check_inverse=False)"
)
# What raw predictions are by their link, and what makes responses of them.
_WORDS: Final = {
    "exp": ("logarithms of means", _LINKED),
    "sigmoid": ("log-odds", "CalibratedClassifierCV({})"),
    "softmax": ("logits", "CalibratedClassifierCV({})"),
}


def outputs_of(estimator: Any) -> EstimatorOutputs | None:
    """Return what an estimator of a boosting library predicts; None for any other estimator."""
    return next((found for found in _asked(estimator) if found is not None), None)


def _asked(estimator: Any) -> Iterator[EstimatorOutputs | None]:
    for entry in registry().entries("bridge"):
        try:
            bridge = registry().class_of(entry)
        except BrokenPluginError:
            # It is told of where bridges are listed, and its library is not asked for here.
            continue
        # A library that nobody has imported has made no estimator.
        if issubclass(bridge, BoostingBridge) and bridge.library in sys.modules:
            yield bridge().outputs(estimator)


class Opened(NamedTuple):
    """The estimator inside others that pass its predictions on.

    Attributes
    ----------
    estimator : object
        The one that predicts.
    x : array_like
        The rows as they come to it.
    back : callable
        Makes of its responses those of the outermost estimator.
    outputs : EstimatorOutputs or None
        What it predicts; None if its methods return responses, as scikit-learn's own do.
    """

    estimator: Any
    x: Any
    back: Callable[[NDArray], NDArray]
    outputs: EstimatorOutputs | None


def opened(estimator: Any, x: Any) -> Opened:
    """Return the estimator inside pipelines, searches and the like, with its rows.

    Raises
    ------
    ArgumentError
        If an estimator combines others whose predictions are no responses.
    """
    back: list[Callable[[NDArray], NDArray]] = []
    while True:
        found = outputs_of(estimator)
        known = found is not None or _responds(estimator)
        inner = None if known else _inner(estimator, x, back)
        if inner is None:
            break
        estimator, x = inner
    if not known:
        _refuse_mixed(estimator)

    def undone(responses: NDArray) -> NDArray:
        for step in reversed(back):
            responses = step(responses)
        return responses

    return Opened(estimator, x, undone, found)


def _inner(
    estimator: Any, x: Any, back: list[Callable[[NDArray], NDArray]]
) -> tuple[Any, Any] | None:
    """Return the estimator whose predictions another one passes on, and the rows it gets."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import StackingClassifier, StackingRegressor
    from sklearn.feature_selection import RFE
    from sklearn.pipeline import Pipeline

    if isinstance(estimator, Pipeline):
        before, last = estimator[:-1], estimator[-1]
        return (last, before.transform(x)) if len(before.steps) else (last, x)
    if hasattr(estimator, "best_estimator_"):
        return estimator.best_estimator_, x
    if isinstance(estimator, StackingClassifier | StackingRegressor):
        return estimator.final_estimator_, estimator.transform(x)
    if isinstance(estimator, RFE):
        return estimator.estimator_, estimator.transform(x)
    if isinstance(estimator, TransformedTargetRegressor):
        transformer = estimator.transformer_
        back.append(lambda y: _untransformed(transformer, y))
        return estimator.regressor_, x
    if type(estimator).__name__ == "FrozenEstimator":
        return estimator.estimator, x
    return None


def _responds(estimator: Any) -> bool:
    """Tell whether an estimator makes responses of whatever the one inside it predicts.

    A calibrated classifier learns them. Where TransformedTargetRegressor leaves targets as they
    are, and changes predictions, its inverse is the link, by the user's hand.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import TransformedTargetRegressor

    if not isinstance(estimator, TransformedTargetRegressor):
        return isinstance(estimator, CalibratedClassifierCV)
    fitted = getattr(estimator, "transformer_", None)
    there = estimator.func if fitted is None else fitted.transform
    back = estimator.inverse_func if fitted is None else fitted.inverse_transform
    if there is None or back is None:
        return False
    try:
        left = np.array_equal(there(_TARGETS), _TARGETS)
        return left and not np.array_equal(back(_TARGETS), _TARGETS)
    except ValueError:
        # It takes several columns.
        return False


def _untransformed(transformer: Any, y: NDArray) -> NDArray:
    """Return predictions in the units of the targets, as TransformedTargetRegressor does."""
    column = y.reshape(-1, 1) if y.ndim == 1 else y
    back = np.asarray(transformer.inverse_transform(column))
    return back[:, 0] if y.ndim == 1 and back.ndim == 2 and back.shape[1] == 1 else back


def _refuse_mixed(estimator: Any) -> None:
    """Raise `ArgumentError` if an estimator combines raw predictions that are no responses."""
    for part, found in _raw_parts(estimator):
        outer, inner = type(estimator).__name__, type(part).__name__
        what, mend = _WORDS[found.link or "softmax"]
        raise ArgumentError(
            f"{outer} combines predictions of {inner}, and what is made of them is no response: "
            + (found.unknown or f"they are {what}. Give it {mend.format(inner)} in its place.")
        )


def _raw_parts(estimator: Any) -> Iterator[tuple[Any, EstimatorOutputs]]:
    """Yield the estimators inside another one whose own methods do not return responses."""
    if _responds(estimator) or not hasattr(estimator, "get_params"):
        return
    for name, part in estimator.get_params(deep=True).items():
        if "__" in name or isinstance(part, type):
            continue  # Inside of a part, which is asked itself.
        found = outputs_of(part)
        if found is None:
            yield from _raw_parts(part)
        elif not found.responds:
            yield part, found
