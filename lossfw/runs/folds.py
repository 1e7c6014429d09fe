"""Trainings with folds: one per fold, and the run of all rows that they held out."""

from __future__ import annotations

import io
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.config.plan.folds import count_folds, with_fold
from lossfw.config.schema.checked import CheckedConfig, read_config
from lossfw.config.text.overrides import remove_value, with_value
from lossfw.config.text.source import ConfigSource
from lossfw.config.text.tree import Node
from lossfw.config.text.writing import format_tree
from lossfw.data.csv_text import is_number
from lossfw.data.state_file import SavedState
from lossfw.errors import DataError, LossfwError
from lossfw.evaluation.baseline import CONSTANT
from lossfw.evaluation.batching import predict_batches
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
# Beside it the constant predictions of the training rows of each fold. A run calls them
# by the name of the file.
CONSTANT_FILE = f"{CONSTANT}.npy"
# Beside it, where periods of time were held out: the numbers of its rows in the data.
HELD_OUT_ROWS_FILE = "held_out_rows.npy"
# In the folder of all folds: the configuration of the trainings.
TRAINING_CONFIG_FILE = "training.yaml"
_FOLD = ("train", "hold_out", "fold")
_BASELINE = ("evaluate", "baseline")
# Keys of a training that its evaluation does not have.
_OF_TRAINING: tuple[tuple[str, ...], ...] = (
    ("train",),
    ("sensitivity",),
    ("network",),
    ("model",),
    ("data", "standardize"),
)


def name_of_fold(fold: int) -> str:
    """Return the name of a fold's folder, in the folder of all folds."""
    return f"fold={fold}"


@dataclass(frozen=True)
class CrossValidation:
    """A request for a training with folds, and a request per fold; none for other runs."""

    request: RunRequest
    folds: tuple[RunRequest, ...] = ()

    @classmethod
    def of(cls, request: RunRequest) -> CrossValidation:
        """Return a request with those of its folds, if it has folds."""
        count = count_folds(request.config) if request.trains else None
        names = [name_of_fold(fold) for fold in range(count or 0)]
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
        """The requests to carry out first."""
        return self.folds or (self.request,)

    def is_complete(self, finished_names: Container[str]) -> bool:
        """Tell whether it has folds, and all of them are among the finished names."""
        return bool(self.folds) and all(fold.name in finished_names for fold in self.folds)

    def begin(self) -> None:
        """Refuse a folder with the user's configuration; an older result becomes invalid."""
        folder = self.request.folder
        if folder is not None and self.folds:
            refuse_foreign_config(folder, "run", files_of_run(folder))
            if RunFolder(folder).status is not None:
                RunFolder(folder).write(STATUS_FILE, "running\n")

    def join_held_out(self) -> RunRequest:
        """Join the held-out rows of the folds, and return the request for their evaluation."""
        folder = self.request.folder
        assert folder is not None
        joined = self._join_outputs()
        write_file(folder, HELD_OUT_FILE, _to_npy(joined.outputs))
        for name in (CONSTANT_FILE, HELD_OUT_ROWS_FILE):
            (folder / name).unlink(missing_ok=True)
        if joined.constants is not None:
            write_file(folder, CONSTANT_FILE, _to_npy(joined.constants))
        if joined.filter:
            write_file(folder, HELD_OUT_ROWS_FILE, _to_npy(joined.rows))
        source = self.request.config.source
        trained = self.folds[0].folder
        assert trained is not None
        root = remove_value(read_config(ConfigSource(str(trained / CONFIG_FILE))).root, _FOLD)
        write_file(folder, TRAINING_CONFIG_FILE, format_tree(root).encode())
        root = self._evaluation_tree(root, joined, folder.absolute())
        config = CheckedConfig(source, root)
        return replace(self.request, config=config, trains=False, resume=False, cluster="")

    def _join_outputs(self) -> _JoinedOutputs:
        """Return the outputs of every row that was held out, in the order of the data."""
        rows, outputs, headers = list[NDArray](), list[NDArray](), list[dict[str, Any]]()
        constants = list[NDArray]()
        for request in self.folds:
            assert request.folder is not None
            path = request.folder / FOLD_FILE
            if not path.is_file():
                raise DataError(f"{path} is missing: train again, with --resume.")
            header, arrays = SavedState.read(path)
            headers.append(header)
            rows.append(arrays["rows"])
            outputs.append(arrays["outputs"])
            if (constant := arrays.get("constant")) is not None:
                constants.append(np.tile(constant, (len(rows[-1]),) + constant.ndim * (1,)))
        every = np.concatenate(rows)
        order = np.argsort(every)
        # Rows before the first of some periods are held out by no fold.
        periods = headers[0].get("filter") or ""
        once = every[order] if periods else np.arange(len(every))
        same = all(header == headers[0] for header in headers)
        if not (same and np.array_equal(every[order], np.unique(once))):
            raise DataError(
                f"the folds in {self.request.folder} do not hold out each row once, so they belong "
                "to different trainings: train again, without --resume."
            )
        joined = np.concatenate(outputs)[order]
        header = headers[0]
        classes = tuple(header.get("classes") or ())
        has_all = len(constants) == len(self.folds)
        node = self.request.config.root.find(_BASELINE)
        asked = None if node is None else node.value
        if asked is True and not has_all:
            raise DataError(
                f"not every fold in {self.request.folder} has a constant prediction of least loss: "
                "leave evaluate.baseline out."
            )
        takes = has_all and asked in (None, True)
        of_rows = np.concatenate(constants)[order] if takes else None
        return _JoinedOutputs(
            header["output_activation"], joined, every[order], periods, classes, of_rows
        )

    def _evaluation_tree(self, root: Node, joined: _JoinedOutputs, folder: Path) -> Node:
        """Return the configuration of an evaluation of saved outputs in place of a training."""
        for key in _OF_TRAINING:
            if root.find(key) is not None:
                root = remove_value(root, key)
        values: list[tuple[tuple[str, ...], object]] = [
            (("model", "name"), "predictions"),
            (("model", "file"), str(folder / HELD_OUT_FILE)),
        ]
        if joined.constants is not None:
            values.append((_BASELINE, str(folder / CONSTANT_FILE)))
        values += (
            []
            if joined.output_activation is None
            else [(("model", "output_activation"), joined.output_activation)]
        )
        if joined.filter:
            given = root.find(("data", "where"))
            rows = joined.filter if given is None else f"({given.value}) and {joined.filter}"
            values.append((("data", "where"), rows))
            named = any(root.find(("data", key)) is not None for key in ("classes", "map_targets"))
            if joined.classes and not named:
                # These rows may lack some of them, which would number the others anew.
                classes = [Node(label, root.at) for label in joined.classes]
                values.append((("data", "classes"), classes))
        # Runs are paired by their rows, and intervals say how much the rows decide.
        asked = self.request.config
        values += (
            [] if asked.has_value("evaluate", "save_rows") else [(("evaluate", "save_rows"), True)]
        )
        values += (
            [] if asked.has_value("evaluate", "intervals") else [(("evaluate", "intervals"), {})]
        )
        # What was held out together is one unit, and times are taken in blocks.
        groups, time = (
            asked.root.find(("train", "hold_out", key)) for key in ("keep_together", "time")
        )
        units = ("evaluate", "intervals", "resample")
        if not asked.has_value(*units):
            if groups is not None:
                values.append((units, groups.value))
            elif time is not None:
                # Blocks are of numbers; of dates each one is a unit.
                by_number = is_number(joined.filter.rpartition(" ")[2])
                values.append(((*units, "time") if by_number else units, time.value))
        for path, value in values:
            root = with_value(root, path, Node(value, root.at), root.at)
        return root


class _JoinedOutputs(NamedTuple):
    """What the models of all folds make of the rows that they have not seen."""

    output_activation: str | None
    outputs: NDArray
    # The numbers of the rows in the data, ascending; with periods the filter that chooses them.
    rows: NDArray
    filter: str
    classes: tuple[str, ...]
    # The constant of the fold of each row, None without a baseline of that kind.
    constants: NDArray | None


def _to_npy(array: NDArray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def is_whole_fold(training: Training, path: Path) -> bool:
    """Tell whether the file of a fold exists, with the constant of its training if it has one."""
    try:
        found = SavedState.read(path).arrays if path.is_file() else {}
    except (LossfwError, ValueError):
        return False  # damaged
    return {"rows", "outputs"} <= found.keys() and (
        training.constant is None or "constant" in found
    )


def fold_bytes(training: Training, model: BlockPredictor) -> bytes:
    """Return the file of a fold: its rows with the outputs of a model that has not seen them.

    They are raw outputs if a named output activation turns them into predictions.
    """
    assert training.held_out is not None
    assert training.held_out_rows is not None
    layers = training.network.layers if training.network is not None else ()
    output_activation = layers[-1].activation if layers else training.output_activation
    is_named = output_activation is not None and output_activation.to_config() == {
        "name": output_activation.name
    }
    with one_blas_thread(), model.call_context():
        batches = training.held_out.batches(model.block_rows)
        blocks = [block.loss_input for block in predict_batches(model, batches, logits=is_named)]
    arrays = {"rows": training.held_out_rows, "outputs": np.concatenate(blocks)}
    if training.constant is not None:
        arrays["constant"] = training.constant
    header: dict[str, Any] = {
        "output_activation": output_activation.name
        if output_activation is not None and is_named
        else None
    }
    if training.held_out_filter:
        header |= {"filter": training.held_out_filter, "classes": list(training.record.classes)}
    return SavedState(header, arrays).to_bytes()
