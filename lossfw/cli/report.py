"""``lossfw report``: pages of runs and of their comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from lossfw.cli.by_options import by_options, slice_of
from lossfw.cli.options import plugin_file_option, tell, traceback_option, trust_option, warn


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "--out",
    metavar="FILE",
    help="The file for the comparison of several runs, or for the report of one. Without it: "
    "report.html in the folder of the run, or in the one that holds all of them.",
)
@click.option(
    "--side-by-side", is_flag=True, help="Allow runs on different data, without differences."
)
@by_options
@plugin_file_option
@trust_option(default=False)
@traceback_option
def report(
    folders: tuple[str, ...],
    out: str | None,
    side_by_side: bool,
    by: str | None,
    bins: str | None,
    local: tuple[str, ...],
    trust: bool,
) -> None:
    """Write report.html for the runs and trainings in folders, and for several runs a comparison.

    A FOLDER is the folder of a run, or a folder of run folders, as a sweep writes it. A page
    is one self-contained file. It needs matplotlib and jinja2. Plugin files that a run names
    are imported only with --plugin or --trust; without them parts of its page can be missing.
    """
    # Imported here: listing components needs no readers of runs.
    from lossfw.components.plugin_choice import Plugins
    from lossfw.errors import ArgumentError
    from lossfw.report.html.render import need_report
    from lossfw.report.html.write import write_reports
    from lossfw.runs.compare import find_runs, find_trainings
    from lossfw.runs.files import say

    need_report()
    trainings, rest, unfinished = find_trainings([Path(folder) for folder in folders])
    for told in unfinished:
        warn(told)
    if trainings:
        # Of runs beside them the comparison takes the file of --out.
        for path in write_reports(trainings, Path(out) if out and not rest else None):
            say(f"wrote {path}")
    if not rest and (trainings or unfinished):
        return
    runs, left_out = find_runs(rest, Plugins(local, trusted=trust))
    for told in left_out:
        warn(told)
    if not runs:
        raise ArgumentError("no run in these folders is done, so there is nothing to report.")
    file = Path(out) if out else None
    part = slice_of(by, bins)
    for path in write_reports(runs, file, side_by_side=side_by_side, by=part, warn=warn):
        say(f"wrote {path}")


def check_report(out: str | None) -> None:
    """Check before a run that its report can be written.

    Raises
    ------
    ArgumentError
        If the run has no folder.
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    from lossfw.errors import ArgumentError
    from lossfw.report.html.render import need_report

    if out is None:
        raise ArgumentError("--report writes report.html to a folder: give --out DIR too.")
    need_report()


def report_on(folders: Sequence[Path]) -> None:
    """Write the reports of the finished runs.

    Runs on different data stand side by side in the comparison.
    """
    from lossfw.components.plugin_choice import Plugins
    from lossfw.report.html.write import write_reports
    from lossfw.runs.compare import find_runs, is_run

    # These plugin files were executed by the runs a moment ago.
    runs, _ = find_runs([folder for folder in folders if is_run(folder)], Plugins())
    if not runs:
        return
    several = len(folders) > 1
    out = folders[0].parent / "report.html" if several and len(runs) > 1 else None
    apart = len({run.rows_key for run in runs}) > 1
    for path in write_reports(runs, out, side_by_side=apart, keep=True, warn=warn):
        tell(f"wrote {path}")
