"""``lossfw accuracy``: how many units in the last place results are off, at worst."""

from __future__ import annotations

from typing import Any

import click

from lossfw.cli.component_arguments import find, make, parameter_option, read_parameters
from lossfw.cli.options import json_option, plugin_options, traceback_option
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Registry
from lossfw.errors import ArgumentError

# Version of the JSON object that this verb prints.
ACCURACY_VERSION = 1

_KINDS = ("loss", "activation")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@parameter_option
@click.option(
    "--points", default=20_000, show_default=True, help="Number of points to draw over the domain."
)
@click.option("--seed", default=0, show_default=True, help="The same seed draws the same points.")
@click.option(
    "--peers",
    is_flag=True,
    help="Also measure torch, optax, keras and scikit-learn, if they are installed.",
)
@click.option(
    "--jobs",
    "--processes",
    "processes",
    type=int,
    help="Number of worker processes; by default one per core.",
)
@json_option
@plugin_options
@traceback_option
def accuracy(
    names: tuple[str, ...],
    parameters: tuple[str, ...],
    points: int,
    seed: int,
    peers: bool,
    processes: int | None,
    as_json: bool,
    plugins: Plugins,
) -> None:
    """Measure the worst error of losses and activations, in units in the last place.

    Compare values and derivatives in float32 and float64 with the textbook formula in 60-digit
    arithmetic, for each NAME or for all components. A quarter as many points test other
    parameters; -p tests only those that you give.
    """
    from lossfw.check.accuracy.jobs import accuracy_jobs
    from lossfw.check.pool import run_all
    from lossfw.cli.progress import ProgressBar
    from lossfw.report.text.accuracy import notes, show_accuracies
    from lossfw.runs.files import say, to_json

    for option, value, least in (("--points", points, 1), ("--seed", seed, 0)):
        if value < least:
            raise ArgumentError(f"{option} {value}: a number of at least {least} was wanted.")
    given = read_parameters(parameters)
    if given and len(names) != 1:
        raise ArgumentError("-p sets a parameter of one component: give exactly one NAME with it.")
    components = chosen(plugins.registry(), names, given)
    todo = accuracy_jobs(components, plugins, points=points, seed=seed, peers=peers)
    with ProgressBar("measured") as progress:
        found = list(run_all(todo, processes=processes, progress=progress))
    if as_json:
        rows = [row.to_dict() for row in found]
        say(to_json({"lossfw": ACCURACY_VERSION, "points": points, "seed": seed, "rows": rows}))
        return
    show_accuracies(found, peers=peers)
    for line in notes(found):
        say(line)


def chosen(registry: Registry, names: tuple[str, ...], given: dict[str, Any]) -> list[Any]:
    """Return the components to measure: those named, or all that can be made."""
    from lossfw.check.accuracy.variants import variants

    if names:
        entries = [entry for name in names for entry in find(registry, name, _KINDS)]
    else:
        entries = [entry for kind in _KINDS for entry in registry.entries(kind)]
    if given:
        return [make(registry, entry, given) for entry in entries]
    found = [one for entry in entries for one in variants(registry.class_of(entry))]
    if not found:
        raise ArgumentError(
            f"{', '.join(names)} cannot be made without parameters: set them with -p KEY=VALUE."
        )
    return found
