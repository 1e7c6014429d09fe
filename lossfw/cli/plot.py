"""``lossfw plot``: value, derivative and second derivative in a plot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lossfw.cli.component_arguments import find, make_sample, parameter_option, read_parameters
from lossfw.cli.options import plugin_options, traceback_option
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Registry
from lossfw.errors import ArgumentError

_KINDS = ("loss", "activation")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@parameter_option
@click.option("--out", required=True, metavar="FILE", help="The file, a .svg or a .png.")
@click.option(
    "--range",
    "span",
    nargs=2,
    type=float,
    metavar="LOW HIGH",
    help="The ends of the horizontal axis.",
)
@click.option(
    "--target",
    type=float,
    default=1.0,
    show_default=True,
    help="The target, for losses that depend on more than residual or margin.",
)
@plugin_options
@traceback_option
def plot(
    names: tuple[str, ...],
    parameters: tuple[str, ...],
    out: str,
    span: tuple[float, float] | None,
    target: float,
    plugins: Plugins,
) -> None:
    """Plot losses or activations in one picture, with their derivatives and kinks.

    A NAME may be a mapping as in a configuration, '{name: huber, delta: 0.5}'. With -p a
    parameter is set in each of them that has it.
    """
    from lossfw.nn.sample_curve import curves
    from lossfw.report.plots.loss_curves import check_out
    from lossfw.report.plots.loss_curves import plot as draw
    from lossfw.runs.files import say

    file = Path(out)
    check_out(file)
    registry = plugins.registry()
    components = chosen(registry, names, read_parameters(parameters))
    say(f"wrote {draw(curves(components, span=span, target=target), file)}")


def chosen(registry: Registry, names: tuple[str, ...], given: dict[str, Any]) -> list[Any]:
    """Return the components that are named, with the parameters that each of them has.

    Raises
    ------
    ArgumentError
        If none of them has a parameter of that name.
    """
    specs = [_spec(name) for name in names]
    classes = [registry.class_of(find(registry, spec["name"], _KINDS)[0]) for spec in specs]
    # Of one component it is told which parameters it has, and of several that none has it.
    for key in given if len(specs) > 1 else ():
        if not any(key in cls.model_fields for cls in classes):
            raise ArgumentError(f"-p {key}: none of {', '.join(names)} has this parameter.")
    made = []
    for spec, cls in zip(specs, classes, strict=True):
        entry = find(registry, spec["name"], _KINDS)[0]
        own = {key: v for key, v in given.items() if len(specs) == 1 or key in cls.model_fields}
        own |= {key: value for key, value in spec.items() if key != "name"}
        made.append(make_sample(registry, entry, own))
    return made


def _spec(text: str) -> Mapping[str, Any]:
    """Return a name, or a mapping in YAML, as a mapping with a name."""
    if not text.lstrip().startswith("{"):
        return {"name": text}
    from lossfw.config.text.tree import Origin, Problems, shorten
    from lossfw.config.text.yaml import parse

    problems = Problems()
    node = parse(text, Origin(shorten(text), Path.cwd()), problems)
    problems.raise_if_any()
    spec = None if node is None else node.plain()
    if not isinstance(spec, dict) or not isinstance(spec.get("name"), str):
        raise ArgumentError(f"{shorten(text)} has no name: write {{name: huber, delta: 0.5}}.")
    return spec
