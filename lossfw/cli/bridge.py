"""``lossfw bridge``: the lines of Python by which a library trains with a loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lossfw.cli.options import json_option, plugin_options, traceback_option
from lossfw.components.plugin_choice import Plugins
from lossfw.errors import ArgumentError

# Version of the JSON object that this verb prints.
BRIDGE_VERSION = 1


@click.command("bridge")
@click.argument("library")
@click.option(
    "--loss", "text", required=True, metavar="LOSS", help="A name, or {name: huber, delta: 2}."
)
@json_option
@plugin_options
@traceback_option
def bridge(library: str, text: str, as_json: bool, plugins: Plugins) -> None:
    """Print Python code that trains with a loss in LIBRARY.

    A LIBRARY is one of `lossfw list bridges`. A loss that it cannot train with is an error
    that says why.
    """
    from lossfw.runs.files import say, to_json

    registry = plugins.registry()
    found = registry.create("bridge", library)
    loss = registry.create("loss", _read(text))
    why = found.refuses(loss)
    if why is not None:
        raise ArgumentError(f"{found.name} cannot train with this loss: {why}")
    lines = found.usage(loss)
    if as_json:
        told = {"library": found.name, "loss": loss.to_config(), "usage": lines}
        say(to_json({"lossfw": BRIDGE_VERSION, **told, "version": found.version()}))
        return
    if found.version() is None:
        say(f"# {found.install_command()}")
    say(lines)


def _read(text: str) -> Any:
    """Return a loss that is written in YAML."""
    from lossfw.config.text.tree import Origin, Problems, shorten
    from lossfw.config.text.yaml import parse

    problems = Problems()
    node = parse(text, Origin(f"--loss {shorten(text)}", Path.cwd()), problems)
    problems.raise_if_any()
    return None if node is None else node.plain()
