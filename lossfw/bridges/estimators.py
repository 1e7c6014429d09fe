"""Fitted estimators of scikit-learn, opened: which one predicts, and what it predicts."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from lossfw.bridges.bridge import BoostingBridge
from lossfw.bridges.outputs import EstimatorOutputs
from lossfw.components.registry import registry
from lossfw.errors import ArgumentError, BrokenPluginError
from lossfw.numerics.arrays import NDArray

_Step: TypeAlias = Callable[[Any], Any]
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
    for entry in registry().entries("bridge"):
        # The list of bridges reports one that is broken; its library is not asked here.
        with suppress(BrokenPluginError):
            bridge = registry().class_of(entry)
            # A library that nobody has imported has made no estimator.
            if issubclass(bridge, BoostingBridge) and bridge.library in sys.modules:
                found = bridge().outputs(estimator)
                if found is not None:
                    return found
    return None


@dataclass(frozen=True)
class Opened:
    """The estimator inside others that pass its predictions on.

    `outputs` is None if its methods return responses, as scikit-learn's own do. `before` and
    `after` are what the estimators around it do to rows, and to responses.
    """

    estimator: Any
    outputs: EstimatorOutputs | None
    before: tuple[_Step, ...]
    after: tuple[_Step, ...]

    def rows(self, x: Any) -> Any:
        """Return rows as they come to the estimator."""
        for step in self.before:
            x = step(x)
        return x

    def back(self, responses: NDArray) -> NDArray:
        """Return its responses as those of the outermost estimator."""
        for step in reversed(self.after):
            responses = step(responses)
        return responses


def opened(estimator: Any, *, trusted: bool = False) -> Opened:
    """Return the fitted estimator inside pipelines, searches and the like.

    If it is `trusted`, another one may combine predictions of which nothing is known.
    """
    before: list[_Step] = []
    after: list[_Step] = []
    while True:
        found = outputs_of(estimator)
        known = found is not None or _responds(estimator)
        inner = None if known else _inner(estimator, before, after)
        if inner is None:
            break
        estimator = inner
    if not known:
        _refuse_mixed(estimator, trusted)
    return Opened(estimator, found, tuple(before), tuple(after))


def _inner(estimator: Any, before: list[_Step], after: list[_Step]) -> Any:
    """Return the estimator whose predictions another one passes on, and add what that does."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import StackingClassifier, StackingRegressor
    from sklearn.feature_selection import RFE
    from sklearn.pipeline import Pipeline

    if isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            before.append(estimator[:-1].transform)
        return estimator[-1]
    if hasattr(estimator, "best_estimator_"):
        return estimator.best_estimator_
    if isinstance(estimator, StackingClassifier | StackingRegressor):
        before.append(estimator.transform)
        return estimator.final_estimator_
    if isinstance(estimator, RFE):
        before.append(estimator.transform)
        return estimator.estimator_
    if isinstance(estimator, TransformedTargetRegressor):
        after.append(functools.partial(_untransformed, estimator.transformer_))
        return estimator.regressor_
    # From scikit-learn 1.6 on.
    return estimator.estimator if type(estimator).__name__ == "FrozenEstimator" else None


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


def _refuse_mixed(estimator: Any, trusted: bool) -> None:
    """Raise `ArgumentError` if an estimator combines raw predictions that are not responses."""
    for part, found in _raw_parts(estimator):
        if trusted and found.unknown:
            continue
        outer, inner = type(estimator).__name__, type(part).__name__
        if found.unknown:
            raise ArgumentError(
                f"{outer} combines predictions of {inner}, which may not be responses: "
                f"{found.unknown} If they are, write scorer(..., response='predict')."
            )
        what, instead = _WORDS[found.link or "softmax"]
        raise ArgumentError(
            f"{outer} combines predictions of {inner}, and the result is not a response because "
            f"they are {what}. Give it {instead.format(inner)} in its place."
        )


def _raw_parts(estimator: Any) -> Iterator[tuple[Any, EstimatorOutputs]]:
    """Yield the estimators inside another one whose own methods do not return responses."""
    if _responds(estimator) or not hasattr(estimator, "get_params"):
        return
    for name, part in estimator.get_params(deep=True).items():
        if "__" in name or isinstance(part, type) or not hasattr(part, "get_params"):
            continue  # Inside of a part, which is asked itself; or a number, a text.
        found = outputs_of(part)
        if found is None:
            yield from _raw_parts(part)
        elif not found.responds:
            yield part, found
