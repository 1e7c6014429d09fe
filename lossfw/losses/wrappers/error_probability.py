"""The probability that a prediction does not give to the target, and its derivatives."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.losses.loss import Loss
from lossfw.numerics import positive_part, sigmoid, softmax, softmax_complement
from lossfw.numerics.arrays import Array, Namespace

# Where a prediction's probabilities come from.
OutputKind: TypeAlias = Literal["rows", "softmax", "elements", "sigmoid"]


# Above it a target is nearer to 1 than to 0.
_HALF = 0.5


class Missed(NamedTuple):
    """u = 1 - p_t with its derivatives.

    Attributes
    ----------
    share : array
        u: one for each row or element.
    slope, bend : array
        First and second derivative, in the shape of the prediction.
    """

    share: Array
    slope: Array
    bend: Array


def probability_of(loss: Loss) -> OutputKind | None:
    """Tell how the predictions of a loss give probabilities; None if they do not."""
    if loss.input_form == "logits":
        kinds: dict[tuple[str | None, bool], OutputKind] = {
            ("softmax", True): "softmax",
            ("sigmoid", False): "sigmoid",
        }
        return kinds.get((loss.link_name, loss.takes_rows))
    if loss.prediction_space == SIMPLEX:
        return "rows"
    return "elements" if loss.prediction_space == UNIT and not loss.takes_rows else None


def missed_share(xp: Namespace, loss: Loss, y: Array, t: Array) -> Array:
    """Return 1 - p_t, with the digits of its small values.

    Parameters
    ----------
    xp : namespace
    loss : Loss
        Whose predictions they are.
    y, t : array
        Prediction and target of one shape.

    Returns
    -------
    array
        One for each row, or for each element, and never below 0.
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


def missed(xp: Namespace, loss: Loss, y: Array, t: Array) -> Missed:
    """Return 1 - p_t with its first and second derivative by the prediction."""
    kind = probability_of(loss)
    share = missed_share(xp, loss, y, t)
    if kind == "rows":
        return Missed(share, -t, xp.zeros_like(y))
    if kind == "softmax":
        p = softmax(xp, y)
        given = xp.sum(t * p, axis=-1, keepdims=True)
        # t - p_t, from whichever of p_t and 1 - p_t is known to the last digit.
        excess = xp.where(t > _HALF, (t - 1.0) + share[..., None], t - given)
        return Missed(share, -p * excess, -p * excess * (softmax_complement(xp, y) - p))
    if kind == "sigmoid":
        slope = (1.0 - 2.0 * t) * sigmoid(xp, y) * sigmoid(xp, -y)
        return Missed(share, slope, -slope * xp.tanh(0.5 * y))
    return Missed(share, 1.0 - 2.0 * t, xp.zeros_like(y))
