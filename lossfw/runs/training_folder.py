"""Training folder: the files of a training, which are complete unless the status says otherwise.

::

    status            running, done or failed: running from the beginning, done written last
    checkpoint.npz    the state after each leg, from which the training is resumed
    model.json        the card, which names the digest of the model's file; none for layers
    model.*           the model; weights.npz for layers
    held_out.npz      of a fold: its rows, and what the model makes of them
    training.json     the numbers
    config.yaml       the configuration
    error.txt         why a training failed

All but the checkpoint are written at the end, next to those of an older training, and then renamed
one after the other in this order. So an older training remains complete until the new one is, and
if the process ends in between, the status remains ``running``. The digest reveals a card and a
model of two trainings.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from lossfw.errors import DataError
from lossfw.models.card import CARD_FILE, Card
from lossfw.models.training.checkpoint import CHECKPOINT_FILE
from lossfw.models.training.dense import WEIGHTS_FILE, DenseLearner
from lossfw.models.training.records import Epoch, Training, TrainingResult
from lossfw.runs.files import read_json, restore_numbers, to_json, write_file, write_files
from lossfw.runs.folder import (
    CONFIG_FILE,
    ERROR_FILE,
    REPORT_FILE,
    STATUS_FILE,
    TRAINING_FILE,
    RunFolder,
)
from lossfw.runs.folds import FOLD_FILE, fold_bytes, is_whole_fold
from lossfw.runs.provenance import base_versions


class TrainingFolder:
    """The files of a training, as the training writes them."""

    def __init__(self, path: Path, training: Training, configuration: str) -> None:
        self.path, self._training = path, training
        self._configuration = configuration.encode()

    def begin(self) -> None:
        """Begin a training, or continue it.

        Existing files remain until the new ones are complete.
        """
        RunFolder(self.path).write(STATUS_FILE, "running\n")
        write_files(self.path, {}, remove=[ERROR_FILE])

    def keep(self, checkpoint: bytes) -> None:
        """Write a checkpoint."""
        write_file(self.path, CHECKPOINT_FILE, checkpoint)
        # Not before it: a folder without a checkpoint is nobody's, and holds nothing. And not
        # next to the numbers of an older training.
        if not (self.path / TRAINING_FILE).exists():
            write_file(self.path, CONFIG_FILE, self._configuration)

    def fail(self, error: BaseException) -> None:
        """Write that the training failed; an interrupted training can be resumed."""
        if not any((self.path / name).exists() for name in (CHECKPOINT_FILE, TRAINING_FILE)):
            with suppress(OSError):
                (self.path / STATUS_FILE).unlink()
        elif isinstance(error, Exception):
            RunFolder(self.path).fail(str(error) or type(error).__name__)

    def finish(self, trained: TrainingResult) -> None:
        """Write the files of a finished training, replacing those of an older one."""
        contents: dict[str, bytes] = {}
        if trained.card is not None:
            card = json.dumps(trained.card.to_dict(trained.file), indent=1)
            contents[CARD_FILE] = f"{card}\n".encode()
        contents[trained.file] = trained.content
        if self._training.held_out_rows is not None:
            contents[FOLD_FILE] = fold_bytes(self._training, trained.predictor)
        told = {**trained.to_dict(), "versions": base_versions()}
        contents[TRAINING_FILE] = f"{to_json(told)}\n".encode()
        contents[CONFIG_FILE] = self._configuration
        write_files(self.path, contents, remove=self._files_of_older() - contents.keys())
        RunFolder(self.path).write(STATUS_FILE, "done\n")

    def _files_of_older(self) -> set[str]:
        """Return the files that an older training has written and a new one may not have."""
        if not (self.path / TRAINING_FILE).exists():
            return set()
        try:
            card = Card.read(self.path / CARD_FILE)
        except DataError:
            card = None
        model = set() if card is None else {CARD_FILE, Path(card.file).name}
        return {WEIGHTS_FILE, FOLD_FILE, REPORT_FILE, *model}

    def finished_result(self) -> TrainingResult | None:
        """Return the result of this training if the folder has all of it.

        It is None for layers, whose checkpoint has the result. The last checkpoint of a
        model of rounds is that of a whole leg, and later rounds need not be repeated.
        """
        plain, training = read_json(self.path / TRAINING_FILE), self._training
        model = training.model
        if unfinished_reason(self.path) or isinstance(model, DenseLearner):
            return None
        if plain is None or plain.get("digest") != training.digest:
            return None
        fold = self.path / FOLD_FILE
        if training.held_out_rows is not None and not is_whole_fold(training, fold):
            return None
        file = self.path / model.file_name
        content = file.read_bytes() if file.is_file() else b""
        try:
            card = Card.find(file, content)
        except DataError:
            return None  # the training goes on from its checkpoint, and writes both again
        if card is None:
            return None
        trained = restore_numbers(plain)
        try:
            history, kept, stopped = trained["epochs"], trained["kept"], trained["stopped"]
            epochs = tuple(map(Epoch.from_dict, history))
        except (KeyError, TypeError):
            return None
        return TrainingResult.from_training(
            training,
            predictor=model.load_predictor(content, card),
            content=content,
            file=file.name,
            history=epochs,
            kept_epoch=kept,
            stopped=stopped,
            model=trained.get("model", {}),
            card=card,
        )


def unfinished_reason(folder: Path) -> str:
    """Return why the training in a folder is incomplete; empty if it is complete."""
    status, error = RunFolder(folder).status, folder / ERROR_FILE
    if status == "failed":
        why = error.read_text(errors="replace") if error.is_file() else ""
        return f"its training failed: {why.strip().partition(chr(10))[0]}".rstrip(": ")
    # Without a status, it was written by an older lossfw.
    whole = (folder / TRAINING_FILE).is_file() and status in (None, "done")
    return "" if whole else "its training has not ended; --resume continues it"
