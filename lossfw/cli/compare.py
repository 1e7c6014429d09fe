"""``lossfw compare``: runs side by side, and their differences from the first."""

from __future__ import annotations

from pathlib import Path

import click

from lossfw.cli.by_options import by_options, slice_of
from lossfw.cli.options import json_option, plugin_file_option, tell, traceback_option, trust_option


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--sort", metavar="KEY", help="Order by loss, a metric, a setting, or name.")
@click.option("--reverse", is_flag=True, help="Show the largest first.")
@click.option(
    "--level",
    type=float,
    metavar="SHARE",
    help="The level of the intervals; as in the first run, or 0.95.",
)
@click.option(
    "--side-by-side",
    is_flag=True,
    help="Allow runs on different data, without differences.",
)
@by_options
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a line for each run.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown tables.")
@plugin_file_option
@trust_option(default=False)
@traceback_option
def compare(
    folders: tuple[str, ...],
    sort: str | None,
    reverse: bool,
    level: float | None,
    side_by_side: bool,
    by: str | None,
    bins: str | None,
    as_json: bool,
    as_csv: bool,
    as_markdown: bool,
    local: tuple[str, ...],
    trust: bool,
) -> None:
    """Compare runs, each with the first one, or trainings.

    A RUN is the folder of a run or of a training, or a folder that holds such folders, as a
    sweep writes it.
    Where the runs kept their rows (evaluate: {rows: true}), differences are paired by row.
    """
    # Imported here: listing components needs no readers of runs.
    from lossfw.components.plugin_choice import Plugins
    from lossfw.report.text.comparison import comma_separated, markdown, show
    from lossfw.runs.compare import compare_folders
    from lossfw.runs.files import say, to_json

    if as_json + as_csv + as_markdown > 1:
        raise click.UsageError("--json, --csv and --markdown exclude each other.")
    comparison, left_out = compare_folders(
        [Path(folder) for folder in folders],
        Plugins(local, trusted=trust),
        level=level,
        side_by_side=side_by_side,
        by=slice_of(by, bins),
    )
    for message in left_out:
        tell(f"lossfw: warning: {message}")
    if sort is not None:
        comparison = comparison.sorted(sort, reverse=reverse)
    if as_json:
        say(to_json(comparison.to_dict()))
    elif as_csv:
        say(comma_separated(comparison))
    elif as_markdown:
        say(markdown(comparison))
    else:
        show(comparison)
