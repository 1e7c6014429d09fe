"""Losses and activations of other libraries, to be measured beside ours.

A table for each library says which function has the formula of one of ours, how
its parameters are called, and at which of our parameters. Each is adapted as by
`lossfw.check.foreign.adapters`. Libraries are optional.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.subject import ArgumentArrays, Function
from lossfw.check.foreign import loading
from lossfw.check.foreign.adapters import Foreign, by_convention
from lossfw.check.foreign.libraries import Adapted, Lifting
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True)
class Offer:
    """One function of a peer, with the derivatives that it has.

    Attributes
    ----------
    functions : tuple of callable
        By order of the derivative: arrays in, an array out, both NumPy's. Each
        is unreduced, and scaled to be the same function as ours. None stands
        for a form of target that it does not take.
    takes : callable or None
        From the arguments to the elements or rows at which it computes the same
        function as ours; None for all. Others are not measured.
    """

    functions: tuple[Callable[..., NDArray | None], ...]
    takes: Callable[..., NDArray] | None = None

    def compute(self, order: int, arrays: ArgumentArrays) -> NDArray | None:
        """Return the peer's results; None where it lacks the derivative or refuses."""
        if order >= len(self.functions):
            return None
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                # A library's warnings about such arguments do not matter here.
                warnings.simplefilter("ignore")
                result = self.functions[order](*arrays)
        except Exception:
            # A row of one class, say, is no problem to some and an error to others.
            return None
        return None if result is None else result.astype(arrays[0].dtype, copy=False)


# Makes a function of the library's arrays, or an `Adapted`, from its function and our parameters.
Maker = Callable[[Any, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class PeerFunction:
    """A function of a library that has the formula of one of our components.

    Attributes
    ----------
    function : str
        ``module:function``.
    parameters : tuple of str
        Ours that are handed over, as ``"name"`` or ``"their_name=name"``.
    when : mapping
        Our parameters at which it is the same function.
    make : callable or None
        Where the library's convention does not make it ours.
    takes : callable or None
        See `Offer`.
    times : float or str
        Our loss is so many times what the library computes; the name of a parameter of ours
        stands for its value.
    """

    function: str
    parameters: tuple[str, ...]
    when: Mapping[str, Any]
    make: Maker | None = None
    takes: Callable[..., NDArray] | None = None
    times: float | str = 1

    @property
    def call(self) -> str:
        """The function as its library calls it, with those of its parameters that are ours."""
        named = (text.rpartition("=") for text in self.parameters)
        given = ", ".join(f"{theirs or name}={name}" for theirs, _, name in named)
        module, _, name = self.function.partition(":")
        return f"{module}.{name}({given})"

    def fits(self, component: Loss | Activation) -> bool:
        """Tell whether it is the same function at the parameters of a component."""
        return all(component.parameters.get(k, False) == value for k, value in self.when.items())

    def body(self, component: Loss | Activation) -> Any:
        """Return it at the parameters of a component, as `make` does."""
        function, ours = loading.load(self.function), component.parameters
        if self.make is not None:
            return self.make(function, ours)
        named = (text.rpartition("=") for text in self.parameters)
        given = {theirs or name: ours[name] for theirs, _, name in named}
        foreign = Foreign(function, "", given, rows=component.takes_rows)
        if isinstance(component, Activation):
            return foreign.body()
        adapted = by_convention(self.function, foreign)
        return adapted.scaled(ours[self.times] if isinstance(self.times, str) else self.times)


def offered(
    function: str,
    *parameters: str,
    make: Maker | None = None,
    takes: Callable[..., NDArray] | None = None,
    times: float | str = 1,
    **when: Any,
) -> PeerFunction:
    """Return an entry of a table; see `PeerFunction`."""
    return PeerFunction(function, parameters, when, make, takes, times)


# By our names; of several entries the first that fits counts.
PeerTable = dict[str, PeerFunction | tuple[PeerFunction, ...]]


@dataclass(frozen=True)
class Peer:
    """A library with losses or activations.

    Attributes
    ----------
    name : str
        The head of its column.
    module : str
        Has its version.
    table : mapping
    lift : callable
        See `lossfw.check.foreign.libraries`.
    derivatives : int
        How many derivatives are the library's own.
    """

    name: str
    module: str
    table: PeerTable
    lift: Lifting
    derivatives: int = 2

    @property
    def version(self) -> str:
        """The version that is installed."""
        module = importlib.import_module(self.module)
        if self.module == "keras":
            return f"{module.__version__} on {module.backend.backend()}"
        if self.module == "optax":
            return f"{module.__version__} on JAX {importlib.import_module('jax').__version__}"
        return str(module.__version__)

    def offer(self, component: Loss | Activation) -> Offer | None:
        """Return its function for a component, None where it has none."""
        entries = self.table.get(component.name, ())
        entries = entries if isinstance(entries, tuple) else (entries,)
        found = next((one for one in entries if one.fits(component)), None)
        if found is None:
            return None
        body = found.body(component)
        adapted = body if isinstance(body, Adapted) else self.lift(body)
        functions = [adapted.value, adapted.gradient, adapted.hessian]
        if component.takes_rows:
            functions[2] = None
            if isinstance(component, Activation):
                functions[1] = _jacobian(body, self.lift)
        own = functions[: self.derivatives + 1]
        return Offer(tuple(one for one in own if one is not None), found.takes)


def _jacobian(body: Function, lift: Lifting) -> Function:
    """Return the Jacobian of a function of rows, [row, result, argument]."""

    def jacobian(x: NDArray) -> NDArray:
        columns = (lift(lambda y, k=k: body(y)[:, k]) for k in range(x.shape[-1]))
        return np.stack([column.gradient(x) for column in columns if column.gradient], axis=1)

    return jacobian
