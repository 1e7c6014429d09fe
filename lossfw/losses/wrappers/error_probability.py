"""One minus the predicted probability of the target, and its derivatives."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.losses.loss import Loss
from lossfw.numerics import positive_part, sigmoid, softmax, softmax_complement
from lossfw.numerics.arrays import Array, Namespace

# Where a prediction's probabilities come from.
OutputKind: TypeAlias = Literal["rows", "softmax", "elements", "sigmoid"]


class ErrorProbability(NamedTuple):
    """1 - p_t, one for each row or element, with its derivatives in the prediction's shape."""

    value: Array
    derivative: Array
    second_derivative: Array


def probability_of(loss: Loss) -> OutputKind | None:
    """Return how the predictions of a loss give probabilities; None if they do not."""
    if loss._takes_raw_outputs:
        kinds: dict[tuple[str | None, bool], OutputKind] = {
            ("softmax", True): "softmax",
            ("sigmoid", False): "sigmoid",
        }
        return kinds.get((loss.output_activation, loss.takes_rows))
    if loss.prediction_space == SIMPLEX:
        return "rows"
    return "elements" if loss.prediction_space == UNIT and not loss.takes_rows else None


def error_probability(xp: Namespace, loss: Loss, y: Array, t: Array) -> Array:
    """Return 1 - p_t, accurate near 0 and never negative.

    It is one number for each row, or for each element; `y` and `t` have one shape.
    """
    kind = probability_of(loss)
    if kind == "rows":
        # A row may sum to a little more than 1.
        return positive_part(xp, xp.sum(t * (1.0 - y), axis=-1))
    if kind == "softmax":
        return xp.sum(t * softmax_complement(xp, y), axis=-1)
    if kind == "sigmoid":
        return t * sigmoid(xp, -y) + (1.0 - t) * sigmoid(xp, y)
    return t * (1.0 - y) + (1.0 - t) * y


def error_probability_with_derivatives(
    xp: Namespace, loss: Loss, y: Array, t: Array
) -> ErrorProbability:
    """Return 1 - p_t with its first and second derivative by the prediction."""
    kind = probability_of(loss)
    value = error_probability(xp, loss, y, t)
    if kind == "rows":
        return ErrorProbability(value, -t, xp.zeros_like(y))
    if kind == "softmax":
        p = softmax(xp, y)
        # t - p_t, as differences from the target of the most probable class: beside a p near 1,
        # those of the others keep their digits.
        is_first = p >= xp.max(p, axis=-1, keepdims=True)
        first = xp.max(xp.where(is_first, t, xp.zeros_like(t)), axis=-1, keepdims=True)
        excess = (t - first) + xp.sum((first - t) * p, axis=-1, keepdims=True)
        return ErrorProbability(value, -p * excess, -p * excess * (softmax_complement(xp, y) - p))
    if kind == "sigmoid":
        derivative = (1.0 - 2.0 * t) * sigmoid(xp, y) * sigmoid(xp, -y)
        return ErrorProbability(value, derivative, -derivative * xp.tanh(0.5 * y))
    return ErrorProbability(value, 1.0 - 2.0 * t, xp.zeros_like(y))
