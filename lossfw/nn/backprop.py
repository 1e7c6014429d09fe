"""Backward pass: the gradient of a loss with respect to every weight of a network.

The chain rule from the published derivatives: the loss gives its gradient with
respect to what reaches it, each activation takes it back through `vjp`, and
each layer's weights get the product with what came in. A loss that is fused
with the last activation begins at the logits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.evaluation.predictor import BLOCK_ROWS
from lossfw.losses.base import Form
from lossfw.losses.engine import threads
from lossfw.losses.loss import Loss
from lossfw.nn.dense import Dense, Network
from lossfw.numerics.arrays import NDArray


class Slopes(NamedTuple):
    """The gradient of one layer.

    Attributes
    ----------
    weight, bias : ndarray
        In the shapes and dtype of the layer's own.
    """

    weight: NDArray
    bias: NDArray


class Trace(NamedTuple):
    """What went through a network.

    Attributes
    ----------
    signals : tuple of ndarray, shape (rows, width)
        What came into each layer.
    sums : tuple of ndarray, shape (rows, units)
        What went into each layer's activation.
    predictions : ndarray, shape (rows, units)
        What came out of the last.
    """

    signals: tuple[NDArray, ...]
    sums: tuple[NDArray, ...]
    predictions: NDArray


def forward(layers: tuple[Dense, ...], rows: NDArray) -> Trace:
    """Run rows through layers and keep all that the way back needs."""
    signals, sums, signal = [], [], rows
    for layer in layers:
        signals.append(signal)
        sums.append(layer.pre_activation(signal))
        signal = layer.activation.value(np, sums[-1])
    return Trace(tuple(signals), tuple(sums), signal)


def backward(
    layers: tuple[Dense, ...], trace: Trace, slope: NDArray, form: Form
) -> tuple[Slopes, ...]:
    """Take a gradient back through layers.

    Parameters
    ----------
    layers : tuple of Dense
        From the first to the last.
    trace : Trace
        What `forward` kept.
    slope : ndarray, shape (rows, units)
        The gradient with respect to the predictions, or to the logits.
    form : {"prediction", "logits"}
        Which of the two.

    Returns
    -------
    tuple of Slopes
        One for each layer, in their order.
    """
    found: list[Slopes] = []
    for index in reversed(range(len(layers))):
        if form == "prediction" or index < len(layers) - 1:
            slope = layers[index].activation.vjp(np, trace.sums[index], slope)
        found.append(Slopes(trace.signals[index].T @ slope, slope.sum(axis=0)))
        if index:
            slope = slope @ layers[index].weight.T
    return tuple(reversed(found))


def loss_and_slopes(
    network: Network,
    loss: Loss,
    form: Form,
    rows: NDArray,
    targets: NDArray,
    sample_weight: NDArray | None = None,
) -> tuple[float, tuple[Slopes, ...]]:
    """Return the mean loss of some rows and its gradient with respect to every weight.

    Both passes run over blocks of `BLOCK_ROWS` rows, several at a time where
    there are several threads, and the blocks are added in their order: no bit
    depends on the threads, if BLAS is held to one meanwhile
    (`lossfw.nn.dense.one_blas_thread`).

    Parameters
    ----------
    network : Network
        What makes predictions.
    loss : Loss
        In the form that `form` says.
    form : {"prediction", "logits"}
        What reaches the loss.
    rows : ndarray, shape (N, width)
        Inputs in the network's dtype.
    targets : ndarray, shape (N, ...)
        As the loss takes them.
    sample_weight : ndarray, optional
        As the loss takes it. The mean of nothing is 0, and so is its gradient.

    Returns
    -------
    loss : float
        The weighted mean.
    slopes : tuple of Slopes
        One for each layer.
    """
    layers = network.layers
    starts = range(0, len(rows), BLOCK_ROWS)
    traces = threads.run(lambda i: forward(layers, rows[i : i + BLOCK_ROWS]), starts)
    kept = [trace.sums[-1] if form == "logits" else trace.predictions for trace in traces]
    reaching = kept[0] if len(kept) == 1 else np.concatenate(kept)
    value, slope = loss.value_and_gradient(
        reaching, targets, sample_weight=sample_weight, empty="zero"
    )

    def back(block: int) -> tuple[Slopes, ...]:
        start = block * BLOCK_ROWS
        return backward(layers, traces[block], slope[start : start + BLOCK_ROWS], form)

    first, *rest = threads.run(back, range(len(traces)))
    for part in rest:
        for total, more in zip(first, part, strict=True):
            for sum_, term in zip(total, more, strict=True):
                sum_ += term
    return value, first
