"""Weights under the names of other libraries, brought into the names and the layout used here.

The own names are ``W1`` of shape (inputs, units), ``b1`` of shape (units,), ``W2`` and so on.
Scikit-learn's are ``coefs_0`` and ``intercepts_0``, of the same shapes. PyTorch's are
``0.weight`` of shape (units, inputs) and ``0.bias``, with any name before the dot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

_OWN = re.compile(r"[Wb][1-9]\d*")
_SKLEARN = re.compile(r"(coefs|intercepts)_(\d+)")
_TORCH = re.compile(r"(.+)\.(weight|bias)")

# Beyond, there are too many orders of layers to try.
_MOST_UNNUMBERED = 6
_SAVE = "Save them as W1, b1, W2 ... with (inputs, units): numpy.savez(file, W1=weight.T, b1=bias)."


def to_own_names(
    arrays: Mapping[str, NDArray], units: Sequence[int], file: str
) -> dict[str, NDArray]:
    """Return arrays under the names ``W1``, ``b1``, ``W2`` ..., weights as (inputs, units).

    Arrays under names of no known kind stay as they are. The units of the configured layers tell
    the layout of PyTorch's weights.
    """
    if all(_OWN.fullmatch(name) for name in arrays):
        return dict(arrays)
    if arrays and all(_SKLEARN.fullmatch(name) for name in arrays):
        parts = {name: name.rsplit("_", 1) for name in arrays}
        return {
            f"{'W' if kind == 'coefs' else 'b'}{int(number) + 1}": arrays[name]
            for name, (kind, number) in parts.items()
        }
    if arrays and all(_TORCH.fullmatch(name) for name in arrays):
        return _from_torch_names(arrays, units, file)
    return dict(arrays)


def _from_torch_names(
    arrays: Mapping[str, NDArray], units: Sequence[int], file: str
) -> dict[str, NDArray]:
    layers = sorted({name.rpartition(".")[0] for name in arrays}, key=_natural_key)
    for layer in layers:
        for part in ("weight", "bias"):
            if f"{layer}.{part}" not in arrays:
                raise DataError(
                    f"{file} has no {layer}.{part}: a dense layer has a weight and a bias. A "
                    "layer without a bias has a bias of zeros; other layers are not read."
                )
    weights = {layer: arrays[f"{layer}.weight"] for layer in layers}
    found = _Layout(tuple(layers), turned=False)
    if len(layers) == len(units) and all(weight.ndim == 2 for weight in weights.values()):
        found = _find_layout(weights, units, file)
    named = {}
    for number, layer in enumerate(found.layers, start=1):
        named[f"W{number}"] = weights[layer].T if found.turned else weights[layer]
        named[f"b{number}"] = arrays[f"{layer}.bias"]
    return named


class _Layout(NamedTuple):
    """The order of the layers, and whether weights are (units, inputs)."""

    layers: tuple[str, ...]
    turned: bool


def _find_layout(weights: Mapping[str, NDArray], units: Sequence[int], file: str) -> _Layout:
    """Return the one layout that the shapes allow."""
    orders: Iterable[tuple[str, ...]] = [tuple(weights)]
    # The names tell the order if they differ only in a number: 0, 2, 4 or fc1, fc2.
    numbered = len({re.sub(r"\d+", "0", layer) for layer in weights}) == 1
    if not numbered and len(weights) <= _MOST_UNNUMBERED:
        orders = permutations(weights)
    fits = [
        _Layout(order, turned)
        for order in orders
        for turned in (True, False)
        if _fits([weights[n].shape[::-1] if turned else weights[n].shape for n in order], units)
    ]
    if len({layout.layers for layout in fits}) > 1:
        raise DataError(
            f"{file}: neither the names {', '.join(weights)} nor the shapes show the order of the "
            f"layers. {_SAVE}"
        )
    if len(fits) > 1:
        raise DataError(
            f"{file}: the weights are square, so their shapes do not show whether they are (units, "
            f"inputs), as in PyTorch, or (inputs, units). {_SAVE}"
        )
    # Where nothing fits, the check of the layers names both shapes.
    return fits[0] if fits else _Layout(tuple(weights), turned=True)


def _fits(shapes: Sequence[tuple[int, ...]], units: Sequence[int]) -> bool:
    """Tell whether shapes (inputs, units) fit the layers and each other."""
    wanted = zip([shapes[0][0], *units[:-1]], units, strict=True)
    return list(shapes) == list(wanted)


def _natural_key(name: str) -> list[tuple[int, str]]:
    """Return a sort key that compares numbers in names as numbers.

    Examples
    --------
    >>> sorted(["fc10", "fc2"], key=_natural_key)
    ['fc2', 'fc10']
    """
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if place % 2 else (0, part) for place, part in enumerate(parts)]
