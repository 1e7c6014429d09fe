"""Carry out one training: from a configuration to its model, and to its folder if it has one."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from lossfw.components.hookspecs import TRAINING_CYCLE
from lossfw.config.plan.resolved import resolved
from lossfw.config.plan.training import training_of
from lossfw.config.schema.checked import known
from lossfw.errors import DataError
from lossfw.evaluation.evaluate import Progress
from lossfw.models.card import CARD_FILE, Card
from lossfw.models.training import checkpoint
from lossfw.models.training.advice import scaling_advice
from lossfw.models.training.dense import DenseLearner
from lossfw.models.training.loop import train
from lossfw.models.training.records import Epoch, Training, TrainingResult, TrainingState
from lossfw.runs.files import check_folder, numbers_in, read_json, to_json, write_file
from lossfw.runs.folder import CONFIG_FILE, locked_folder, refuse_foreign_config
from lossfw.runs.folds import FOLD_FILE, fold_bytes
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
    # The round, or epoch, from which it continued; 0 if it started over.
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

    Each leg ends with a checkpoint in the folder, and with the hooks of plugins.
    """
    for note in request.config.notes:
        warn(note)
    training, folder = run.training, request.folder
    registry = known(request.config.registry)
    with locked_folder(folder):
        path = None if folder is None else folder / checkpoint.CHECKPOINT_FILE
        start = done = None
        if path is not None and request.resume and path.exists():
            start = checkpoint.read(path, training)
            done = _finished(path.parent, training)
        configuration = resolved(request.config).text().encode()
        hooks = HookCallers(registry, run, warn, TRAINING_CYCLE)

        told = 0 if start is None else len(start.history)

        def save(state: TrainingState) -> None:
            nonlocal told
            if folder is not None and checkpoint.is_due(training, state):
                content = checkpoint.to_bytes(training, state)
                write_file(folder, checkpoint.CHECKPOINT_FILE, content)
                # Not before it: a folder without a checkpoint is nobody's, and holds nothing.
                write_file(folder, CONFIG_FILE, configuration)
            for epoch in state.history[told:]:
                hooks.call("lossfw_epoch", epoch=epoch)
            told = len(state.history)

        hooks.call("lossfw_training_start")
        begin = time.perf_counter()
        try:
            trained = done or train(training, start=start, save=save, progress=progress)
        except BaseException:
            hooks.call("lossfw_training_end", trained=None)
            raise
        seconds = time.perf_counter() - begin
        if advice := scaling_advice(training, trained):
            warn(advice)
        if folder is not None and done is None:
            write_file(folder, CONFIG_FILE, configuration)
            # Other data are numbered, ordered and changed like these, or refused.
            write_file(folder, trained.file, trained.content)
            if trained.card is not None:
                card = json.dumps(trained.card.to_dict(trained.file), indent=1)
                write_file(folder, CARD_FILE, f"{card}\n".encode())
            write_file(folder, TRAINING_FILE, f"{to_json(trained.to_dict())}\n".encode())
        # The file of a training that was finished before may be missing.
        has_rows = done is not None and folder is not None and (folder / FOLD_FILE).is_file()
        if folder is not None and training.held_out_rows is not None and not has_rows:
            write_file(folder, FOLD_FILE, fold_bytes(training, trained.predictor))
        hooks.call("lossfw_training_end", trained=trained)
    return TrainingOutcome(run, trained, seconds, 0 if start is None else start.done)


def _finished(folder: Path, training: Training) -> TrainingResult | None:
    """Return the result of this training if its folder has it; layers have it in the checkpoint.

    The last checkpoint of a model of rounds is that of a whole leg, and the rounds after it need
    not be made again.
    """
    plain, model = read_json(folder / TRAINING_FILE), training.model
    if plain is None or plain.get("digest") != training.digest or isinstance(model, DenseLearner):
        return None
    file = folder / model.file_name
    content = file.read_bytes() if file.is_file() else b""
    try:
        card = Card.beside(file, content)
    except DataError:
        return None  # the training goes on from its checkpoint, and writes both again
    if card is None:
        return None
    trained = numbers_in(plain)
    try:
        history, kept, stopped = trained["epochs"], trained["kept"], trained["stopped"]
        epochs = tuple(map(Epoch.from_dict, history))
    except (KeyError, TypeError):
        return None
    return TrainingResult.of(
        training,
        predictor=model.loaded(content, card),
        content=content,
        file=file.name,
        history=epochs,
        kept_epoch=kept,
        stopped=stopped,
        model=trained.get("model", {}),
        card=card,
    )
