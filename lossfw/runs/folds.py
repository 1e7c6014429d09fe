"""Trainings with folds: one for each fold, and the run of all rows that they held out."""

from __future__ import annotations

import io
from collections.abc import Container
from dataclasses import dataclass, replace

import numpy as np

from lossfw.config.plan.folds import open_folds, with_fold
from lossfw.config.schema.checked import CheckedConfig, read_config
from lossfw.config.text.overrides import remove, with_value
from lossfw.config.text.source import ConfigSource
from lossfw.config.text.tree import Node
from lossfw.config.text.writing import block
from lossfw.data.state_file import SavedState
from lossfw.errors import DataError
from lossfw.evaluation.batching import forward
from lossfw.evaluation.predictor import BlockPredictor, one_blas_thread
from lossfw.models.training.records import Training
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import write_file
from lossfw.runs.folder import (
    CONFIG_FILE,
    STATUS_FILE,
    RunFolder,
    files_of_run,
    refuse_foreign_config,
)
from lossfw.runs.records import RunRequest

# In the folder of a fold: the numbers of its rows, and what its model makes of them.
FOLD_FILE = "held_out.npz"
# In the folder of all folds: for each row what the model makes of it that has not seen it.
HELD_OUT_FILE = "held_out.npy"
# In the folder of all folds: the configuration of the trainings.
TRAINING_CONFIG_FILE = "training.yaml"
_FOLD = ("train", "hold_out", "fold")
# Keys of a training that its evaluation does not have.
_OF_TRAINING: tuple[tuple[str, ...], ...] = (
    ("train",),
    ("sensitivity",),
    ("network",),
    ("model",),
    ("data", "standardize"),
)


@dataclass(frozen=True)
class CrossValidation:
    """A request for a training with folds, and those for each fold; none for any other run."""

    request: RunRequest
    folds: tuple[RunRequest, ...] = ()

    @classmethod
    def of(cls, request: RunRequest) -> CrossValidation:
        """Return a request with those of its folds, if it has some."""
        count = open_folds(request.config) if request.trains else None
        names = [f"fold={fold}" for fold in range(count or 0)]
        return cls(
            request,
            tuple(
                replace(
                    request,
                    config=with_fold(request.config, fold),
                    name=f"{request.name}/{name}".lstrip("/"),
                    folder=None if request.folder is None else request.folder / name,
                )
                for fold, name in enumerate(names)
            ),
        )

    @property
    def requests(self) -> tuple[RunRequest, ...]:
        """What is to be carried out first."""
        return self.folds or (self.request,)

    def is_complete(self, done: Container[str]) -> bool:
        """Tell whether it has folds, and all are among the names of those that are done."""
        return bool(self.folds) and all(fold.name in done for fold in self.folds)

    def begin(self) -> None:
        """Refuse a folder with a configuration of the user; an older result in it is none now."""
        folder = self.request.folder
        if folder is not None and self.folds:
            refuse_foreign_config(folder, "run", files_of_run(folder))
            if RunFolder(folder).status is not None:
                RunFolder(folder).write(STATUS_FILE, "running\n")

    def held_out_run(self) -> RunRequest:
        """Join what the folds held out, and return the request of its evaluation."""
        folder = self.request.folder
        assert folder is not None
        link, outputs = self._joined()
        content = io.BytesIO()
        np.save(content, outputs)
        write_file(folder, HELD_OUT_FILE, content.getvalue())
        source = self.request.config.source
        trained = self.folds[0].folder
        assert trained is not None
        root = remove(read_config(ConfigSource(str(trained / CONFIG_FILE))).root, _FOLD)
        write_file(folder, TRAINING_CONFIG_FILE, block(root).encode())
        root = self._evaluation(root, link, str((folder / HELD_OUT_FILE).absolute()))
        config = CheckedConfig(source, root)
        return replace(self.request, config=config, trains=False, resume=False, cluster="")

    def _joined(self) -> tuple[str | None, NDArray]:
        """Return the link of the outputs, and those of every row in the order of the data."""
        rows, outputs, link = list[NDArray](), list[NDArray](), None
        for request in self.folds:
            assert request.folder is not None
            path = request.folder / FOLD_FILE
            if not path.is_file():
                raise DataError(f"{path} is missing: train again, with --resume.")
            header, arrays = SavedState.read(path)
            link = header["link"]
            rows.append(arrays["rows"])
            outputs.append(arrays["outputs"])
        every = np.concatenate(rows)
        order = np.argsort(every)
        if not np.array_equal(every[order], np.arange(len(every))):
            raise DataError(
                f"the folds in {self.request.folder} do not hold each row out once, so they are of "
                "different trainings: train again, without --resume."
            )
        return link, np.concatenate(outputs)[order]

    def _evaluation(self, root: Node, link: str | None, file: str) -> Node:
        """Return the configuration of an evaluation of saved outputs in place of a training."""
        for key in _OF_TRAINING:
            if root.find(key) is not None:
                root = remove(root, key)
        values: list[tuple[tuple[str, ...], object]] = [
            (("model", "name"), "predictions"),
            (("model", "file"), file),
        ]
        values += [] if link is None else [(("model", "link"), link)]
        # Runs are paired by their rows, and intervals say how much the rows decide.
        given = self.request.config
        values += [] if given.has("evaluate", "rows") else [(("evaluate", "rows"), True)]
        values += [] if given.has("evaluate", "intervals") else [(("evaluate", "intervals"), {})]
        # What was held out together is one unit.
        groups = given.root.find(("train", "hold_out", "groups"))
        if groups is not None and not given.has("evaluate", "intervals", "units"):
            values.append((("evaluate", "intervals", "units"), groups.value))
        for path, value in values:
            root = with_value(root, path, Node(value, root.at), root.at)
        return root


def fold_bytes(training: Training, model: BlockPredictor) -> bytes:
    """Return the file of a fold: its rows with the outputs of a model that has not seen them.

    These are raw outputs where the name of the link says how predictions are made of them.
    """
    assert training.held_out is not None
    assert training.held_out_rows is not None
    layers = training.network.layers if training.network is not None else ()
    link = layers[-1].activation if layers else training.link
    is_named = link is not None and link.to_config() == {"name": link.name}
    with one_blas_thread(), model.working():
        batches = training.held_out.batches(model.block_rows)
        blocks = [block.loss_input for block in forward(model, batches, logits=is_named)]
    arrays = {"rows": training.held_out_rows, "outputs": np.concatenate(blocks)}
    header = {"link": link.name if link is not None and is_named else None}
    return SavedState(header, arrays).to_bytes()
