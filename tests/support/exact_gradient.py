"""The true gradient of a network's loss: differences of its whole forward pass, 60 digits."""

from itertools import pairwise

import numpy as np

import lossfw
from lossfw.errors import BrokenPluginError
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.nn.backprop import loss_and_gradients
from lossfw.nn.dense import Dense, Network
from lossfw.numerics.exact.differences import derivative

# The kinds that a wrapper needs a part for, and the losses that need a parameter.
WRAPPED = [
    {"name": "scaled", "of": "squared_error", "scale": 0.25},
    {"name": "sum", "of": ["huber", {"name": "squared_error", "scale": 0.5}]},
    {"name": "label_smoothed", "of": "cross_entropy", "smoothing": 0.1},
    {"name": "focal_modulated", "of": "cross_entropy"},
]


def draw_network(random, widths, activations):
    """Return a network of drawn weights, float64."""
    layers = [
        Dense(random.normal(0, 1 / np.sqrt(width), (width, units)), random.normal(0, 0.5, units), a)
        for (width, units), a in zip(pairwise(widths), activations, strict=True)
    ]
    return Network(tuple(layers))


def gradients(network, loss, form, rows, targets, weight=None):
    """Return what the backward pass gives, as one row."""
    with one_blas_thread():
        _, found = loss_and_gradients(network, loss, form, rows, targets, weight)
    return np.concatenate([part.ravel() for layer in found for part in layer])


def true_gradients(network, loss, form, rows, targets, weight=None):
    """Return the same from differences of the textbook formulas, rounded to float64."""
    parameters = np.concatenate(
        [part.ravel() for layer in network.layers for part in (layer.weight, layer.bias)]
    )

    def body(xp, moved):
        signal = np.broadcast_to(xp.to_balls(rows), (len(moved), *rows.shape))
        at = 0
        for layer in network.layers:
            width, units = layer.weight.shape
            w = moved[:, at : at + width * units].reshape(-1, width, units)
            at += width * units
            b = moved[:, np.newaxis, at : at + units]
            at += units
            signal = signal @ w + b
            if form == "prediction" or layer is not network.layers[-1]:
                signal = layer.activation.formula(xp, signal)
        shape = (len(moved), *targets.shape)
        losses = loss._unreduced_formula(xp, signal, np.broadcast_to(xp.to_balls(targets), shape))
        if loss._sums_rows:
            losses = losses.sum(-1)
        if weight is None:
            return losses.reshape(len(moved), -1).sum(-1) / losses[0].size
        w = xp.to_balls(weight).reshape(-1, *[1] * (losses.ndim - 2))
        total = (losses * w).reshape(len(moved), -1).sum(-1)
        return total / (w * np.ones(losses.shape[1:])).sum()

    return derivative(body, parameters[np.newaxis], rows=True)[0].astype(float)


def error(found, true):
    """Return the largest error of a gradient, against the larger of 1 and its largest entry."""
    return float(np.abs(found - true).max() / max(1.0, np.abs(true).max()))


def components(kind):
    """Return every installed component of a kind that needs no parameter, by name."""
    registry = lossfw.registry()
    made = {}
    for entry in registry.entries(kind):
        try:
            cls = registry.class_of(entry)
        except BrokenPluginError:
            continue  # the registry's own tests say so
        if not any(field.is_required() for field in cls.model_fields.values()):
            made[entry.name] = cls()
    return made


def fits(activation, loss):
    """Tell whether what an activation gives lies in the space that a loss takes."""
    if activation.to_config() == {"name": loss._expected_activation()}:
        return True
    spaces = getattr(loss.prediction_space, "spaces", (loss.prediction_space,))
    return all(_within(activation.out_space, space) for space in spaces)


def _within(inner, outer):
    if inner is outer:
        return True
    if not (hasattr(inner, "low") and hasattr(outer, "low")):
        return False
    return (
        outer.low <= inner.low
        and inner.high <= outer.high
        and (outer.low_included or not inner.low_included or outer.low < inner.low)
    )
