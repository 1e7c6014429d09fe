"""Groups of commands: each has ``--traceback``, and the help shows its text whole."""

from __future__ import annotations

import click

from lossfw.cli.options import traceback_option

# More characters than the first sentence of any command has.
_WHOLE = 10_000


class VerbGroup(click.Group):
    """A group that adds ``--traceback`` to itself and to each command.

    Its list of commands wraps long texts instead of cutting them.
    """

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # as click has them
        self.params.append(traceback_option)

    def find_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command without the option."""
        return super().get_command(ctx, name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command with the option."""
        command = self.find_command(ctx, cmd_name)
        if command is not None and traceback_option not in command.params:
            command.params.append(traceback_option)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with its first sentence."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(_WHOLE)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
