"""``lossfw run`` and ``lossfw train``: carry out the runs that configurations describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from lossfw.cli.command import Command
from lossfw.cli.options import (
    config_plugin_options,
    jobs_option,
    json_option,
    override_option,
    warn,
    write_stderr,
)
from lossfw.errors import ArgumentError

if TYPE_CHECKING:
    from lossfw.runs.records import RunRequest

# Said before a training begins, and after the mistakes of its configuration.
_LOST_WEIGHTS = (
    "the trained model would be lost: give --out DIR to save it, or --no-out to see only the "
    "numbers."
)


@click.command(cls=Command)
@click.argument("configs", metavar="CONFIG...", nargs=-1, required=True)
@override_option
@click.option(
    "--out",
    metavar="DIR",
    help="Write the results and their provenance to this folder. Several runs get a "
    "subfolder each.",
)
@click.option("--resume", is_flag=True, help="Continue interrupted runs in the --out folder.")
@click.option("--dry-run", is_flag=True, help="Check everything and compute nothing.")
@jobs_option("runs")
@click.option(
    "--cluster",
    metavar="SCHEDULER",
    help="Compute on a Dask cluster: an address, a scheduler file, or local:N for N "
    "processes on this machine. Several runs are one task each.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Write report.html too, and a comparison of several runs.",
)
@json_option
@config_plugin_options(trusted=True)
def run(**options: Any) -> None:
    """Evaluate the configuration in each file CONFIG.

    CONFIG may also be the folder of a training: its model is evaluated on its data,
    or on those that -o names.

    Several files, or one with a section `sweep`, run in their own processes. If
    one fails, the others continue, and the exit code is 1. In JSON, numbers that
    are not finite are the texts "nan", "inf" and "-inf".
    """
    given = SimpleNamespace(**options)
    _check_folder_options(given)
    requests = _read_requests(given, given.configs)
    if given.dry_run:
        # Imported on use: most runs are carried out.
        from lossfw.cli.dry_run import show_plans

        show_plans(requests, as_json=given.as_json)
        return
    _carry_out(requests, given, _run_one)


@click.command(cls=Command)
@click.argument("config")
@override_option
@click.option(
    "--out",
    metavar="DIR",
    help="Write config.yaml, the model (weights.npz, or its file and model.json), training.json "
    "and, after each epoch or 100 rounds, checkpoint.npz to this folder. The trainings of a sweep "
    "get a subfolder each.",
)
@click.option(
    "--no-out", is_flag=True, help="Write no files: show the results and discard the model."
)
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in the --out folder.")
@click.option("--dry-run", is_flag=True, help="Check everything and train nothing.")
@jobs_option("trainings of a sweep or of folds")
@click.option(
    "--cluster",
    metavar="SCHEDULER",
    help="Train the runs of a sweep, or the folds, on a Dask cluster, each as one task: an "
    "address, a scheduler file, or local:N for N processes on this machine.",
)
@click.option("--report", is_flag=True, help="Write report.html too.")
@json_option
@config_plugin_options(trusted=True)
def train(**options: Any) -> None:
    """Train the model of the configuration in the file CONFIG.

    The section `train` describes the training. A stopped training continues with
    --resume and ends with the same bits. A section `sweep` describes several
    trainings, and so does `hold_out: {folds: 5}`, with the numbers of all rows by
    the models that have not seen them. In JSON, numbers that are not finite are the
    texts "nan", "inf" and "-inf".
    """
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.config.plan.folds import count_folds

    given = SimpleNamespace(**options)
    if given.out is not None and given.no_out:
        raise ArgumentError("--out keeps the model and --no-out does not: give one of them.")
    _check_folder_options(given)
    requests = _read_requests(given, [given.config], trains=True)
    if given.dry_run:
        # Imported on use: most trainings are carried out.
        from lossfw.cli.dry_run import show_trainings

        show_trainings(requests, as_json=given.as_json)
        return
    if any(count_folds(request.config) for request in requests):
        # Imported on use: a single training needs none of it.
        from lossfw.cli.folds import train_folds

        if given.out is None:
            raise ArgumentError(
                "the folds of a training are put together from their folders: give --out DIR."
            )
        train_folds(requests, given.jobs, as_json=given.as_json, report=given.report)
        return
    single = _is_single_run(requests)
    if given.cluster is not None and single:
        # A step needs the weights of the step before.
        raise ArgumentError(
            "--cluster distributes the trainings of a sweep, but this is a single training: remove "
            "--cluster, or add a section sweep."
        )
    drops_weights = given.out is None and not given.no_out
    if drops_weights and not single:
        raise ArgumentError(_LOST_WEIGHTS)
    _carry_out(requests, given, partial(_train_one, drops_weights=drops_weights))


def _check_folder_options(options: SimpleNamespace) -> None:
    """Refuse options that need a folder, without one."""
    if options.resume and options.out is None:
        raise ArgumentError("--resume continues from the files in a folder: give --out DIR too.")
    if options.report:
        from lossfw.cli.compare import check_report_folder

        check_report_folder(options.out)


def _read_requests(
    options: SimpleNamespace, names: Sequence[str], *, trains: bool = False
) -> list[RunRequest]:
    """Read every configuration, and return a request for each of its runs."""
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.config.plan.folds import count_folds
    from lossfw.config.schema.checked import read_config
    from lossfw.config.text.source import ConfigSource
    from lossfw.runs.records import RunRequest

    folder = None if options.out is None else Path(options.out)
    named = [(name, options.overrides) for name in names]
    if not trains and any(Path(name).is_dir() for name in names):
        # Imported on use: most configurations are files.
        from lossfw.runs.trained_folder import evaluation_of_folder

        named = [evaluation_of_folder(*one) for one in named]
    configs = [read_config(ConfigSource(*one, options.plugins)) for one in named]
    is_one = len(configs) == 1 and not configs[0].has_value("sweep")
    if is_one and not (trains and count_folds(configs[0])):
        return [RunRequest(configs[0], "", folder, options.resume, trains, options.cluster)]
    # Imported on use: a single run starts without it.
    from lossfw.runs.parallel_runs import requests_of

    requests = requests_of(
        configs, folder, resume=options.resume, trains=trains, cluster=options.cluster
    )
    # A training tells its notes itself.
    for config in () if trains else configs:
        for note in config.notes:
            warn(f"{config.source.name}: {note}")
    return requests


def _is_single_run(requests: Sequence[RunRequest]) -> bool:
    """Tell whether there is one run without a name; each run of a sweep has one."""
    return len(requests) == 1 and not requests[0].name


def _carry_out(
    requests: Sequence[RunRequest],
    options: SimpleNamespace,
    carry_out_one: Callable[[RunRequest, bool], None],
) -> None:
    """Carry out one run in this process, or several, and write their reports."""
    from lossfw.cli.compare import write_requested_reports

    if _is_single_run(requests):
        try:
            carry_out_one(requests[0], options.as_json)
        except KeyboardInterrupt:
            if (folder := requests[0].folder) is not None:
                write_stderr(f"{folder}: interrupted; --resume continues from here")
            raise
        if options.report:
            write_requested_reports(requests)
        return
    from lossfw.cli.batch import carry_out_and_show

    try:
        carry_out_and_show(requests, options.jobs, as_json=options.as_json)
    finally:
        # Some may have failed, and the others have their reports.
        if options.report:
            write_requested_reports(requests)


def _run_one(request: RunRequest, as_json: bool) -> None:
    from lossfw.cli.batch import ALLOW_NAN
    from lossfw.cli.progress import ProgressBar
    from lossfw.errors import RunError
    from lossfw.report.text.run import saved_text, show_run
    from lossfw.runs.execute import carry_out
    from lossfw.runs.files import to_json, write_stdout

    with ProgressBar() as progress:
        outcome = carry_out(request, progress=progress, warn=warn)
    if outcome.before:
        write_stderr(f"{request.folder}: done before, not run again")
    elif outcome.resumed:
        rows = outcome.result.count
        write_stderr(f"{request.folder}: continued from row {outcome.resumed} of {rows}")
    if as_json:
        write_stdout(to_json(outcome.result.to_dict()))
    else:
        plan = outcome.run.plan
        # Of the key `model`, saved outputs are a model.
        is_model = plan.outputs is not None and request.config.has_value("model")
        show_run(plan, outcome.result, outcome.loading, saved_text(plan) if is_model else "")
        for text in outcome.texts:
            write_stdout(text)
    if outcome.failure is not None:
        raise outcome.failure
    if outcome.has_refused_nan:
        raise RunError(f"the loss is NaN. {ALLOW_NAN}")


def _train_one(request: RunRequest, as_json: bool, *, drops_weights: bool) -> None:
    from lossfw.cli.progress import ProgressBar
    from lossfw.report.text.training import show_training
    from lossfw.runs.files import to_json, write_stdout
    from lossfw.runs.trainings import carry_out_training, prepare_training

    run = prepare_training(request)
    if drops_weights:
        raise ArgumentError(_LOST_WEIGHTS)
    with ProgressBar("rows" if run.training.training_mode == "epochs" else "rounds") as progress:
        outcome = carry_out_training(request, run, progress=progress, warn=warn)
    if as_json:
        write_stdout(to_json(outcome.trained.to_dict()))
    else:
        show_training(run.training, outcome.trained, request.folder, outcome.seconds)
