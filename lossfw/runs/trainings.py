"""Carry out one training: from a configuration to its model, and to its folder if it has one."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lossfw.components.hookspecs import TRAINING_CYCLE
from lossfw.config.plan.resolved import resolve_checked
from lossfw.config.plan.training import training_of
from lossfw.config.schema.checked import require
from lossfw.evaluation.evaluate import Progress
from lossfw.models.training import checkpoint
from lossfw.models.training.advice import scaling_advice
from lossfw.models.training.loop import train
from lossfw.models.training.records import TrainingResult, TrainingState
from lossfw.runs.files import check_folder
from lossfw.runs.folder import TRAINING_FILE, locked_folder, refuse_foreign_config
from lossfw.runs.plugin_hooks import HookCallers
from lossfw.runs.records import RunRequest, TrainingRun, Warn
from lossfw.runs.training_folder import TrainingFolder


@dataclass(frozen=True)
class TrainingOutcome:
    """The outcome of a training."""

    run: TrainingRun
    trained: TrainingResult
    # Only of the training, without data and files.
    seconds: float
    # The round, or epoch, from which it continued; 0 if it started over.
    resumed: int = 0


def prepare_training(request: RunRequest) -> TrainingRun:
    """Return a training that can start; nothing is computed or written."""
    config, folder = request.config, request.folder
    if folder is not None:
        check_folder(folder)
        refuse_foreign_config(folder, "training", (checkpoint.CHECKPOINT_FILE, TRAINING_FILE))
    training, seed = training_of(config), require(config.sections).seed
    name, overrides = request.shown_name, request.overrides
    return TrainingRun(name, config.source.name, overrides, folder, seed, training)


def carry_out_training(
    request: RunRequest, run: TrainingRun, *, progress: Progress | None = None, warn: Warn
) -> TrainingOutcome:
    """Carry out a prepared training.

    Each leg ends with a checkpoint in the folder, and the hooks of plugins.
    """
    for note in request.config.notes:
        warn(note)
    training, folder = run.training, request.folder
    registry = require(request.config.registry)
    with locked_folder(folder):
        start = done = files = None
        if folder is not None:
            files = TrainingFolder(folder, training, resolve_checked(request.config).to_yaml())
            path = folder / checkpoint.CHECKPOINT_FILE
            if request.resume and path.exists():
                start, done = checkpoint.read(path, training), files.finished_result()
        hooks = HookCallers(registry, run, warn, TRAINING_CYCLE)

        told = 0 if start is None else len(start.history)

        def save(state: TrainingState) -> None:
            nonlocal told
            if files is not None and checkpoint.is_due(training, state):
                files.keep(checkpoint.to_bytes(training, state))
            for epoch in state.history[told:]:
                hooks.call("lossfw_epoch", epoch=epoch)
            told = len(state.history)

        hooks.call("lossfw_training_start")
        begin = time.perf_counter()
        try:
            if files is not None and done is None:
                files.begin()
            trained = done or train(training, start=start, save=save, progress=progress)
            seconds = time.perf_counter() - begin
            if files is not None and done is None:
                files.finish(trained)
        except BaseException as error:
            if files is not None:
                files.fail(error)
            hooks.call("lossfw_training_end", trained=None)
            raise
        if advice := scaling_advice(training, trained):
            warn(advice)
        hooks.call("lossfw_training_end", trained=trained)
    return TrainingOutcome(run, trained, seconds, 0 if start is None else start.done)
