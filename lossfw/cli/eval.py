"""``lossfw eval``: a loss of a few numbers, with its derivatives and its exact value."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from lossfw.cli.arguments import (
    find_entries,
    make_component,
    parameter_option,
    read_parameters,
)
from lossfw.cli.command import Command
from lossfw.cli.options import json_option, plugin_options, write_json
from lossfw.components.hookspecs import KINDS
from lossfw.errors import ArgumentError, LossfwError
from lossfw.runs.files import write_stdout

if TYPE_CHECKING:
    from lossfw.components.registry import Registry
    from lossfw.losses.loss import Loss

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


@click.command("eval", cls=Command)
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
    # Imported here: the help needs no NumPy.
    from lossfw.cli.eval_results import evaluate_orders, format_value, to_plain

    given = SimpleNamespace(**options)
    registry = given.plugins.registry()
    _refuse_activation(registry, given.name)
    entry = find_entries(registry, given.name, ("loss",))[0]
    loss: Any = make_component(registry, entry, read_parameters(given.parameters))
    _require_arrays(loss, given)
    results = evaluate_orders(loss, given)
    if as_json:
        plain = {key.replace(" ", "_"): to_plain(value) for key, value in results.items()}
        write_json(loss=loss.to_config(), reduction=given.reduction, **plain)
        return
    width = max(map(len, results))
    for key, value in results.items():
        write_stdout(f"{key.ljust(width)}  {format_value(value)}")


def _refuse_activation(registry: Registry, name: str) -> None:
    """Say how an activation is evaluated: it has no target."""
    known = {kind: [n for entry in registry.entries(kind) for n in entry.names] for kind in KINDS}
    if name in known["activation"] and name not in known["loss"]:
        raise ArgumentError(
            f"{name} is an activation, but eval takes a loss, such as huber. In Python: "
            f'lossfw.activation("{name}")([[1.0, 2.0]]).'
        )


def _require_arrays(loss: Loss, options: SimpleNamespace) -> None:
    """Refuse a call without predictions or targets, with an example that the loss takes."""
    words = {"predictions (-y)": options.prediction, "targets (-t)": options.target}
    missing = [word for word, text in words.items() if text is None]
    if missing:
        y, t = _example_arguments(loss)
        parameters = "".join(f" -p {text}" for text in options.parameters)
        raise ArgumentError(
            f"{' and '.join(missing)} are missing: give numbers, or a file with them. For "
            f"example: lossfw eval {options.name}{parameters} -y '{y}' -t '{t}'"
        )


def _example_arguments(loss: Loss) -> tuple[str, str]:
    """Return predictions and targets, as they are written, that a loss takes."""
    for y, t in _EXAMPLES:
        with contextlib.suppress(LossfwError):
            loss(y, t)
            return str(y), str(t)
    return "ARRAY", "ARRAY"
