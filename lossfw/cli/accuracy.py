"""``lossfw accuracy``: how many units in the last place results are off, at worst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lossfw.cli.arguments import (
    find_entries,
    make_component,
    parameter_option,
    read_parameters,
    refuse_below,
    refuse_several,
    usable_entries,
)
from lossfw.cli.command import Command
from lossfw.cli.options import json_option, plugin_options, processes_option, write_json
from lossfw.cli.progress import ProgressBar
from lossfw.components.plugin_choice import Plugins
from lossfw.errors import ArgumentError
from lossfw.runs.files import write_stdout

if TYPE_CHECKING:
    from lossfw.components.registry import Registry

_KINDS = ("loss", "activation")


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@parameter_option
@click.option(
    "--points", default=20_000, show_default=True, help="Number of points to draw over the domain."
)
@click.option("--seed", default=0, show_default=True, help="The same seed draws the same points.")
@processes_option
@json_option
@plugin_options
def accuracy(
    names: tuple[str, ...],
    parameters: tuple[str, ...],
    points: int,
    seed: int,
    processes: int | None,
    as_json: bool,
    plugins: Plugins,
) -> None:
    """Measure the worst error of losses and activations, in units in the last place.

    Compare values and derivatives in float32 and float64 with the textbook formula in 60-digit
    arithmetic, for each NAME or for all components. A quarter as many points test other
    parameters, and a tenth losses of groups or columns; -p tests only the parameters that you
    give.
    """
    from lossfw.check.accuracy.measure import accuracy_jobs
    from lossfw.check.pool import run_all
    from lossfw.report.text.accuracy import notes, show_accuracies

    refuse_below("--points", points, 1)
    refuse_below("--seed", seed, 0)
    given = read_parameters(parameters)
    refuse_several(given, names)
    components = choose_components(plugins.registry(), names, given)
    jobs = accuracy_jobs(components, plugins, points=points, seed=seed)
    with ProgressBar("measured") as progress:
        found = run_all(jobs, processes=processes, progress=progress)
    if as_json:
        write_json(points=points, seed=seed, rows=[row.to_dict() for row in found])
        return
    show_accuracies(found)
    for line in notes(found):
        write_stdout(line)


def choose_components(
    registry: Registry, names: tuple[str, ...], parameters: dict[str, Any]
) -> list[Any]:
    """Return the components to measure: those named, or all that can be made."""
    from lossfw.check.instances import variants

    if names:
        entries = [entry for name in names for entry in find_entries(registry, name, _KINDS)]
    else:
        entries = [e for kind in _KINDS for e in usable_entries(registry.import_all(kind))[0]]
    if parameters:
        return [make_component(registry, entry, parameters) for entry in entries]
    found = [one for entry in entries for one in variants(registry.class_of(entry))]
    if not found:
        raise ArgumentError(
            f"{', '.join(names)} cannot be made without parameters: set them with -p KEY=VALUE."
        )
    return found
