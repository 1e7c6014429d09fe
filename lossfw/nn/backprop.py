"""Backpropagation: the gradient of a loss with respect to every weight of a network.

The loss gives its gradient with respect to its input, the predictions or the logits. Each
activation propagates it back by `vjp`, and its product with a layer's input is the gradient of the
layer's weights. A loss that is fused with the last activation starts at the logits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.evaluation.predictor import BLOCK_ROWS, outputs_for
from lossfw.losses.base import Form
from lossfw.losses.engine import threads
from lossfw.losses.loss import Loss
from lossfw.nn import large_arrays
from lossfw.nn.activation import Activation
from lossfw.nn.dense import Dense, Network
from lossfw.numerics.arrays import NDArray


class LayerGradient(NamedTuple):
    """The gradient of one layer."""

    # In the shapes and the dtype of the layer's arrays.
    weight: NDArray
    bias: NDArray


class Trace(NamedTuple):
    """The intermediate results of a forward pass."""

    # The input of each layer, (rows, width).
    signals: tuple[NDArray, ...]
    # The input of each activation, (rows, units).
    sums: tuple[NDArray, ...]
    # The derivative of each activation, where it comes with its value, (rows, units).
    gradients: tuple[NDArray | None, ...]
    # The output of the last layer, (rows, units).
    predictions: NDArray


def forward(layers: tuple[Dense, ...], rows: NDArray) -> Trace:
    """Run rows through layers, and keep the intermediate results for `backward`."""
    signals, sums, gradients, signal = [], [], [], rows
    for layer in layers:
        signals.append(signal)
        sums.append(layer.pre_activation(signal))
        signal, gradient = _with_gradient(layer.activation, sums[-1])
        gradients.append(gradient)
    return Trace(tuple(signals), tuple(sums), tuple(gradients), signal)


def _with_gradient(activation: Activation, x: NDArray) -> tuple[NDArray, NDArray | None]:
    """Return an activation, and its derivative if a gradient is only multiplied by it.

    Value and derivative share their exponentials. The bits are those of `vjp`.
    """
    if type(activation).vjp is Activation.vjp:
        return large_arrays.value_and_derivative(activation, x)
    return large_arrays.value(activation, x), None


def backward(
    layers: tuple[Dense, ...], trace: Trace, gradient: NDArray, form: Form
) -> tuple[LayerGradient, ...]:
    """Propagate a gradient back through layers; return one `LayerGradient` per layer.

    `gradient` (rows, units) is with respect to the predictions, or to the logits, as `form` says.
    """
    gradients: list[LayerGradient] = []
    for index in reversed(range(len(layers))):
        if form == "prediction" or index < len(layers) - 1:
            own = trace.gradients[index]
            if own is None:
                activation = layers[index].activation
                gradient = large_arrays.vjp(activation, trace.sums[index], gradient)
            else:
                gradient = own * gradient
        gradients.append(LayerGradient(trace.signals[index].T @ gradient, gradient.sum(axis=0)))
        if index:
            gradient = gradient @ layers[index].weight.T
    return tuple(reversed(gradients))


def loss_and_gradients(
    network: Network,
    loss: Loss,
    form: Form,
    rows: NDArray,
    targets: NDArray,
    sample_weight: NDArray | None = None,
    group: NDArray | None = None,
) -> tuple[float, tuple[LayerGradient, ...]]:
    """Return the weighted mean loss of some rows and its gradient with respect to every weight.

    For a loss of groups, `group` has the number of each row's group; without it all rows are one.

    Both passes run over blocks of `BLOCK_ROWS` rows, in parallel if there are several threads, and
    the blocks are added in order. The bits do not depend on the number of threads if BLAS has one
    (`lossfw.evaluation.predictor.one_blas_thread`). If all weights are 0, the mean and the gradient
    are 0.
    """
    layers = network.layers
    starts = range(0, len(rows), BLOCK_ROWS)
    traces = threads.run(lambda i: forward(layers, rows[i : i + BLOCK_ROWS]), starts)
    outputs = [trace.predictions if form == "prediction" else trace.sums[-1] for trace in traces]
    loss_input = outputs[0] if len(outputs) == 1 else np.concatenate(outputs)
    value, gradient = loss.value_and_gradient(
        outputs_for(loss, loss_input, targets),
        targets,
        sample_weight=sample_weight,
        empty="zero",
        group=group,
    )
    gradient = gradient.reshape(loss_input.shape)

    def backward_block(block: int) -> tuple[LayerGradient, ...]:
        start = block * BLOCK_ROWS
        return backward(layers, traces[block], gradient[start : start + BLOCK_ROWS], form)

    first, *rest = threads.run(backward_block, range(len(traces)))
    for part in rest:
        for total, more in zip(first, part, strict=True):
            for sum_, term in zip(total, more, strict=True):
                sum_ += term
    return value, first
