"""``lossfw eval``: a loss of a few numbers, with its derivatives and its exact value."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

import click
import numpy as np

from lossfw.cli.arguments import (
    find,
    make,
    parameter_option,
    read_array_argument,
    read_parameters,
)
from lossfw.cli.options import json_option, plugin_options, say_json
from lossfw.components.registry import KINDS, Registry
from lossfw.errors import ArgumentError, LossfwError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, NDArray
from lossfw.runs.files import say

# By order of the derivative.
_NAMES = ("value", "gradient", "hessian")

# Longer arrays are cut in the text: the JSON has the whole.
_SHOWN_NUMBERS = 200

# Predictions and targets of the usual shapes and spaces: the first that a loss takes is shown.
_EXAMPLES: tuple[tuple[list[Any], list[Any]], ...] = (
    ([0.5, 0.8], [0, 1]),
    ([0.5, -2.0], [1, -1]),
    ([0.5, 2.0], [1.0, 1.5]),
    ([[0.2, 0.8], [0.6, 0.4]], [1, 0]),
    ([[0.2, 0.8], [0.6, 0.4]], [[0.0, 1.0], [0.5, 0.5]]),
    ([[0.5, 2.0], [1.0, 3.0]], [[1.0, 1.0], [2.0, 0.0]]),
    ([[0.5, 2.0]], [1.0]),
)

# Digits that are right, and so are shown; derivatives are differences.
_VALUE_DIGITS, _DERIVATIVE_DIGITS = 60, 30


@click.command("eval")
@click.argument("name")
@click.option("-y", "--prediction", metavar="ARRAY", help="The predictions.")
@click.option("-t", "--target", metavar="ARRAY", help="The targets.")
@parameter_option
@click.option("--sample-weight", metavar="ARRAY", help="One weight for each row or element.")
@click.option(
    "--reduction", type=click.Choice(["mean", "sum", "none"]), default="mean", show_default=True
)
@click.option(
    "--dtype",
    type=click.Choice(["float64", "float32", "float16"]),
    help="The dtype of the predictions; by default that of the file, or float64.",
)
@click.option("--gradient", is_flag=True, help="Show the gradient.")
@click.option("--hessian", is_flag=True, help="Show the diagonal of the Hessian.")
@click.option("--exact", is_flag=True, help="Show exact values, from 60-digit numbers.")
@json_option
@plugin_options
def evaluate(as_json: bool, **options: Any) -> None:
    """Evaluate the loss NAME at a few numbers.

    An ARRAY is written in YAML, as in -y '[0.2, 0.8]', or is the name of a .npy, .npz or
    .csv file.
    """
    given = SimpleNamespace(**options)
    registry = given.plugins.registry()
    _refuse_activation(registry, given.name)
    entry = find(registry, given.name, ("loss",))[0]
    loss: Any = make(registry, entry, read_parameters(given.parameters))
    _need_arrays(loss, given)
    results = _results(loss, given)
    if as_json:
        plain = {
            key.replace(" ", "_"): value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in results.items()
        }
        say_json(loss=loss.to_config(), reduction=given.reduction, **plain)
        return
    width = max(map(len, results))
    for key, value in results.items():
        say(f"{key.ljust(width)}  {_shown(value)}")


def _refuse_activation(registry: Registry, name: str) -> None:
    """Say how an activation is evaluated: it has no target."""
    known = {kind: [n for entry in registry.entries(kind) for n in entry.names] for kind in KINDS}
    if name in known["activation"] and name not in known["loss"]:
        raise ArgumentError(
            f"{name} is an activation, and eval takes a loss, such as huber. In Python: "
            f'lossfw.activation("{name}")([[1.0, 2.0]]).'
        )


def _need_arrays(loss: Loss, given: SimpleNamespace) -> None:
    """Refuse a call without predictions or targets, with an example that the loss takes."""
    words = {"predictions (-y)": given.prediction, "targets (-t)": given.target}
    missing = [word for word, text in words.items() if text is None]
    if missing:
        y, t = _example(loss)
        parameters = "".join(f" -p {text}" for text in given.parameters)
        raise ArgumentError(
            f"{' and '.join(missing)} are missing: give numbers, or a file with them. For "
            f"example: lossfw eval {given.name}{parameters} -y '{y}' -t '{t}'"
        )


def _example(loss: Loss) -> tuple[str, str]:
    """Return predictions and targets, as they are written, that a loss takes."""
    for y, t in _EXAMPLES:
        with contextlib.suppress(LossfwError):
            loss(y, t)
            return str(y), str(t)
    return "ARRAY", "ARRAY"


def _results(loss: Any, given: SimpleNamespace) -> dict[str, Any]:
    """Return value and derivatives by name: arrays, and exact numbers as text."""
    y = read_array_argument(given.prediction, "-y", "predictions")
    t = read_array_argument(given.target, "-t", "targets")
    weight, option = given.sample_weight, "--sample-weight"
    weight = None if weight is None else read_array_argument(weight, option, "sample_weight")
    y = y if given.dtype is None else y.astype(given.dtype)
    results: dict[str, Any] = {}
    for order, is_asked in enumerate((True, given.gradient, given.hessian)):
        if not is_asked:
            continue
        function = (loss, loss.gradient, loss.hessian)[order]
        reduced = function(y, t, sample_weight=weight, reduction=given.reduction)
        results[_NAMES[order]] = np.asarray(reduced)
        if given.exact:
            texts = _exact_texts(loss, y, t, weight, given.reduction, order)
            results[f"exact {_NAMES[order]}"] = texts
    return results


def _shown(value: Any) -> str:
    """Return an array, or exact numbers as text, in one line."""
    if isinstance(value, np.ndarray) and value.size > _SHOWN_NUMBERS:
        return " ".join(np.array2string(value, separator=", ", threshold=0).split())
    if isinstance(value, list) or np.ndim(value):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)


def _exact_texts(
    loss: Loss, y: NDArray, t: NDArray, weight: NDArray | None, reduction: str, order: int
) -> Any:
    """Return the true value or derivative as text, in nested lists."""
    from lossfw.numerics.exact.namespace import exact_array

    exact = loss.exact(y, t, derivative=order)  # type: ignore[arg-type]  # one of 0, 1 and 2
    if reduction != "none" or weight is not None:
        shape = np.shape(loss(y, t, reduction="none"))
        weights = exact_array(np.ones(shape) if weight is None else _spread(weight, shape))
        exact = exact * (weights if exact.ndim == weights.ndim else weights[..., np.newaxis])
        if reduction == "mean":
            exact = exact / np.add.reduce(weights.ravel())
        if order == 0 and reduction != "none":
            exact = np.add.reduce(np.ravel(exact))
    return _texts(exact, _DERIVATIVE_DIGITS if order else _VALUE_DIGITS)


def _spread(weight: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Spread weights of rows to the shape of the unreduced loss."""
    more = len(shape) - weight.ndim
    return np.broadcast_to(weight.reshape(*weight.shape, *[1] * more), shape).astype(np.float64)


def _texts(x: Array, digits: int) -> Any:
    """Return exact numbers as text, in nested lists.

    Examples
    --------
    >>> from lossfw.numerics.exact.namespace import exact_array
    >>> _texts(exact_array([0.1]), 20)
    ['0.10000000000000000555']
    """
    if np.ndim(x) == 0:
        number: Any = np.asarray(x, object)[()]
        return number.text(digits)
    return [_texts(item, digits) for item in x]
