"""``lossfw run``: evaluate what configurations describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lossfw.cli.options import (
    json_option,
    override_option,
    plugin_options,
    plugins_of,
    traceback_option,
)

if TYPE_CHECKING:
    from lossfw.runs.records import RunRequest


@click.command()
@click.argument("configs", metavar="CONFIG...", nargs=-1, required=True)
@override_option
@click.option(
    "--out",
    metavar="DIR",
    help="Write metrics.json and all that says how it came about to this folder; of several runs, "
    "each to a folder of its own in it.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with what was interrupted in the folder of --out."
)
@click.option("--dry-run", is_flag=True, help="Check everything and compute nothing.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="So many of several runs at a time, each in a process of its own.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Write report.html to the folder too; of several runs also a comparison.",
)
@json_option
@plugin_options
@traceback_option
def run(
    configs: tuple[str, ...],
    overrides: tuple[str, ...],
    out: str | None,
    resume: bool,
    dry_run: bool,
    jobs: int,
    report: bool,
    as_json: bool,
    local: tuple[str, ...],
    disable: tuple[str, ...],
    no_plugins: bool,
) -> None:
    """Evaluate the configuration in each file CONFIG.

    Several files, or one with a section `sweep`, are run in processes of their
    own; one that fails does not stop the others, and the exit code is 1. In
    JSON, numbers that are not finite are the texts "nan", "inf" and "-inf".
    """
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.errors import ArgumentError
    from lossfw.runs.records import RunRequest

    if resume and out is None:
        raise ArgumentError("--resume goes on with what is in a folder: give --out DIR too.")
    if report:
        from lossfw.cli.report import check_report

        check_report(out)
    plugins = plugins_of(local, disable, no_plugins)
    folder = Path(out) if out is not None else None
    if len(configs) == 1 and not _may_sweep(configs[0], overrides):
        orders = [RunRequest(configs[0], overrides, plugins, folder=folder, resume=resume)]
    else:
        from lossfw.runs.parallel_runs import orders_of

        orders = orders_of(configs, overrides, plugins, folder, resume=resume)
    # A sweep adds overrides of its own, also one of a single run.
    single = len(configs) == 1 and orders[0].overrides == overrides
    if dry_run:
        from lossfw.cli.dry_run import show_plans

        show_plans(orders, as_json=as_json)
        return
    try:
        if single:
            _one(orders[0], as_json=as_json)
        else:
            from lossfw.cli.many import run_many

            run_many(orders, jobs, as_json=as_json)
    finally:
        # Of several runs some may have failed, and the others have their reports.
        if report:
            from lossfw.cli.report import report_on

            report_on([order.folder for order in orders if order.folder is not None])


def _may_sweep(config: str, overrides: tuple[str, ...]) -> bool:
    """Tell whether a configuration could describe several runs, without reading its YAML."""
    from lossfw.config.text.reading import MAX_BYTES

    if any("sweep" in item for item in overrides):
        return True
    try:
        if not Path(config).is_file():
            return False  # a pipe, say, which is read once
        with Path(config).open("rb") as file:
            text = file.read(MAX_BYTES)
    except (OSError, ValueError):
        return False  # told by whoever reads it in earnest
    return b"sweep" in text or b"extends" in text


def _one(order: RunRequest, *, as_json: bool) -> None:
    from lossfw.cli.progress import ProgressBar
    from lossfw.report.text.run import show
    from lossfw.runs.execute import carry_out
    from lossfw.runs.files import say, to_json

    with ProgressBar() as progress:
        outcome = carry_out(order, progress=progress, warn=warn)
    if outcome.before:
        click.echo(f"{order.folder}: done before, not run again", err=True)
    elif outcome.resumed:
        rows = outcome.result.count
        click.echo(f"{order.folder}: went on from row {outcome.resumed} of {rows}", err=True)
    if as_json:
        say(to_json(outcome.result.to_dict()))
    else:
        show(outcome.run.plan, outcome.result, outcome.loading)
        for text in outcome.texts:
            say(text)
    if outcome.failure is not None:
        raise outcome.failure


def warn(text: str) -> None:
    """Write a warning to standard error."""
    click.echo(f"lossfw: warning: {text}", err=True)
