"""``lossfw train``: train the networks that a configuration describes."""

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
    from lossfw.runs.records import RunRequest, TrainingRun


@click.command()
@click.argument("config")
@override_option
@click.option(
    "--out",
    metavar="DIR",
    help="Write config.yaml, weights.npz, training.json and, after each epoch, checkpoint.npz to "
    "this folder. "
    "Each training of a sweep has a folder of its own in it.",
)
@click.option(
    "--no-out", is_flag=True, help="Keep nothing: show the numbers, and discard the weights."
)
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in the folder of --out.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Number of trainings of a sweep that run at a time, each in its own process.",
)
@click.option(
    "--cluster",
    metavar="SCHEDULER",
    help="Train the runs of a sweep on a cluster of Dask, one a task: an address, the file of a "
    "scheduler, or local:N for N processes on this machine.",
)
@click.option("--report", is_flag=True, help="Write report.html too.")
@json_option
@config_plugin_options(trusted=True)
@traceback_option
def train(**options: Any) -> None:
    """Train the network of the configuration in the file CONFIG.

    The section `train` describes the training. A stopped training continues with
    --resume and ends with the same bits. A section `sweep` describes several
    trainings. In JSON, numbers that are not finite are the texts "nan", "inf" and
    "-inf".
    """
    given = _TrainOptions(**options)
    requests = _requests(given)
    try:
        if len(requests) == 1 and not requests[0].name:
            _one(requests[0], given)
        else:
            _need_out(given)
            from lossfw.cli.many import run_many

            run_many(requests, given.jobs, as_json=given.as_json)
    finally:
        if given.report:
            _report(requests)


class _TrainOptions(NamedTuple):
    """The options of the verb."""

    config: str
    overrides: tuple[str, ...]
    out: str | None
    no_out: bool
    resume: bool
    jobs: int
    cluster: str | None
    report: bool
    as_json: bool
    plugins: Plugins


def _requests(given: _TrainOptions) -> list[RunRequest]:
    """Read the configuration, and return a request for each of its trainings."""
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.config.schema.checked import read_config
    from lossfw.config.text.source import ConfigSource
    from lossfw.errors import ArgumentError
    from lossfw.runs.records import RunRequest

    if given.resume and given.out is None:
        raise ArgumentError(
            "--resume continues from the checkpoint of a folder: give --out DIR too."
        )
    if given.out is not None and given.no_out:
        raise ArgumentError("--out keeps the weights and --no-out does not: give one of them.")
    if given.report:
        from lossfw.cli.report import check_report

        check_report(given.out)
    folder = None if given.out is None else Path(given.out)
    config = read_config(ConfigSource(given.config, given.overrides, given.plugins))
    if not config.has("sweep"):
        _check_alone(given)
        return [RunRequest(config, folder=folder, resume=given.resume, trains=True)]
    from lossfw.runs.parallel_runs import requests_of

    return requests_of([config], folder, resume=given.resume, trains=True, cluster=given.cluster)


def _check_alone(given: _TrainOptions) -> None:
    """Refuse a cluster for one training: a step needs the weights of the step before."""
    from lossfw.errors import ArgumentError

    if given.cluster is not None:
        raise ArgumentError(
            "--cluster shares the trainings of a sweep out among its workers, and this is one "
            "training, which a single process computes: leave --cluster out, or write a section "
            "sweep."
        )


def _need_out(given: _TrainOptions) -> None:
    """Refuse to train for nothing, before it begins."""
    from lossfw.errors import ArgumentError

    if given.out is None and not given.no_out:
        raise ArgumentError(
            "the weights would be lost: give --out DIR for them, or --no-out to see the numbers "
            "alone."
        )


def _one(request: RunRequest, given: _TrainOptions) -> None:
    from lossfw.report.text.training import show
    from lossfw.runs.files import say, to_json
    from lossfw.runs.trainings import prepare_training

    run = prepare_training(request)
    _need_out(given)
    outcome = _carried_out(request, run)
    if given.as_json:
        say(to_json(outcome.trained.to_dict()))
    else:
        show(run.training, outcome.trained, request.folder, outcome.seconds)


def _carried_out(request: RunRequest, run: TrainingRun) -> Any:
    from lossfw.cli.progress import ProgressBar
    from lossfw.runs.trainings import carry_out_training

    try:
        with ProgressBar() as progress:
            return carry_out_training(request, run, progress=progress, warn=warn)
    except KeyboardInterrupt:
        if request.folder is not None:
            tell(f"{request.folder}: interrupted; --resume continues from its last epoch")
        raise


def _report(requests: list[RunRequest]) -> None:
    """Write the page of each training that has ended, and of several their comparison."""
    from lossfw.report.html.write import write_reports
    from lossfw.runs.compare import find_trainings

    folders = [request.folder for request in requests if request.folder is not None]
    trainings, _, _ = find_trainings(folders)
    for path in write_reports(trainings, None) if trainings else ():
        tell(f"wrote {path}")
