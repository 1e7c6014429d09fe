"""scikit-learn: the compiled losses of its boosted trees and linear models.

They are private to it, take targets first, and are halves in several cases.
Doubling is exact, so nothing is lost by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.check.accuracy.peers.peer import Offer
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# It has halves of squares and of deviances.
_OF_DEVIANCE = 2.0

# A loss, and by what its results are multiplied to be ours.
Scaled = tuple[Any, float]


# Called with `sklearn._loss.loss` and the parameters.
Maker = Callable[[Any, dict[str, Any]], Scaled | None]


def _on_log_mean(name: str) -> Maker:
    return lambda losses, p: (getattr(losses, name)(), _OF_DEVIANCE) if p["link"] == "log" else None


_PAIRS: dict[str, Maker] = {
    "absolute_error": lambda losses, p: (losses.AbsoluteError(), 1.0),
    "binary_cross_entropy": lambda losses, p: (
        (losses.HalfBinomialLoss(), 1.0) if p["from_logits"] else None
    ),
    "gamma_deviance": _on_log_mean("HalfGammaLoss"),
    "huber": lambda losses, p: (losses.HuberLoss(delta=p["delta"]), 1.0),
    "poisson_deviance": _on_log_mean("HalfPoissonLoss"),
    "quantile": lambda losses, p: (
        (losses.PinballLoss(quantile=p["q"]), 1.0) if 0 < p["q"] < 1 else None
    ),
    "squared_error": lambda losses, p: (
        (losses.HalfSquaredError(), _OF_DEVIANCE) if p["factor"] == 1 else None
    ),
    "tweedie_deviance": lambda losses, p: (
        (losses.HalfTweedieLoss(power=p["power"]), _OF_DEVIANCE) if p["link"] == "log" else None
    ),
}


class ScikitLearn:
    """scikit-learn, on one thread."""

    name = "scikit-learn"

    def __init__(self) -> None:
        import sklearn
        from sklearn._loss import loss

        self.version = str(sklearn.__version__)
        self._losses = loss

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""
        if isinstance(component, Activation):
            return None
        if component.name == "cross_entropy":
            p = component.parameters
            plain = p["from_logits"] and not p["label_smoothing"]
            return Offer((_multinomial(self._losses),)) if plain else None
        make = _PAIRS.get(component.name)
        found = None if make is None else make(self._losses, component.parameters)
        return None if found is None else Offer((_value(*found), _gradient(*found)))


def _value(loss: Any, factor: float) -> Callable[..., NDArray]:
    def value(y: NDArray, t: NDArray) -> NDArray:
        y, t = np.ascontiguousarray(y), np.ascontiguousarray(t)
        # Deviances are 0 at the best prediction; it leaves out what does not depend on it.
        rest = loss.constant_to_optimal_zero(t) if factor == _OF_DEVIANCE else 0.0
        return np.asarray(factor * (loss.loss(t, y) + rest)).astype(y.dtype)

    return value


def _gradient(loss: Any, factor: float) -> Callable[..., NDArray]:
    def gradient(y: NDArray, t: NDArray) -> NDArray:
        slope = loss.gradient(np.ascontiguousarray(t), np.ascontiguousarray(y))
        return np.asarray(factor * slope)

    return gradient


def _multinomial(losses: Any) -> Callable[..., NDArray | None]:
    """Return a function of cross-entropy from logits, for class indices alone."""

    def value(z: NDArray, t: NDArray) -> NDArray | None:
        if t.ndim == z.ndim:
            return None
        loss = losses.HalfMultinomialLoss(n_classes=z.shape[-1])
        return np.asarray(loss.loss(t.astype(z.dtype), np.ascontiguousarray(z)))

    return value
