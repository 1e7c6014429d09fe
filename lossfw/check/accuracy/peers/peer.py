"""What a peer is, and which ones are installed."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lossfw.check.accuracy.points import Arrays
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# The library that has to be there, and the class that knows it.
_KNOWN = {
    "torch": "torch:Torch",
    "optax": "optax:Optax",
    "keras": "keras:Keras",
    "sklearn": "scikit_learn:ScikitLearn",
}


@dataclass(frozen=True)
class Offer:
    """One function of a peer, with its derivatives as far as it has them.

    Attributes
    ----------
    functions : tuple of callable
        By order of the derivative: arrays in, an array out, both NumPy's. Each
        is unreduced, and scaled to be the same function as ours. None stands
        for a form of target that it does not take.
    takes : callable or None
        From the arguments to the elements or rows of which it computes the same
        as we do; None for all. What is left out is not measured.
    """

    functions: tuple[Callable[..., NDArray | None], ...]
    takes: Callable[..., NDArray] | None = None

    def compute(self, order: int, arrays: Arrays) -> NDArray | None:
        """Return what the peer computes; None where it has no such derivative, or refuses."""
        if order >= len(self.functions):
            return None
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                # What a library says of such arguments is not asked here.
                warnings.simplefilter("ignore")
                result = self.functions[order](*arrays)
        except Exception:
            # A row of one class, say, is no problem to some and an error to others.
            return None
        return None if result is None else result.astype(arrays[0].dtype, copy=False)


def hard(y: NDArray, t: NDArray) -> NDArray:
    """Tell which targets are 0 or 1: of others, some libraries make something else."""
    return np.asarray((t == 0) | (t == 1))


def positive(y: NDArray, t: NDArray) -> NDArray:
    """Tell where both are above 0: some libraries take what is below for 0."""
    return np.asarray((y > 0) & (t > 0))


class Peer(Protocol):
    """A library with losses or activations."""

    @property
    def name(self) -> str:
        """How its column is headed."""

    @property
    def version(self) -> str:
        """The version that is installed."""

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""


@functools.cache
def installed() -> tuple[Peer, ...]:
    """Return the peers that are installed; they are imported here."""
    found = []
    for library, target in _KNOWN.items():
        if importlib.util.find_spec(library) is not None:
            module, _, name = target.partition(":")
            found.append(
                getattr(importlib.import_module(f"lossfw.check.accuracy.peers.{module}"), name)()
            )
    return tuple(found)
