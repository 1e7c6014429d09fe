"""Line: what a network gives while its parameters move along a direction.

What comes before the first layer that moves is computed once. That layer's sums
are a constant plus the way times another constant, and each is rounded in its
own right: so where nothing but one parameter of the last layer moves, a logit
rises or falls with it and never flickers, to the last bit.

Everything is in float64: a float32 network is the same network in float64, whose
derivatives have digits to spare.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.nn.dense import Dense, Network
from lossfw.nn.sensitivity.directions import Direction
from lossfw.numerics.arrays import NDArray


class Reached(NamedTuple):
    """What comes out at one point of the way.

    Attributes
    ----------
    logits, predictions : ndarray, shape (rows, units)
        What goes into the last activation, and what comes out.
    logit_tangents, tangents : ndarray, shape (rows, units)
        Their derivatives with respect to the way.
    """

    logits: NDArray
    predictions: NDArray
    logit_tangents: NDArray
    tangents: NDArray


def in_float64(network: Network) -> Network:
    """Return the same network in float64; no number changes."""
    return Network(
        tuple(
            Dense(layer.weight.astype(np.float64), layer.bias.astype(np.float64), layer.activation)
            for layer in network.layers
        )
    )


class Start(NamedTuple):
    """What comes before a layer, computed once for all that moves from it on.

    Attributes
    ----------
    layer : int
        Which layer, from 0.
    signal : ndarray, shape (rows, width)
        What comes into it.
    sums : ndarray, shape (rows, units)
        What goes into its activation.
    """

    layer: int
    signal: NDArray
    sums: NDArray


def start_at(network: Network, layer: int, inputs: NDArray) -> Start:
    """Run all rows up to a layer's sums, in float64."""
    signal = np.asarray(inputs, np.float64)
    for before in network.layers[:layer]:
        signal = before.activation.value(np, before.pre_activation(signal))
    return Start(layer, signal, network.layers[layer].pre_activation(signal))


class ParameterLine:
    """A network along a direction.

    Parameters
    ----------
    network : Network
        In float64; at 0 of the way.
    direction : Direction
        Of the way.
    start : Start
        At the direction's first layer.
    """

    def __init__(self, network: Network, direction: Direction, start: Start) -> None:
        self.layers = network.layers[start.layer :]
        self.moves = direction.layers[start.layer :]
        move = self.moves[0]
        assert move is not None
        assert start.layer == direction.first
        self.base = start.sums
        self.tilt = np.zeros_like(start.sums)
        # One parameter moves one column.
        columns = np.flatnonzero(move.weight.any(axis=0) | (move.bias != 0))
        self.tilt[:, columns] = start.signal @ move.weight[:, columns] + move.bias[columns]

    def __len__(self) -> int:
        return len(self.base)

    def at(self, way: float | NDArray, rows: NDArray | slice = slice(None)) -> Reached:
        """Return what comes out.

        Parameters
        ----------
        way : float or ndarray, shape (rows, 1)
            How far, one for all rows or for each its own.
        rows : ndarray of int, or slice
            Which rows.
        """
        before = self.tilt[rows]
        sums = self.base[rows] + way * before
        signal, tangent = self._activated(0, sums, before)
        for index in range(1, len(self.layers)):
            sums, before = self._through(index, signal, tangent, way)
            signal, tangent = self._activated(index, sums, before)
        return Reached(sums, signal, before, tangent)

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
