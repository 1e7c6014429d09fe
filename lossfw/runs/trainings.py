"""Carry out one training: from a configuration to its weights, and to its folder if it has one."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lossfw.components.hookspecs import TRAINING_CYCLE
from lossfw.config.plan.resolved import resolved
from lossfw.config.plan.training import training_of
from lossfw.config.schema.checked import known
from lossfw.data.state_file import npz_bytes
from lossfw.evaluation.evaluate import Progress
from lossfw.nn.training import checkpoint
from lossfw.nn.training.advice import scaling_advice
from lossfw.nn.training.loop import train
from lossfw.nn.training.records import TrainingResult, TrainingState
from lossfw.runs.files import check_folder, to_json, write_file
from lossfw.runs.folder import CONFIG_FILE, locked_folder, refuse_foreign_config
from lossfw.runs.plugin_hooks import HookCallers
from lossfw.runs.records import RunRequest, TrainingRun, Warn

# The numbers of a training in its folder.
TRAINING_FILE = "training.json"


@dataclass(frozen=True)
class TrainingOutcome:
    """The outcome of a training."""

    run: TrainingRun
    trained: TrainingResult
    # Only of the training, without data and files.
    seconds: float
    # The epoch from which it continued; 0 if it started over.
    resumed: int = 0


def prepare_training(request: RunRequest) -> TrainingRun:
    """Return a training that can begin; nothing is computed or written."""
    config, folder = request.config, request.folder
    if folder is not None:
        check_folder(folder)
        refuse_foreign_config(folder, "training", (checkpoint.CHECKPOINT_FILE, TRAINING_FILE))
    training, seed = training_of(config), known(config.sections).seed
    name, overrides = request.shown_name, request.overrides
    return TrainingRun(name, config.source.name, overrides, folder, seed, training)


def carry_out_training(
    request: RunRequest, run: TrainingRun, *, progress: Progress | None = None, warn: Warn
) -> TrainingOutcome:
    """Carry out a training that was prepared.

    Each epoch ends with a checkpoint in the folder, and with the hooks of plugins.
    """
    for note in request.config.notes:
        warn(note)
    training, folder = run.training, request.folder
    registry = known(request.config.registry)
    with locked_folder(folder):
        path = None if folder is None else folder / checkpoint.CHECKPOINT_FILE
        start = None
        if path is not None and request.resume and path.exists():
            start = checkpoint.read(path, training)
        configuration = resolved(request.config).text().encode()
        hooks = HookCallers(registry, run, warn, TRAINING_CYCLE)

        def save(state: TrainingState) -> None:
            if folder is not None:
                content = checkpoint.to_bytes(training, state)
                write_file(folder, checkpoint.CHECKPOINT_FILE, content)
                # Not before it: a folder without a checkpoint is nobody's, and holds nothing.
                write_file(folder, CONFIG_FILE, configuration)
            hooks.call("lossfw_epoch", epoch=state.history[-1])

        hooks.call("lossfw_training_start")
        begin = time.perf_counter()
        try:
            trained = train(training, start=start, save=save, progress=progress)
        except BaseException:
            hooks.call("lossfw_training_end", trained=None)
            raise
        seconds = time.perf_counter() - begin
        if advice := scaling_advice(training, trained):
            warn(advice)
        if folder is not None:
            write_file(folder, CONFIG_FILE, configuration)
            # Other data are numbered, ordered and changed like these, or refused.
            write_file(folder, checkpoint.WEIGHTS_FILE, npz_bytes(trained.weights))
            write_file(folder, TRAINING_FILE, f"{to_json(trained.to_dict())}\n".encode())
        hooks.call("lossfw_training_end", trained=trained)
    return TrainingOutcome(run, trained, seconds, 0 if start is None else start.epoch)
