"""Carry out one training: from a configuration to its weights, and to its folder if it has one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from lossfw.components.hookspecs import TRAINING_CYCLE
from lossfw.config.plan.resolved import resolved
from lossfw.config.plan.training import training_of
from lossfw.config.schema.checked import known
from lossfw.data.state_file import npz_bytes
from lossfw.errors import OutputError
from lossfw.evaluation.evaluate import Progress
from lossfw.nn.training import checkpoint
from lossfw.nn.training.advice import scaling_advice
from lossfw.nn.training.loop import train
from lossfw.nn.training.records import Trained, Training, TrainingState
from lossfw.runs.files import check_folder, to_json, write_file
from lossfw.runs.folder import CONFIG_FILE, working_in
from lossfw.runs.plugin_hooks import Followers
from lossfw.runs.records import RunRequest, TrainingRun, Warn

# The numbers of a training in its folder.
TRAINING_FILE = "training.json"


@dataclass(frozen=True)
class TrainingOutcome:
    """The outcome of a training.

    Attributes
    ----------
    run : TrainingRun
        The training as plugins see it.
    trained : Trained
        The network, and the measurements after each epoch.
    seconds : float
        The duration of the training alone.
    resumed : int
        The epoch from which it went on; 0 if it began anew.
    """

    run: TrainingRun
    trained: Trained
    seconds: float
    resumed: int = 0


def prepare_training(request: RunRequest) -> TrainingRun:
    """Return a training that can begin; nothing is computed or written.

    Raises
    ------
    ConfigError
        All mistakes of the configuration.
    OutputError
        If its folder could not be written to.
    """
    config, folder = request.config, request.folder
    if folder is not None:
        check_folder(folder)
        _check_own(folder)
    training, seed = training_of(config), known(config.sections).seed
    name, overrides = request.shown_name, request.overrides
    return TrainingRun(name, config.source.name, overrides, folder, seed, training)


def carry_out_training(
    request: RunRequest, run: TrainingRun, *, progress: Progress | None = None, warn: Warn
) -> TrainingOutcome:
    """Carry out a training that was prepared.

    Each epoch ends with a checkpoint in the folder, and with the hooks of plugins.

    Parameters
    ----------
    request : RunRequest
        The configuration, and the folder of the results.
    run : TrainingRun
        Made by `prepare_training`.
    progress : callable, optional
        Called with the rows done and the rows in all.
    warn : callable
        Called with each warning about a plugin.

    Raises
    ------
    OutputError
        If the folder is in use or cannot be written to.
    DataError
        If the training is to be resumed and the folder holds another one.
    DivergenceError, RunError
        If the training fails; checkpoints before stay.
    """
    for note in request.config.notes:
        warn(note)
    training, folder = run.training, request.folder
    registry = known(request.config.registry)
    with working_in(folder):
        start = _start(request, training)
        configuration = resolved(request.config).text().encode()
        followers = Followers(registry, run, warn, TRAINING_CYCLE)

        def save(state: TrainingState) -> None:
            if folder is not None:
                content = checkpoint.to_bytes(training, state)
                write_file(folder, checkpoint.CHECKPOINT_FILE, content)
                # Not before it: a folder without a checkpoint is nobody's, and holds nothing.
                write_file(folder, CONFIG_FILE, configuration)
            followers.epoch(state.history[-1])

        followers.training_start()
        begin = time.perf_counter()
        try:
            trained = train(training, start=start, save=save, progress=progress)
        except BaseException:
            followers.training_end(None)
            raise
        seconds = time.perf_counter() - begin
        if told := scaling_advice(training, trained):
            warn(told)
        if folder is not None:
            write_file(folder, CONFIG_FILE, configuration)
            _write(folder, trained)
        followers.training_end(trained)
    return TrainingOutcome(run, trained, seconds, 0 if start is None else start.epoch)


def _check_own(folder: Path) -> None:
    """Refuse to write over a configuration that no training has written."""
    config, files = folder / CONFIG_FILE, (checkpoint.CHECKPOINT_FILE, TRAINING_FILE)
    if config.exists() and not any((folder / file).exists() for file in files):
        raise OutputError(
            f"{config} was not written by a training, and a training writes its own configuration "
            "there: name another folder for --out."
        )


def _start(request: RunRequest, training: Training) -> TrainingState | None:
    """Return the state to resume from; a training that has none yet begins anew, as a run does."""
    if request.folder is None or not request.resume:
        return None
    path = request.folder / checkpoint.CHECKPOINT_FILE
    return checkpoint.read(path, training) if path.exists() else None


def _write(folder: Path, trained: Trained) -> None:
    # Other data are numbered, ordered and changed like these, or refused.
    write_file(folder, checkpoint.WEIGHTS_FILE, npz_bytes(trained.weights))
    write_file(folder, TRAINING_FILE, f"{to_json(trained.to_dict())}\n".encode())
