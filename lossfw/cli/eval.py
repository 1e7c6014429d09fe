"""``lossfw eval``: a loss on a few numbers, with its derivatives and its true value."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from lossfw.cli.component_arguments import find, make, parameter_option, read_parameters
from lossfw.cli.options import json_option, plugin_options, plugins_of, traceback_option

# Version of the JSON object that this verb prints.
EVAL_VERSION = 1

# By order of the derivative.
_NAMES = ("value", "gradient", "hessian")

# Longer arrays are cut in the text: the whole stands in the JSON.
_SHOWN_NUMBERS = 200


@click.command("eval")
@click.argument("name")
@click.option("-y", "--prediction", required=True, metavar="ARRAY", help="The predictions.")
@click.option("-t", "--target", required=True, metavar="ARRAY", help="The targets.")
@parameter_option
@click.option("--sample-weight", metavar="ARRAY", help="One weight for each row or element.")
@click.option(
    "--reduction", type=click.Choice(["mean", "sum", "none"]), default="mean", show_default=True
)
@click.option(
    "--dtype",
    type=click.Choice(["float64", "float32", "float16"]),
    help="Of the predictions; that of a file, else float64, if not given.",
)
@click.option("--gradient", is_flag=True, help="Show the gradient.")
@click.option("--hessian", is_flag=True, help="Show the diagonal of the Hessian.")
@click.option("--exact", is_flag=True, help="Show what is true, from 60-digit numbers.")
@json_option
@plugin_options
@traceback_option
def evaluate(
    name: str,
    prediction: str,
    target: str,
    parameters: tuple[str, ...],
    sample_weight: str | None,
    reduction: Any,
    dtype: str | None,
    gradient: bool,
    hessian: bool,
    exact: bool,
    as_json: bool,
    local: tuple[str, ...],
    disable: tuple[str, ...],
    no_plugins: bool,
) -> None:
    """Evaluate the loss NAME on a few numbers.

    An ARRAY is written in YAML, as in -y '[0.2, 0.8]', or is the name of a .npy, .npz or
    .csv file.
    """
    from lossfw.cli.array_arguments import read_written
    from lossfw.report.text.exact_numbers import exact_texts
    from lossfw.runs.files import say, to_json

    registry = plugins_of(local, disable, no_plugins).registry()
    given = read_parameters(parameters)
    loss: Any = make(registry, find(registry, name, ("loss",))[0], given)
    y = read_written(prediction, "-y", "predictions")
    t = read_written(target, "-t", "targets")
    weight = None
    if sample_weight is not None:
        weight = read_written(sample_weight, "--sample-weight", "sample_weight")
    y = y if dtype is None else y.astype(dtype)
    found: dict[str, Any] = {}
    for order, wanted in enumerate((True, gradient, hessian)):
        if not wanted:
            continue
        function = (loss, loss.gradient, loss.hessian)[order]
        result = np.asarray(function(y, t, sample_weight=weight, reduction=reduction))
        found[_NAMES[order]] = result
        if exact:
            truth = exact_texts(loss, y, t, weight, reduction, order)
            found[f"exact {_NAMES[order]}"] = truth
    if as_json:
        plain = {key: getattr(value, "tolist", lambda v=value: v)() for key, value in found.items()}
        head = {"lossfw": EVAL_VERSION, "loss": loss.to_config(), "reduction": reduction}
        say(to_json({**head, **{key.replace(" ", "_"): value for key, value in plain.items()}}))
        return
    width = max(map(len, found))
    for key, value in found.items():
        say(f"{key.ljust(width)}  {_shown(value)}")


def _shown(value: Any) -> str:
    """Return an array, or exact numbers as text, in one line."""
    if isinstance(value, np.ndarray) and value.size > _SHOWN_NUMBERS:
        return " ".join(np.array2string(value, separator=", ", threshold=0).split())
    if isinstance(value, list) or np.ndim(value):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)
