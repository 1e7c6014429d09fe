"""A command whose help groups its options by what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

# The options that most commands have, which come last.
_COMMON = ("local", "disable", "no_plugins", "trust", "traceback")

_COMMON_HEADING = "Plugins and help"


class Command(click.Command):
    """A command with headings in its help.

    Parameters
    ----------
    headings : mapping, optional
        The names of the parameters below each heading. Others are below ``Options``.
    """

    def __init__(
        self, *arguments: Any, headings: Mapping[str, Sequence[str]] | None = None, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.headings = {**(headings or {}), _COMMON_HEADING: _COMMON}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each option below its heading, in the order of the command."""
        heading_of = {name: title for title, names in self.headings.items() for name in names}
        rows: dict[str, list[tuple[str, str]]] = {"Options": [], **{h: [] for h in self.headings}}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            # An argument is in the line of the usage.
            if record is not None and isinstance(parameter, click.Option):
                is_help = parameter is self.get_help_option(ctx)
                title = _COMMON_HEADING if is_help else heading_of.get(parameter.name or "")
                rows[title or "Options"].append(record)
        for title, records in rows.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
