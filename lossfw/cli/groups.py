"""A group of commands whose help shows the text of each command whole."""

from __future__ import annotations

import click

# More characters than the first sentence of any command has.
_WHOLE = 10_000


class WholeHelp(click.Group):
    """A group whose list of commands wraps long texts instead of cutting them."""

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
