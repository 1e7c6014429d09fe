"""scikit-learn: the compiled losses of its boosted trees and linear models.

They are private to it, take targets first, and are halves in several cases.
Doubling is exact, so nothing is lost by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from sklearn._loss import loss as L  # noqa: N812

from lossfw.activation import Activation
from lossfw.check.peers.peer import Offer
from lossfw.loss import Loss

NDArray = np.ndarray[Any, np.dtype[Any]]

# A loss, and by what its results are multiplied to be ours.
Scaled = tuple[Any, float]


def _on_log_mean(loss: Callable[[], Any]) -> Callable[[dict[str, Any]], Scaled | None]:
    return lambda p: (loss(), 2.0) if p["link"] == "log" else None


_PAIRS: dict[str, Callable[[dict[str, Any]], Scaled | None]] = {
    "absolute_error": lambda p: (L.AbsoluteError(), 1.0),
    "binary_cross_entropy": lambda p: (L.HalfBinomialLoss(), 1.0) if p["from_logits"] else None,
    "gamma_deviance": _on_log_mean(L.HalfGammaLoss),
    "huber": lambda p: (L.HuberLoss(delta=p["delta"]), 1.0),
    "poisson_deviance": _on_log_mean(L.HalfPoissonLoss),
    "quantile": lambda p: (L.PinballLoss(quantile=p["q"]), 1.0) if 0 < p["q"] < 1 else None,
    "squared_error": lambda p: (L.HalfSquaredError(), 2.0) if p["factor"] == 1 else None,
    "tweedie_deviance": lambda p: (
        (L.HalfTweedieLoss(power=p["power"]), 2.0) if p["link"] == "log" else None
    ),
}


class ScikitLearn:
    """scikit-learn, on one thread."""

    name = "scikit-learn"
    version = sklearn.__version__

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""
        if isinstance(component, Activation):
            return None
        if component.name == "cross_entropy":
            p = component.parameters
            plain = p["from_logits"] and not p["label_smoothing"]
            return Offer((_multinomial,)) if plain else None
        make = _PAIRS.get(component.name)
        found = None if make is None else make(component.parameters)
        return None if found is None else Offer((_value(*found), _gradient(*found)))


def _value(loss: Any, factor: float) -> Callable[..., NDArray]:
    def value(y: NDArray, t: NDArray) -> NDArray:
        y, t = np.ascontiguousarray(y), np.ascontiguousarray(t)
        constant = loss.constant_to_optimal_zero(t)
        return np.asarray(factor * (loss.loss(t, y) + constant)).astype(y.dtype)

    return value


def _gradient(loss: Any, factor: float) -> Callable[..., NDArray]:
    def gradient(y: NDArray, t: NDArray) -> NDArray:
        slope = loss.gradient(np.ascontiguousarray(t), np.ascontiguousarray(y))
        return np.asarray(factor * slope)

    return gradient


def _multinomial(z: NDArray, t: NDArray) -> NDArray | None:
    """Return cross-entropy from logits, for class indices alone."""
    if t.ndim == z.ndim:
        return None
    loss = L.HalfMultinomialLoss(n_classes=z.shape[-1])
    return np.asarray(loss.loss(t.astype(z.dtype), np.ascontiguousarray(z)))


PEER = ScikitLearn()
