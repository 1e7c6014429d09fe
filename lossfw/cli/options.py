"""Options that several verbs have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from lossfw.components.naming import printable
from lossfw.components.plugin_choice import Plugins

_TRACEBACK = "lossfw.traceback"


def tell(text: str) -> None:
    """Write a line to standard error, its control characters as escapes."""
    click.echo(printable(text), err=True)


def warn(text: str) -> None:
    """Write a warning to standard error."""
    tell(f"lossfw: warning: {text}")


def _note_traceback(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    # The group's context and the verb's share this mapping.
    ctx.meta[_TRACEBACK] = ctx.meta.get(_TRACEBACK, False) or value


def wants_traceback(ctx: click.Context) -> bool:
    """Tell whether ``--traceback`` was given, before or after the verb."""
    return bool(ctx.meta.get(_TRACEBACK, False))


traceback_option = click.option(
    "--traceback",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_note_traceback,
    help="Show the Python traceback of an error.",
)

override_option = click.option(
    "-o",
    "--override",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change the configuration: -o loss.delta=1e-6. The value is YAML; a number in the key "
    "is an index. KEY+=VALUE appends to a list, KEY- removes a key. Can be repeated.",
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)


plugin_file_option = click.option(
    "--plugin",
    "local",
    multiple=True,
    metavar="FILE",
    help="Use the components of a .py file. Can be repeated.",
)


def trust_option(*, default: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--trust/--no-trust``.

    What carries out a configuration is trusted by default: the user names it to have it run.
    What only looks at one, or at the folder of a run, executes nothing unless it is asked to.
    """
    doing = "yes" if default else "no"
    return click.option(
        "--trust/--no-trust",
        "trust",
        default=default,
        help="Import the plugin files named in the configuration. This runs their code. "
        f"By default {doing}.",
    )


def config_plugin_options(*, trusted: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds the options of plugins to a verb that reads a configuration.

    Parameters
    ----------
    trusted : bool
        Whether plugin files that the configuration names are imported by default.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_trust(*arguments: Any, plugins: Plugins, trust: bool, **options: Any) -> Any:
            return command(*arguments, plugins=replace(plugins, trusted=trust), **options)

        return plugin_options(trust_option(default=trusted)(with_trust))

    return decorated


def plugin_options(command: Callable[..., Any]) -> Callable[..., Any]:
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

    added = (
        plugin_file_option,
        click.option(
            "--disable",
            multiple=True,
            metavar="NAME",
            help="Do not import a plugin. Can be repeated.",
        ),
        click.option("--no-plugins", is_flag=True, help="Import only the built-in plugin."),
    )
    decorated: Callable[..., Any] = with_plugins
    # From the last to the first: in the help they stand as they stand here.
    for option in reversed(added):
        decorated = option(decorated)
    return decorated
