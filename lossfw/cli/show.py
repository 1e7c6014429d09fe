"""``lossfw show``, ``plot`` and ``bridge``: components, their curves, and code that trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossfw.cli.arguments import (
    find_entries,
    kind_option,
    make_sample_component,
    parameter_option,
    read_parameters,
    read_yaml,
    usable_entries,
)
from lossfw.cli.command import Command
from lossfw.cli.options import json_option, plugin_options, write_json
from lossfw.components.hookspecs import KINDS
from lossfw.components.plugin_choice import Plugins
from lossfw.errors import ArgumentError, ParameterError
from lossfw.runs.files import write_stdout

if TYPE_CHECKING:
    from lossfw.components.registry import Entry, Registry

# Version of the JSON object that `show` prints.
SHOW_VERSION = 2

# What can be plotted.
_PLOTTED = ("loss", "activation")


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "every", is_flag=True, help="Show every installed component.")
@parameter_option
@kind_option
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print a page of documentation.")
@click.option("--latex", "as_latex", is_flag=True, help="Print the formula as LaTeX.")
@plugin_options
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

    registry = plugins.registry()
    if every == bool(names):
        # The one mistake gives neither, the other both.
        mistake = "--all and a NAME exclude each other" if every else "give a NAME, or --all"
        raise click.UsageError(f"{mistake}.")
    kinds = KINDS if kind is None else (kind,)
    if every:
        entries, broken = usable_entries(registry.import_all(kind))
        if broken:
            click.echo(broken, err=True)
    else:
        named = (entry for name in names for entry in find_entries(registry, name, kinds))
        entries = tuple(sorted(named, key=lambda entry: KINDS.index(entry.kind)))
    given = read_parameters(parameters)
    if as_latex:
        from lossfw.report.formulas.latex import latex

        for entry in entries:
            write_stdout(latex(make_sample_component(registry, entry, given)))
        return
    timed = not (every or as_json or as_markdown)
    described = [_describe(registry, entry, given, timed=timed) for entry in entries]
    if as_json:
        write_json(SHOW_VERSION, components=described)
        return
    if as_markdown:
        from lossfw.report.text.show_component import components_markdown

        write_stdout(components_markdown(described).rstrip())
        return
    for index, one in enumerate(described):
        if index:
            write_stdout("")
        show_description(one)


def _describe(
    registry: Registry, entry: Entry, parameters: dict[str, Any], *, timed: bool
) -> dict[str, Any]:
    """Return a description; if `timed`, with the cost of a derivative that nobody wrote."""
    from lossfw.losses.loss import Loss
    from lossfw.report.text.author_cost import gradient_cost_ratio
    from lossfw.report.text.component import describe

    try:
        component = make_sample_component(registry, entry, parameters)
    except ParameterError:
        if parameters:
            raise
        # Some parameter is needed: its class can be shown all the same.
        component = None
    described = describe(entry, registry.class_of(entry), component)
    if timed and isinstance(component, Loss) and described["derivative"] == "dual numbers":
        described["gradient_to_value"] = gradient_cost_ratio(component)
    return described


@click.command(cls=Command)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@parameter_option
@click.option("--out-file", required=True, metavar="FILE", help="The file, a .svg or a .png.")
@click.option(
    "--range",
    "span",
    nargs=2,
    type=float,
    metavar="LOW HIGH",
    help="The two ends of the horizontal axis.",
)
@click.option(
    "--target",
    type=float,
    default=1.0,
    show_default=True,
    help="The target, for losses that depend on more than the residual or the margin.",
)
@plugin_options
def plot(
    names: tuple[str, ...],
    parameters: tuple[str, ...],
    out_file: str,
    span: tuple[float, float] | None,
    target: float,
    plugins: Plugins,
) -> None:
    """Plot losses or activations in one picture, with their derivatives and kinks.

    A NAME may be a mapping as in a configuration, '{name: huber, delta: 0.5}'. With -p a
    parameter is set in each of them that has it.
    """
    from lossfw.nn.sample_curve import curves
    from lossfw.report.plots.curves import check_picture_name
    from lossfw.report.plots.curves import plot as draw

    file = Path(out_file)
    check_picture_name(file)
    registry = plugins.registry()
    components = _make_components(registry, names, read_parameters(parameters))
    write_stdout(f"wrote {draw(curves(components, span=span, target=target), file)}")


def _make_components(
    registry: Registry, names: Sequence[str], given: Mapping[str, Any]
) -> list[Any]:
    """Return the components that are named, with the parameters that each of them has."""
    specs = [_parse_spec(name) for name in names]
    entries = [find_entries(registry, spec["name"], _PLOTTED)[0] for spec in specs]
    fields = [registry.class_of(entry).model_fields for entry in entries]
    # The message for one component lists its parameters; for several, none of them has it.
    for key in given if len(specs) > 1 else ():
        if not any(key in own for own in fields):
            raise ArgumentError(f"-p {key}: none of {', '.join(names)} has this parameter.")
    components = []
    for spec, entry, own in zip(specs, entries, fields, strict=True):
        parameters = {key: v for key, v in given.items() if len(specs) == 1 or key in own}
        parameters |= {key: value for key, value in spec.items() if key != "name"}
        components.append(make_sample_component(registry, entry, parameters))
    return components


def _parse_spec(text: str) -> Mapping[str, Any]:
    """Return a name, or a mapping in YAML, as a mapping with a name."""
    if not text.lstrip().startswith("{"):
        return {"name": text}
    spec = read_yaml(text)
    if not isinstance(spec, dict) or not isinstance(spec.get("name"), str):
        from lossfw.config.text.tree import shorten

        raise ArgumentError(f"{shorten(text)} has no name: write {{name: huber, delta: 0.5}}.")
    return spec


@click.command("bridge", cls=Command)
@click.argument("library")
@click.option(
    "--loss", "text", required=True, metavar="LOSS", help="A name, or {name: huber, delta: 2}."
)
@json_option
@plugin_options
def bridge(library: str, text: str, as_json: bool, plugins: Plugins) -> None:
    """Print Python code that trains with a loss in LIBRARY.

    A LIBRARY is one of `lossfw list bridges`. A loss that it cannot train with is an error
    that says why.
    """
    registry = plugins.registry()
    found = registry.create("bridge", library)
    loss = registry.create("loss", read_yaml(text, "--loss"))
    reason = found.refusal(loss)
    if reason is not None:
        raise ArgumentError(f"{found.name} cannot train with this loss: {reason}")
    lines = found.usage(loss)
    if as_json:
        config, version = loss.to_config(), found.version()
        write_json(library=found.name, loss=config, usage=lines, version=version)
        return
    if found.version() is None:
        write_stdout(f"# {found.install_command()}")
    write_stdout(lines)
