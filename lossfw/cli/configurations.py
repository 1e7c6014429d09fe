"""``lossfw config``, ``validate`` and ``schema``: inspect configurations without running them."""

from __future__ import annotations

from pathlib import Path

import click

from lossfw.cli.command import Command
from lossfw.cli.options import (
    config_plugin_options,
    json_option,
    override_option,
    plugin_options,
    warn,
    write_json,
)
from lossfw.components.plugin_choice import Plugins
from lossfw.runs.files import write_file, write_stdout


@click.command(cls=Command)
@click.argument("config")
@override_option
@click.option("--plain", is_flag=True, help="Omit the origins and the defaults in comments.")
@json_option
@config_plugin_options(trusted=False)
def config(
    config: str, overrides: tuple[str, ...], plain: bool, as_json: bool, plugins: Plugins
) -> None:
    """Print the resolved configuration of the file CONFIG.

    Extended files, overrides and environment variables are applied, file names
    are absolute, and defaults are filled in. Each value is followed by its
    origin. The output runs from any folder, with the same digest. Plugin files
    are imported only with --plugin or --trust.
    """
    from lossfw.config.plan.resolved import resolve
    from lossfw.config.text.source import ConfigSource

    resolved = resolve(ConfigSource(config, overrides, plugins))
    if as_json:
        write_json(config=resolved.root.to_plain(), values=resolved.origins())
    else:
        write_stdout(
            (resolved.to_yaml() if plain else resolved.to_annotated_yaml()).removesuffix("\n")
        )


@click.command(cls=Command)
@click.argument("configs", nargs=-1, required=True, metavar="CONFIG...")
@override_option
@json_option
@config_plugin_options(trusted=False)
@click.pass_context
def validate(
    ctx: click.Context,
    configs: tuple[str, ...],
    overrides: tuple[str, ...],
    as_json: bool,
    plugins: Plugins,
) -> None:
    """Report all mistakes in each file CONFIG; nothing is run.

    All mistakes are reported at once, in the order of the file. The exit code is 0
    if there is none, and 2 otherwise. With --json, editors get line and column.
    Plugin files are imported only with --plugin or --trust; without them, what they
    define is not checked, and everything else is.
    """
    from lossfw.config.plan.validate import validate as look_at
    from lossfw.config.text.source import ConfigSource
    from lossfw.report.text.tables import input_line, show_table

    verdicts = [look_at(ConfigSource(config, overrides, plugins)) for config in configs]

    if as_json:
        write_json(files=[verdict.to_dict() for verdict in verdicts])
    else:
        for verdict in verdicts:
            runs = f", {verdict.runs} runs" if verdict.runs > 1 else ""
            for problem in verdict.unchecked:
                write_stdout(problem.text("not checked"))
            rest = ", except for what was not checked" if verdict.unchecked else ""
            write_stdout(
                "\n".join(map(str, verdict.problems)) or f"{verdict.file}: valid{rest}{runs}"
            )
            if verdict.inputs:
                show_table(("", ""), input_line(verdict.inputs))
    for verdict in verdicts:
        for note in verdict.notes:
            warn(f"{verdict.file}: {note}")
    if any(verdict.problems for verdict in verdicts):
        ctx.exit(2)


@click.command(cls=Command)
@click.option("--out-file", metavar="FILE", help="Write it to this file.")
@plugin_options
def schema(out_file: str | None, plugins: Plugins) -> None:
    """Print the JSON schema of a configuration, with all installed components.

    A line at the top of a configuration lets an editor use it:
    "# yaml-language-server: $schema=lossfw.schema.json".
    """
    import json

    from lossfw.config.schema.json_schema import json_schema

    registry = plugins.registry()
    text = json.dumps(json_schema(registry), indent=1, ensure_ascii=False)
    if out_file is None:
        write_stdout(text)
    else:
        path = Path(out_file)
        write_file(path.parent, path.name, f"{text}\n".encode())
