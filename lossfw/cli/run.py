"""``lossfw run``: evaluate the runs that configurations describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from lossfw.cli.options import (
    config_plugin_options,
    json_option,
    override_option,
    tell,
    traceback_option,
    warn,
)
from lossfw.components.plugin_choice import Plugins

if TYPE_CHECKING:
    from lossfw.runs.records import RunRequest


@click.command()
@click.argument("configs", metavar="CONFIG...", nargs=-1, required=True)
@override_option
@click.option(
    "--out",
    metavar="DIR",
    help="Write the numbers and their origin to this folder. Each of several runs has a folder of "
    "its own in it.",
)
@click.option("--resume", is_flag=True, help="Continue interrupted runs in the folder of --out.")
@click.option("--dry-run", is_flag=True, help="Check everything and compute nothing.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Number of runs at a time, each in its own process.",
)
@click.option(
    "--cluster",
    metavar="SCHEDULER",
    help="Compute on a cluster of Dask: an address, the file of a scheduler, or local:N for N "
    "processes on this machine. Several runs are one task each.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Write report.html too, and a comparison of several runs.",
)
@json_option
@config_plugin_options(trusted=True)
@traceback_option
def run(**options: Any) -> None:
    """Evaluate the configuration in each file CONFIG.

    Several files, or one with a section `sweep`, run in their own processes. If
    one fails, the others continue, and the exit code is 1. In JSON, numbers that
    are not finite are the texts "nan", "inf" and "-inf".
    """
    given = _Options(**options)
    _check(given)
    requests = _requests(given)
    if given.dry_run:
        from lossfw.cli.dry_run import show_plans

        show_plans(requests, as_json=given.as_json)
        return
    # Each run of a sweep has a name, also where it is the only one.
    if len(requests) == 1 and not requests[0].name:
        _one(requests[0], as_json=given.as_json)
        if given.report:
            _report(requests)
        return
    from lossfw.cli.many import run_many

    try:
        run_many(requests, given.jobs, as_json=given.as_json)
    finally:
        # Some may have failed, and the others have their reports.
        if given.report:
            _report(requests)


def _report(requests: list[RunRequest]) -> None:
    from lossfw.cli.report import report_on

    report_on([request.folder for request in requests if request.folder is not None])


class _Options(NamedTuple):
    """The options of the verb."""

    configs: tuple[str, ...]
    overrides: tuple[str, ...]
    out: str | None
    resume: bool
    dry_run: bool
    jobs: int
    cluster: str | None
    report: bool
    as_json: bool
    plugins: Plugins


def _check(given: _Options) -> None:
    """Refuse options that need others."""
    from lossfw.errors import ArgumentError

    if given.resume and given.out is None:
        raise ArgumentError("--resume continues the run in a folder: give --out DIR too.")
    if given.report:
        from lossfw.cli.report import check_report

        check_report(given.out)


def _requests(given: _Options) -> list[RunRequest]:
    """Read every configuration, and return a request for each of its runs."""
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.config.schema.checked import read_config
    from lossfw.config.text.source import ConfigSource
    from lossfw.runs.records import RunRequest

    folder = None if given.out is None else Path(given.out)
    configs = [
        read_config(ConfigSource(name, given.overrides, given.plugins)) for name in given.configs
    ]
    if len(configs) == 1 and not configs[0].has("sweep"):
        return [RunRequest(configs[0], folder=folder, resume=given.resume, cluster=given.cluster)]
    # Imported on use: a single run starts without it.
    from lossfw.runs.parallel_runs import requests_of

    requests = requests_of(configs, folder, resume=given.resume, cluster=given.cluster)
    for config in configs:
        for note in config.notes:
            warn(f"{config.source.name}: {note}")
    return requests


def _one(request: RunRequest, *, as_json: bool) -> None:
    from lossfw.cli.many import ALLOW_NAN
    from lossfw.cli.progress import ProgressBar
    from lossfw.errors import RunError
    from lossfw.report.text.run import show
    from lossfw.runs.execute import carry_out
    from lossfw.runs.files import say, to_json

    try:
        with ProgressBar() as progress:
            outcome = carry_out(request, progress=progress, warn=warn)
    except KeyboardInterrupt:
        if request.folder is not None:
            click.echo(f"{request.folder}: interrupted; --resume continues from here", err=True)
        raise
    if outcome.before:
        tell(f"{request.folder}: done before, not run again")
    elif outcome.resumed:
        rows = outcome.result.count
        tell(f"{request.folder}: went on from row {outcome.resumed} of {rows}")
    if as_json:
        say(to_json(outcome.result.to_dict()))
    else:
        show(outcome.run.plan, outcome.result, outcome.loading)
        for text in outcome.texts:
            say(text)
    if outcome.failure is not None:
        raise outcome.failure
    if outcome.nan:
        raise RunError(f"the loss is NaN. {ALLOW_NAN}")
