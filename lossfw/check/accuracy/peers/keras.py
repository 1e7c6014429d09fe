"""Keras: values of its losses, on JAX unless ``KERAS_BACKEND`` says otherwise.

Its functions of pairs average over the last axis, so each pair is handed over
as a row of one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.check.accuracy.peers.peer import Offer, hard, positive
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

Function = Callable[..., Any]

# Called with `keras.losses` and the parameters; a function of tensors, or None
# where there is none at these parameters.
Maker = Callable[[Any, dict[str, Any]], Function | None]


def _cross_entropy(losses: Any, p: dict[str, Any]) -> Function | None:
    def function(t: Any, y: Any) -> Any:
        options = {"from_logits": p["from_logits"]}
        if t.ndim < y.ndim:
            return losses.sparse_categorical_crossentropy(t, y, **options)
        return losses.categorical_crossentropy(t, y, **options)

    # On probabilities it clips by a constant of its own: the guard "none" comes nearest.
    comparable = p["from_logits"] or p["guard"] == "none"
    return function if comparable and not p["label_smoothing"] else None


def _binary_cross_entropy(losses: Any, p: dict[str, Any]) -> Function | None:
    if not p["from_logits"] and p["guard"] != "none":
        return None
    return lambda t, z: losses.binary_crossentropy(t, z, from_logits=p["from_logits"])


_PAIRS: dict[str, Maker] = {
    "absolute_error": lambda losses, p: losses.mean_absolute_error,
    "binary_cross_entropy": _binary_cross_entropy,
    "focal": lambda losses, p: (
        (lambda t, y: losses.binary_focal_crossentropy(t, y, gamma=p["gamma"], from_logits=True))
        if p["from_logits"] and p["alpha"] is None
        else None
    ),
    "hinge": lambda losses, p: losses.hinge if p["margin"] == 1 else None,
    "huber": lambda losses, p: lambda t, y: losses.huber(t, y, delta=p["delta"]),
    "log_cosh": lambda losses, p: losses.log_cosh,
    "squared_error": lambda losses, p: losses.mean_squared_error if p["factor"] == 1 else None,
    "squared_hinge": lambda losses, p: losses.squared_hinge if p["margin"] == 1 else None,
    "squared_log_error": lambda losses, p: losses.mean_squared_logarithmic_error,
}

_ROWS: dict[str, Maker] = {
    "cosine_distance": lambda losses, p: lambda t, y: 1 + losses.cosine_similarity(t, y),
    "cross_entropy": _cross_entropy,
    "kl_divergence": lambda losses, p: (
        losses.kl_divergence
        if p["guard"] == "none" and not p["reverse"] and not p.get("from_logits")
        else None
    ),
}


class Keras:
    """Keras on one of its backends."""

    name = "keras"

    def __init__(self) -> None:
        # Read when it is imported.
        os.environ.setdefault("KERAS_BACKEND", "jax")
        import keras

        self.version = f"{keras.__version__} on {keras.backend.backend()}"
        self._losses = keras.losses

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""
        if isinstance(component, Activation):
            return None
        table = _ROWS if component.takes_rows else _PAIRS
        make = table.get(component.name)
        function = None if make is None else make(self._losses, component.parameters)
        if function is None:
            return None
        takes = {"focal": hard, "squared_log_error": positive}.get(component.name)
        return Offer((_value(function, component.takes_rows),), takes=takes)


def _value(function: Function, rows: bool) -> Callable[..., NDArray]:
    def value(y: NDArray, t: NDArray) -> NDArray:
        import keras

        y, t = (y, t) if rows else (y[:, None], t[:, None])
        usual = keras.config.floatx()
        # Its functions convert to this dtype, whatever they are given.
        keras.config.set_floatx(y.dtype.name)
        try:
            tensors = (keras.ops.convert_to_tensor(x, x.dtype.name) for x in (t, y))
            return np.asarray(keras.ops.convert_to_numpy(function(*tensors)))
        finally:
            keras.config.set_floatx(usual)

    return value
