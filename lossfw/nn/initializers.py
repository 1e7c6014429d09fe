"""Initial weights of a network: random, or read from a file."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, TypeAlias

import numpy as np
from pydantic import PositiveFloat

from lossfw.components.component import Component
from lossfw.data import File
from lossfw.data.weights import read_weights
from lossfw.nn.dense import LayerSpec, Network
from lossfw.numerics.arrays import NDArray

NamedArrays: TypeAlias = dict[str, NDArray]


class Initializer(Component, ABC):
    """A rule for the initial weights of a network."""

    kind: ClassVar[str] = "initializer"

    @abstractmethod
    def arrays(self, widths: Sequence[int], rng: np.random.Generator) -> NamedArrays:
        """Return ``W1`` of shape (width, units), ``b1`` of shape (units,), ``W2`` ...

        The widths are those of the inputs, then the units of each layer.
        """

    def network(
        self, specs: Sequence[LayerSpec], width: int, dtype: str, rng: np.random.Generator
    ) -> Network:
        """Return a network with initial weights."""
        arrays = self.arrays([width, *(spec.units for spec in specs)], rng)
        arrays = {name: array.astype(dtype) for name, array in arrays.items()}
        return Network.from_arrays(specs, arrays, str(self), dtype)


class RandomInitializer(Initializer):
    """Weights from a normal distribution, with biases 0."""

    @abstractmethod
    def standard_deviation(self, width: int, units: int) -> float:
        """Return the standard deviation for a layer."""

    def arrays(self, widths: Sequence[int], rng: np.random.Generator) -> NamedArrays:
        """Draw the weights of one layer after another; see `Initializer.arrays`."""
        arrays: NamedArrays = {}
        for number, (width, units) in enumerate(pairwise(widths), start=1):
            spread = self.standard_deviation(width, units)
            arrays[f"W{number}"] = spread * rng.standard_normal((width, units))
            arrays[f"b{number}"] = np.zeros(units)
        return arrays


class Normal(RandomInitializer):
    """One standard deviation for all layers.

    Parameters
    ----------
    scale : float
        The standard deviation.
    """

    scale: PositiveFloat = 0.01

    def standard_deviation(self, width: int, units: int) -> float:
        """Return `scale`."""
        return self.scale


class Xavier(RandomInitializer):
    """For sigmoid, tanh and softmax: variance 2 / (width + units).

    Notes
    -----
    Source: Glorot and Bengio, *Understanding the difficulty of training deep
    feedforward neural networks*, 2010, eq. 12.
    """

    def standard_deviation(self, width: int, units: int) -> float:
        """Return the root of 2 / (width + units)."""
        return math.sqrt(2 / (width + units))


class He(RandomInitializer):
    """For relu and similar activations: variance 2 / width.

    Notes
    -----
    Source: He, Zhang, Ren and Sun, *Delving deep into rectifiers*, 2015, eq. 10.
    """

    def standard_deviation(self, width: int, units: int) -> float:
        """Return the root of 2 / width."""
        return math.sqrt(2 / width)


class FileInitializer(Initializer):
    """Weights from a file, as another training writes it.

    Parameters
    ----------
    file : File
        A ``.npz`` or a pickle of NumPy arrays, with ``W1``, ``b1``, ``W2`` ...
    """

    name: ClassVar[str] = "file"

    file: File

    def arrays(self, widths: Sequence[int], rng: np.random.Generator) -> NamedArrays:
        """Read the file; see `Initializer.arrays`."""
        return read_weights(self.file)

    def __str__(self) -> str:
        return str(self.file)


# The rules by name, for configurations.
INITIALIZERS: dict[str, type[Initializer]] = {
    cls.name: cls for cls in (Normal, Xavier, He, FileInitializer)
}
