"""Options that several commands have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from lossfw.components.naming import printable
from lossfw.components.plugin_choice import Plugins
from lossfw.runs.files import to_json, write_stdout

if TYPE_CHECKING:
    from lossfw.evaluation.intervals.units import Units
    from lossfw.evaluation.slices import Slice

_Command: TypeAlias = Callable[..., Any]

_TRACEBACK = "lossfw.traceback"


def write_stderr(text: str) -> None:
    """Write a line to standard error, its control characters as escapes."""
    click.echo(printable(text), err=True)


def warn(text: str) -> None:
    """Write a warning to standard error."""
    write_stderr(f"lossfw: warning: {text}")


def write_json(version: int = 1, /, **values: Any) -> None:
    """Write the JSON object of a command to standard output, its version first."""
    write_stdout(to_json({"lossfw": version, **values}))


def _store_traceback(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    # The group's context and the command's share this mapping.
    ctx.meta[_TRACEBACK] = ctx.meta.get(_TRACEBACK, False) or value


def wants_traceback(ctx: click.Context) -> bool:
    """Tell whether ``--traceback`` was given, before or after the command."""
    return bool(ctx.meta.get(_TRACEBACK, False))


traceback_option = click.Option(
    ["--traceback"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_store_traceback,
    help="Show the Python traceback of an error.",
)

override_option = click.option(
    "-o",
    "--override",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the configuration: -o loss.delta=1e-6. The value is YAML; a "
    "number in the key is an index. KEY+=VALUE appends to a list, KEY- removes a key. "
    "Can be repeated.",
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)

processes_option = click.option(
    "--jobs",
    "--processes",
    "processes",
    type=int,
    help="Number of worker processes; by default one per core.",
)


def jobs_option(noun: str) -> Callable[[_Command], _Command]:
    """Return the option ``--jobs`` of commands that start processes."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="N",
        help=f"Number of {noun} at a time, each in its own process.",
    )


plugin_file_option = click.option(
    "--plugin",
    "local",
    multiple=True,
    metavar="FILE",
    help="Also load the components of a .py file. Can be repeated.",
)


def trust_option(*, default: bool) -> Callable[[_Command], _Command]:
    """Return the option ``--trust/--no-trust``.

    Commands that carry out a configuration trust it by default, because the user asks to run it.
    Commands that only inspect one, or the folder of a run, execute nothing unless asked to.
    """
    return click.option(
        "--trust/--no-trust",
        "trust",
        default=default,
        help="Import the plugin files named in the configuration. This runs their code. "
        f"By default {'yes' if default else 'no'}.",
    )


def config_plugin_options(*, trusted: bool) -> Callable[[_Command], _Command]:
    """Return a decorator that adds the plugin options to a command that reads a configuration.

    `trusted` says whether plugin files that it names are imported by default.
    """

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def with_trust(*arguments: Any, plugins: Plugins, trust: bool, **options: Any) -> Any:
            return command(*arguments, plugins=replace(plugins, trusted=trust), **options)

        return plugin_options(trust_option(default=trusted)(with_trust))

    return decorate


def plugin_options(command: _Command) -> _Command:
    """Add the options that choose plugins; the command takes them together, as `plugins`."""

    @functools.wraps(command)
    def with_plugins(
        *arguments: Any,
        local: tuple[str, ...],
        disable: tuple[str, ...],
        no_plugins: bool,
        **options: Any,
    ) -> Any:
        plugins = Plugins(local, disable, installed=not no_plugins)
        return command(*arguments, plugins=plugins, **options)

    return add_options(
        plugin_file_option,
        click.option(
            "--disable",
            multiple=True,
            metavar="NAME",
            help="Do not import a plugin. Can be repeated.",
        ),
        click.option("--no-plugins", is_flag=True, help="Import only the built-in plugin."),
    )(with_plugins)


def add_options(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Return a decorator that adds options, which the help shows in this order."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


# They compare parts of the rows of runs; `parse_slice` makes a slice of what they say.
by_options = add_options(
    click.option(
        "--by",
        metavar="WHAT",
        help="Also compare parts of the rows: by target, or by a column of the data, such as "
        "column.region.",
    ),
    click.option(
        "--bins",
        metavar="EDGES",
        help="With --by, the edges between bins of a number, such as 30,50.",
    ),
)


def parse_slice(by: str | None, bins: str | None) -> Slice | None:
    """Return the slice of ``--by`` and ``--bins``, or None."""
    # Imported here: listing components needs no evaluation.
    from lossfw.runs.compare.by_slice import slice_of_runs

    if by is None:
        if bins is not None:
            raise click.UsageError("--bins needs --by WHAT.")
        return None
    try:
        edges = [float(edge) for edge in (bins or "").split(",") if edge.strip()]
    except ValueError:
        raise click.UsageError(f"--bins {bins!r}: expected numbers, as in --bins 30,50.") from None
    return slice_of_runs(by, edges)


def parse_units(text: str | None) -> Units | None:
    """Return the units of ``--resample``, a name or a mapping in YAML, or None."""
    # Imported here: listing components needs no evaluation.
    import yaml

    from lossfw.config.text.yaml import CoreLoader
    from lossfw.errors import ParameterError
    from lossfw.evaluation.intervals.units import Units

    if text is None:
        return None
    try:
        return Units.read(yaml.load(text, Loader=CoreLoader))  # noqa: S506 - of plain values alone
    except yaml.YAMLError:
        raise click.UsageError(
            f"--resample {text!r}: expected rows, groups, column.NAME, or {{time: column.NAME}}."
        ) from None
    except ParameterError as error:
        raise click.UsageError(f"--resample: {error}") from None
