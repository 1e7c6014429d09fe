"""``lossfw show``: what a component is, what it takes and what it promises."""

from __future__ import annotations

import click

from lossfw.cli.named import find, kind_option, make, parameter_option, read_parameters
from lossfw.cli.options import json_option, plugin_options, plugins_of, traceback_option
from lossfw.errors import ParameterError
from lossfw.registry import KINDS

# Version of the JSON object that this verb prints.
SHOW_VERSION = 1


@click.command()
@click.argument("name")
@parameter_option
@kind_option
@json_option
@plugin_options
@traceback_option
def show(
    name: str,
    parameters: tuple[str, ...],
    kind: str | None,
    as_json: bool,
    local: tuple[str, ...],
    disable: tuple[str, ...],
    no_plugins: bool,
) -> None:
    """Show the component NAME: formula, parameters, spaces, claims, derivatives, origin.

    Claims depend on the parameters: set them with -p. Of a name that several kinds of
    component have, all are shown.
    """
    from lossfw.output import say, to_json
    from lossfw.report.describe import describe
    from lossfw.report.show import show_description

    registry = plugins_of(local, disable, no_plugins).registry()
    given = read_parameters(parameters)
    found = []
    for entry in find(registry, name, KINDS if kind is None else (kind,)):
        try:
            component = make(registry, entry, given)
        except ParameterError:
            if given:
                raise
            # Some parameter is needed: its class can be shown all the same.
            component = None
        found.append(describe(entry, registry.class_of(entry), component))
    if as_json:
        say(to_json({"lossfw": SHOW_VERSION, "components": found}))
        return
    for index, one in enumerate(found):
        if index:
            say("")
        show_description(one)
