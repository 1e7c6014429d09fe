"""Parameters of a network by name, and directions in the space of parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lossfw.components.naming import did_you_mean
from lossfw.errors import ArgumentError
from lossfw.nn.backprop import LayerGradient
from lossfw.nn.dense import Dense, Network
from lossfw.numerics.arrays import NDArray

# "layers.2.weights[17,4]", "layers.0.bias[3]".
_NAME = re.compile(r"layers\.(\d{1,9})\.(\w+)\[(\d{1,9}(?:\s*,\s*\d{1,9})*)\]")
_PARTS = ("weights", "bias")


class Parameter(NamedTuple):
    """A parameter of a network."""

    # From 0, as an override counts them.
    layer: int
    # The array of the layer.
    part: str
    # Row and column of a weight, or the index of a bias.
    place: tuple[int, ...]

    def __str__(self) -> str:
        return f"layers.{self.layer}.{self.part}[{','.join(map(str, self.place))}]"

    def value(self, network: Network) -> float:
        """Return its value."""
        return float(_array(network.layers[self.layer], self.part)[self.place])


def find_parameter(name: str, network: Network) -> Parameter:
    """Return the parameter of a network by its name.

    The name is ``layers.LAYER.weights[ROW,COLUMN]`` or ``layers.LAYER.bias[PLACE]``, all counted
    from 0. A row of weights belongs to one input of the layer, a column to one of its units.
    """
    match = _NAME.fullmatch(name.strip())
    if match is None:
        raise _unknown(name, network, "a name is layers.0.weights[1,2] or layers.0.bias[1]")
    layer, part = int(match[1]), match[2]
    index = tuple(int(place) for place in match[3].split(","))
    if layer >= len(network.layers):
        raise _unknown(name, network, f"there is no layers.{layer}")
    if part not in _PARTS:
        guess = did_you_mean(part, _PARTS).rstrip("?") or "weights and bias are"
        raise _unknown(name, network, f"a layer has no {part!r}; {guess.lower()}")
    shape = _array(network.layers[layer], part).shape
    if len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=True)):
        raise _unknown(name, network, f"{part} of layers.{layer} have shape {shape}")
    return Parameter(layer, part, index)


def _array(layer: Dense, part: str) -> NDArray:
    return layer.weight if part == "weights" else layer.bias


def _unknown(name: str, network: Network, why: str) -> ArgumentError:
    shapes = "; ".join(
        f"layers.{number}.weights {layer.weight.shape}, layers.{number}.bias {layer.bias.shape}"
        for number, layer in enumerate(network.layers)
    )
    return ArgumentError(f"there is no parameter {name!r}: {why}. The network has {shapes}.")


@dataclass(frozen=True, eq=False)
class Direction:
    """The move of each parameter per unit of the way."""

    # Its name in tables.
    name: str
    # One for each layer; None for a layer that does not move.
    layers: tuple[LayerGradient | None, ...]

    @property
    def first(self) -> int:
        """The first layer that moves."""
        return next(i for i, layer in enumerate(self.layers) if layer is not None)


def along_parameter(parameter: Parameter, network: Network) -> Direction:
    """Return the direction in which one parameter grows and the others stay."""
    moves: list[LayerGradient | None] = [None] * len(network.layers)
    layer = network.layers[parameter.layer]
    slopes = LayerGradient(np.zeros_like(layer.weight), np.zeros_like(layer.bias))
    (slopes.weight if parameter.part == "weights" else slopes.bias)[parameter.place] = 1
    moves[parameter.layer] = slopes
    return Direction(str(parameter), tuple(moves))


def along(name: str, slopes: Sequence[LayerGradient]) -> Direction:
    """Return a direction normalised to length 1 over all parameters."""
    length = np.sqrt(sum(float(np.sum(part * part)) for layer in slopes for part in layer))
    if not length > 0:
        raise ArgumentError(f"the {name} has length {length}, and so no direction.")
    return Direction(
        name, tuple(LayerGradient(layer.weight / length, layer.bias / length) for layer in slopes)
    )


def drawn(network: Network, count: int, seed: int) -> list[Direction]:
    """Return random directions, uniform over the sphere."""
    random = np.random.default_rng(seed)

    def one(number: int) -> Direction:
        slopes = [
            LayerGradient(
                np.asarray(random.normal(size=layer.weight.shape)),
                np.asarray(random.normal(size=layer.bias.shape)),
            )
            for layer in network.layers
        ]
        return along(f"drawn direction {number}", slopes)

    return [one(number) for number in range(1, count + 1)]
