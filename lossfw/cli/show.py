"""``lossfw show``: the definition, the parameters and the claims of a component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from lossfw.cli.component_arguments import (
    find,
    kind_option,
    make_sample,
    parameter_option,
    read_parameters,
)
from lossfw.cli.options import json_option, plugin_options, traceback_option
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import KINDS, Entry, Registry
from lossfw.errors import ParameterError

# Version of the JSON object that this verb prints.
SHOW_VERSION = 2


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "every", is_flag=True, help="Show every installed component.")
@parameter_option
@kind_option
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print a page of documentation.")
@click.option("--latex", "as_latex", is_flag=True, help="Print the formula as LaTeX.")
@plugin_options
@traceback_option
def show(
    names: tuple[str, ...],
    every: bool,
    parameters: tuple[str, ...],
    kind: str | None,
    as_json: bool,
    as_markdown: bool,
    as_latex: bool,
    plugins: Plugins,
) -> None:
    """Show components: formula, parameters, spaces, claims, derivatives, origin.

    Claims depend on the parameters: set them with -p. If several kinds of component
    share a NAME, all of them are shown.
    """
    from lossfw.report.text.show_component import show_description
    from lossfw.runs.files import say, to_json

    registry = plugins.registry()
    if every == bool(names):
        raise click.UsageError("name components, or give --all for every one, and not both.")
    kinds = KINDS if kind is None else (kind,)
    entries = registry.entries(kind) if every else _named(registry, names, kinds)
    given = read_parameters(parameters)
    if as_latex:
        for entry in entries:
            say(_latex(registry, entry, given))
        return
    described = [_described(registry, entry, given) for entry in entries]
    if as_json:
        say(to_json({"lossfw": SHOW_VERSION, "components": described}))
        return
    if as_markdown:
        from lossfw.report.text.markdown import markdown

        say(markdown(described).rstrip())
        return
    for index, one in enumerate(described):
        if index:
            say("")
        show_description(one)


def _named(registry: Registry, names: Sequence[str], kinds: Sequence[str]) -> list[Entry]:
    """Return the components of names, those of a kind together."""
    entries = [entry for name in names for entry in find(registry, name, kinds)]
    return sorted(entries, key=lambda entry: KINDS.index(entry.kind))


def _latex(registry: Registry, entry: Entry, given: dict[str, Any]) -> str:
    """Return the formula of a component as LaTeX; of several, each on its own line."""
    from lossfw.report.formulas.latex import latex

    return latex(make_sample(registry, entry, given))


def _described(registry: Registry, entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    from lossfw.report.text.component import describe

    try:
        component = make_sample(registry, entry, given)
    except ParameterError:
        if given:
            raise
        # Some parameter is needed: its class can be shown all the same.
        component = None
    return describe(entry, registry.class_of(entry), component)
