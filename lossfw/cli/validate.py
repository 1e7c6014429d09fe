"""``lossfw validate``: report all mistakes of configurations, and run nothing."""

from __future__ import annotations

import click

from lossfw.cli.options import (
    config_plugin_options,
    json_option,
    override_option,
    tell,
    traceback_option,
)
from lossfw.components.plugin_choice import Plugins

# Version of the JSON object that this verb prints.
VALIDATE_VERSION = 1


@click.command()
@click.argument("configs", nargs=-1, required=True, metavar="CONFIG...")
@override_option
@json_option
@config_plugin_options(trusted=False)
@traceback_option
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
    Plugin files are imported only with --plugin or --trust.
    """
    from lossfw.config.plan.validate import Verdict
    from lossfw.config.plan.validate import validate as look_at
    from lossfw.config.text.source import ConfigSource
    from lossfw.runs.files import say, to_json

    verdicts = [look_at(ConfigSource(config, overrides, plugins)) for config in configs]

    def told(verdict: Verdict) -> str:
        if verdict.problems:
            return "\n".join(map(str, verdict.problems))
        return f"{verdict.file}: valid{f', {verdict.runs} runs' if verdict.runs > 1 else ''}"

    if as_json:
        files = [verdict.to_dict() for verdict in verdicts]
        say(to_json({"lossfw": VALIDATE_VERSION, "files": files}))
    else:
        say("\n".join(map(told, verdicts)))
    for verdict in verdicts:
        for note in verdict.notes:
            tell(f"lossfw: warning: {verdict.file}: {note}")
    if any(verdict.problems for verdict in verdicts):
        ctx.exit(2)
