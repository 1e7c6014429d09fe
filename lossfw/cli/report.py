"""``lossfw report``: pages of runs and of their comparison."""

from __future__ import annotations

from pathlib import Path

import click

from lossfw.cli.options import traceback_option


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "--out",
    metavar="FILE",
    help="Where the comparison of several runs goes, or the report of one. Without it: "
    "report.html in the folder of the run, or in the one that holds all of them.",
)
@click.option(
    "--side-by-side", is_flag=True, help="Allow runs on different data, without differences."
)
@traceback_option
def report(folders: tuple[str, ...], out: str | None, side_by_side: bool) -> None:
    """Write report.html for the runs in folders, and for several of them a comparison.

    A FOLDER is that of a run, or one that holds such folders, as a sweep writes it. A page
    is a single file that asks nothing of any network. It needs matplotlib and jinja2.
    """
    # Imported here: listing components needs no readers of runs.
    from lossfw.compare import find_runs
    from lossfw.errors import ArgumentError
    from lossfw.output import say
    from lossfw.report.page.html import need_report
    from lossfw.report.page.write import write_reports

    need_report()
    runs, left_out = find_runs([Path(folder) for folder in folders])
    for told in left_out:
        click.echo(f"lossfw: warning: {told}", err=True)
    if not runs:
        raise ArgumentError("no run in these folders is done, so there is nothing to report.")
    for path in write_reports(runs, Path(out) if out else None, side_by_side=side_by_side):
        say(f"wrote {path}")
