"""``lossfw compare``, ``report`` and ``rerun``: finished runs, their pages, and runs again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossfw.cli.arguments import read_yaml
from lossfw.cli.command import Command
from lossfw.cli.options import (
    by_options,
    json_option,
    parse_slice,
    parse_units,
    plugin_file_option,
    trust_option,
    warn,
    write_stderr,
)
from lossfw.cli.progress import ProgressBar
from lossfw.components.plugin_choice import Plugins
from lossfw.errors import ArgumentError
from lossfw.runs.files import to_json, write_stdout

if TYPE_CHECKING:
    from lossfw.runs.compare.stars import Stars
    from lossfw.runs.records import RunRequest

# Beyond so many differences `rerun` counts the rest.
_SHOWN_DIFFERENCES = 20


@click.command(cls=Command)
@click.argument("folders", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--sort", metavar="KEY", help="Order by loss, a metric, a setting, or name.")
@click.option("--reverse", is_flag=True, help="Show the largest first.")
@click.option(
    "--level",
    type=float,
    metavar="FRACTION",
    help="The confidence level of the intervals; by default that of the first run, or 0.95.",
)
@click.option(
    "--allow-different-data",
    is_flag=True,
    help="Allow runs on different data, without differences.",
)
@by_options
@click.option(
    "--resample",
    metavar="UNITS",
    help="The units that differences treat as independent: rows, groups, column.NAME, or "
    "{time: column.NAME}; by default those of the first run.",
)
@click.option(
    "--stars",
    type=click.Choice(["all", "each"]),
    default="all",
    show_default=True,
    help="Whether a star is corrected for all differences of a measure in the table, or "
    "holds for each difference on its own.",
)
@click.option(
    "--loss",
    metavar="NAME",
    help="Score the stored rows of all runs by this loss, instead of their own: a name, or a "
    "mapping in YAML such as {name: quantile, q: 0.5}.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Also score the stored rows by this metric or loss, given in the same way. Can be "
    "repeated.",
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with one line per run.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown tables.")
@plugin_file_option
@trust_option(default=False)
def compare(
    folders: tuple[str, ...],
    sort: str | None,
    reverse: bool,
    level: float | None,
    allow_different_data: bool,
    by: str | None,
    bins: str | None,
    resample: str | None,
    stars: Stars,
    loss: str | None,
    metrics: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    as_markdown: bool,
    local: tuple[str, ...],
    trust: bool,
) -> None:
    """Compare runs, each with the first one, or trainings.

    A RUN is the folder of a run or of a training, or a folder that holds such folders, as a
    sweep writes it.
    Where the runs kept their rows (evaluate: {save_rows: true}), differences are paired by row.
    """
    # Imported here: listing components needs no readers of runs.
    from lossfw.report.text.comparison import comparison_csv, comparison_markdown, show_comparison
    from lossfw.runs.compare import compare_folders
    from lossfw.runs.compare.scores import Scores

    if as_json + as_csv + as_markdown > 1:
        raise click.UsageError("--json, --csv and --markdown exclude each other.")
    comparison, left_out = compare_folders(
        [Path(folder) for folder in folders],
        Plugins(local, trusted=trust),
        level=level,
        allow_different_data=allow_different_data,
        by=parse_slice(by, bins),
        resample=parse_units(resample),
        stars=stars,
        scores=Scores(
            None if loss is None else _parse_component(loss, "--loss"),
            [_parse_component(metric, "--metric") for metric in metrics],
        ),
    )
    for message in left_out:
        warn(message)
    if sort is not None:
        comparison = comparison.sorted(sort, reverse=reverse)
    if as_json:
        write_stdout(to_json(comparison.to_dict()))
    elif as_csv:
        write_stdout(comparison_csv(comparison))
    elif as_markdown:
        write_stdout(comparison_markdown(comparison))
    else:
        show_comparison(comparison)


def _parse_component(text: str, option: str) -> Any:
    """Return the name or the mapping of a component."""
    given = read_yaml(text, option)
    if isinstance(given, str | dict):
        return given
    raise ArgumentError(
        f"{option} {text!r}: expected a name, or a mapping such as {{name: quantile, q: 0.5}}."
    )


@click.command(cls=Command)
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "--out-file",
    metavar="FILE",
    help="The file for the comparison of several runs, or for the report of one. Without it: "
    "report.html in the folder of the run, or in the one that holds all of them.",
)
@click.option(
    "--allow-different-data",
    is_flag=True,
    help="Allow runs on different data, without differences.",
)
@by_options
@plugin_file_option
@trust_option(default=False)
def report(
    folders: tuple[str, ...],
    out_file: str | None,
    allow_different_data: bool,
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
    from lossfw.report.html.render import require_report
    from lossfw.report.html.write import write_reports
    from lossfw.runs.compare import find_runs, find_trainings

    require_report()
    trainings, rest, unfinished = find_trainings([Path(folder) for folder in folders])
    for message in unfinished:
        warn(message)
    file = Path(out_file) if out_file else None
    if trainings:
        # Where there are runs too, their comparison takes the file of --out-file.
        for path in write_reports(trainings, None if rest else file):
            write_stdout(f"wrote {path}")
    if not rest and (trainings or unfinished):
        return
    runs, left_out = find_runs(rest, Plugins(local, trusted=trust))
    for message in left_out:
        warn(message)
    if not runs:
        raise ArgumentError("no run in these folders is done, so there is nothing to report.")
    part = parse_slice(by, bins)
    for path in write_reports(
        runs, file, allow_different_data=allow_different_data, by=part, warn=warn
    ):
        write_stdout(f"wrote {path}")


def check_report_folder(out: str | None) -> None:
    """Check before a run that its report can be written."""
    from lossfw.report.html.render import require_report

    if out is None:
        raise ArgumentError("--report writes report.html to a folder: give --out DIR too.")
    require_report()


def write_requested_reports(requests: Sequence[RunRequest]) -> None:
    """Write the reports of runs or of trainings that are done.

    Runs on different data are side by side in the comparison.
    """
    from lossfw.report.html.write import write_reports
    from lossfw.runs.compare import find_runs, find_trainings, is_run

    folders = [request.folder for request in requests if request.folder is not None]
    trains, done = requests[0].trains, list[Any]()
    if trains:
        done += find_trainings(folders)[0]
    else:
        # The runs executed these plugin files a moment ago.
        done += find_runs([folder for folder in folders if is_run(folder)], Plugins())[0]
    apart = len({run.rows_key for run in done}) > 1
    # A run removes its report when it writes new numbers, and a training does not.
    for path in (
        write_reports(done, None, allow_different_data=apart, keep=not trains, warn=warn)
        if done
        else ()
    ):
        write_stderr(f"wrote {path}")


@click.command(cls=Command)
@click.argument("folder")
@json_option
@plugin_file_option
@trust_option(default=True)
@click.pass_context
def rerun(
    ctx: click.Context, folder: str, as_json: bool, local: tuple[str, ...], trust: bool
) -> None:
    """Repeat the run in FOLDER, and report the differences.

    It compares every number, the versions of lossfw, Python, NumPy and the
    plugins, and the digests of data, weights and the whole run. The exit code
    is 0 if all are the same, and 1 otherwise. Nothing is written.
    """
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.report.text.tables import show_table
    from lossfw.runs.rerun import rerun as run_again

    with ProgressBar() as progress:
        differences = run_again(
            Path(folder), progress=progress, warn=warn, plugins=Plugins(local, trusted=trust)
        )
    if as_json:
        plain = [difference._asdict() for difference in differences]
        write_stdout(json.dumps({"same": not differences, "differences": plain}))
    elif differences:
        rows = [(d.kind, d.what, str(d.then), str(d.now)) for d in differences[:_SHOWN_DIFFERENCES]]
        show_table(("", "differs", "then", "now"), rows)
        if len(differences) > _SHOWN_DIFFERENCES:
            write_stdout(f"... and {len(differences) - _SHOWN_DIFFERENCES} more")
    else:
        write_stdout(f"{folder}: the same numbers, versions and digests")
    if differences:
        ctx.exit(1)
