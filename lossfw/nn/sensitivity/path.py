"""The outputs of a network while its parameters move along a direction.

The layers before the first one that moves are computed once. The sums of that layer are a
constant plus the way times another constant, each rounded separately: so if only one
parameter of the last layer moves, a logit is monotone in it to the last bit.

All computations are in float64; a float32 network is converted without a change of its
parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.metrics import Metric
from lossfw.nn.dense import Dense, Network
from lossfw.nn.sensitivity.directions import Direction
from lossfw.numerics.arrays import NDArray


class LineOutputs(NamedTuple):
    """The outputs of a network at a point of the way."""

    # Input and output of the last activation, (rows, units).
    logits: NDArray
    predictions: NDArray
    # Their derivatives with respect to the way, (rows, units).
    logit_tangents: NDArray
    tangents: NDArray

    def seen_by(self, metric: Metric) -> NDArray:
        """Return what a metric takes, logits or predictions."""
        return self.logits if metric.accepts == "logits" else self.predictions


def in_float64(network: Network) -> Network:
    """Return the same network in float64."""
    return Network(
        tuple(
            Dense(layer.weight.astype(np.float64), layer.bias.astype(np.float64), layer.activation)
            for layer in network.layers
        )
    )


class SharedForward(NamedTuple):
    """The forward pass up to a layer, which all points of a line share."""

    # The number of the layer, from 0.
    layer: int
    # Its input, (rows, width).
    signal: NDArray
    # The input of its activation, (rows, units).
    sums: NDArray


def start_at(network: Network, layer: int, inputs: NDArray) -> SharedForward:
    """Run all rows up to a layer's sums, in float64."""
    signal = np.asarray(inputs, np.float64)
    for before in network.layers[:layer]:
        signal = before.activation.value(np, before.pre_activation(signal))
    return SharedForward(layer, signal, network.layers[layer].pre_activation(signal))


class ParameterLine:
    """A network in float64 along a direction; it is at 0 of the way."""

    def __init__(self, network: Network, direction: Direction, start: SharedForward) -> None:
        self.layers = network.layers[start.layer :]
        self.moves = direction.layers[start.layer :]
        move = self.moves[0]
        assert move is not None
        assert start.layer == direction.first
        self.base = start.sums
        self.tilt = np.zeros_like(start.sums)
        # A single parameter moves one column only.
        columns = np.flatnonzero(move.weight.any(axis=0) | (move.bias != 0))
        self.tilt[:, columns] = start.signal @ move.weight[:, columns] + move.bias[columns]

    def __len__(self) -> int:
        return len(self.base)

    def at(self, way: float | NDArray, rows: NDArray | slice = slice(None)) -> LineOutputs:
        """Return outputs of rows at points of the way, one for all or (rows, 1) for each."""
        before = self.tilt[rows]
        sums = self.base[rows] + way * before
        signal, tangent = self._activated(0, sums, before)
        for index in range(1, len(self.layers)):
            sums, before = self._through(index, signal, tangent, way)
            signal, tangent = self._activated(index, sums, before)
        return LineOutputs(sums, signal, before, tangent)

    def _activated(self, index: int, sums: NDArray, tangent: NDArray) -> tuple[NDArray, NDArray]:
        activation = self.layers[index].activation
        return activation.value(np, sums), activation.jvp(np, sums, tangent)

    def _through(
        self, index: int, signal: NDArray, tangent: NDArray, way: float | NDArray
    ) -> tuple[NDArray, NDArray]:
        """Return the sums of a layer and their derivatives."""
        layer, move = self.layers[index], self.moves[index]
        sums = layer.pre_activation(signal)
        slope = tangent @ layer.weight
        if move is not None:
            tilt = signal @ move.weight + move.bias
            sums = sums + way * tilt
            slope = slope + tilt + way * (tangent @ move.weight)
        return sums, slope
