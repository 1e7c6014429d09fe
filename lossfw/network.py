"""Network: dense layers with activations, run in blocks that keep every bit.

A matrix product gives other bits when its rows are shared out otherwise. So a
network runs over blocks of `BLOCK_ROWS` rows aligned to the global row number,
the last one padded, on one BLAS thread: what comes out for a row depends on
neither the batch size nor the number of cores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossfw.activation import Activation
from lossfw.errors import DataError, ShapeError

NDArray = np.ndarray[Any, np.dtype[Any]]

# Rows of a block: enough for a matrix product to run at full speed, few enough
# for a block of inputs and its hidden layers to stay in the second-level cache.
BLOCK_ROWS = 256

# What a network computes in.
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class LayerSpec(NamedTuple):
    """What a configuration says of one layer.

    Attributes
    ----------
    units : int
        How many numbers come out of it.
    activation : Activation
        What they pass through.
    """

    units: int
    activation: Activation


class Outputs(NamedTuple):
    """What a network gives for a block of rows.

    Attributes
    ----------
    logits, predictions : ndarray, shape (rows, units)
        What goes into the last activation, and what comes out.
    """

    logits: NDArray
    predictions: NDArray


@dataclass(frozen=True, eq=False)
class Dense:
    """One layer: ``activation(x @ weight + bias)`` for rows ``x``.

    Attributes
    ----------
    weight : ndarray, shape (width, units)
        In C order, float32 or float64.
    bias : ndarray, shape (units,)
        Of the same dtype.
    activation : Activation
        Row-wise ones act on the last axis.
    """

    weight: NDArray
    bias: NDArray
    activation: Activation

    def pre_activation(self, rows: NDArray) -> NDArray:
        """Return ``rows @ weight + bias``, a new array."""
        result = rows @ self.weight
        result += self.bias
        return result


@dataclass(frozen=True, eq=False)
class Network:
    """Dense layers in a row.

    Parameters
    ----------
    layers : tuple of Dense
        At least one; each takes what the one before it gives, all in one dtype.
        `from_arrays` makes them from named arrays and checks them.
    """

    layers: tuple[Dense, ...]

    @classmethod
    def from_arrays(
        cls, specs: Sequence[LayerSpec], arrays: Mapping[str, NDArray], file: str
    ) -> Network:
        """Make a network from a configuration's layers and the arrays of a file.

        Parameters
        ----------
        specs : sequence of LayerSpec
            The layers as configured.
        arrays : mapping of str to ndarray
            ``W1`` of shape (width, units), ``b1`` of shape (units,), ``W2`` ...
        file : str
            Where the arrays come from, for messages.

        Raises
        ------
        DataError
            If a layer lacks its arrays or there are arrays of more layers, or
            if a shape or dtype does not fit; it shows the layer, both shapes
            and the file.
        """
        raise NotImplementedError

    @property
    def width(self) -> int:
        """How many numbers a row of inputs has."""
        return int(self.layers[0].weight.shape[0])

    @property
    def units(self) -> int:
        """How many numbers come out for a row."""
        return int(self.layers[-1].weight.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the network computes in; inputs are converted to it."""
        return self.layers[0].weight.dtype
