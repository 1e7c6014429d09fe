"""``lossfw train``: train the network that a configuration describes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lossfw.cli.options import (
    json_option,
    override_option,
    plugin_options,
    traceback_option,
)
from lossfw.components.plugin_choice import Plugins

if TYPE_CHECKING:
    from lossfw.nn.training.records import Trained, Training, TrainingState


@click.command()
@click.argument("config")
@override_option
@click.option(
    "--out",
    metavar="DIR",
    help="Write weights.npz, training.json and, after each epoch, checkpoint.npz to this folder.",
)
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in the folder of --out.")
@json_option
@plugin_options
@traceback_option
def train(
    config: str,
    overrides: tuple[str, ...],
    out: str | None,
    resume: bool,
    as_json: bool,
    plugins: Plugins,
) -> None:
    """Train the network of the configuration in the file CONFIG.

    The section `train` describes the training. A stopped training continues with
    --resume and ends with the same bits. In JSON, numbers that are not finite are
    the texts "nan", "inf" and "-inf".
    """
    # Imported here: listing components needs no NumPy file readers.
    from lossfw.config.build.training import build_training
    from lossfw.config.text.source import ConfigSource
    from lossfw.errors import ArgumentError
    from lossfw.report.text.training import show
    from lossfw.runs.files import check_folder, say, to_json
    from lossfw.runs.folder import working_in

    if resume and out is None:
        raise ArgumentError("--resume goes on from the checkpoint of a folder: give --out DIR too.")
    folder = Path(out) if out is not None else None
    if folder is not None:
        check_folder(folder)
    training = build_training(ConfigSource(config, overrides, plugins))
    begin = time.perf_counter()
    with working_in(folder):
        trained = _train(training, folder, resume=resume)
    if as_json:
        say(to_json(trained.to_dict()))
    else:
        show(training, trained, folder, time.perf_counter() - begin)


def _train(training: Training, folder: Path | None, *, resume: bool) -> Trained:
    """Train, with a checkpoint after each epoch and the results in the folder, if there is one."""
    from lossfw.cli.progress import ProgressBar
    from lossfw.data.state_file import npz_bytes
    from lossfw.nn.training import checkpoint
    from lossfw.nn.training.loop import train as run
    from lossfw.runs.files import to_json, write_file

    start = None
    if folder is not None and resume:
        start = checkpoint.read(folder / checkpoint.CHECKPOINT_FILE, training)

    def save(state: TrainingState) -> None:
        if folder is not None:
            content = checkpoint.to_bytes(training, state)
            write_file(folder, checkpoint.CHECKPOINT_FILE, content)

    with ProgressBar() as progress:
        trained = run(training, start=start, save=save, progress=progress)
    if folder is not None:
        arrays = checkpoint.weights(trained.network)
        write_file(folder, checkpoint.WEIGHTS_FILE, npz_bytes(arrays))
        write_file(folder, "training.json", f"{to_json(trained.to_dict())}\n".encode())
    return trained
