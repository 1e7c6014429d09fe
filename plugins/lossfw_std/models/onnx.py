"""ONNX: a network or a pipeline of any library, evaluated by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any, ClassVar

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from lossfw import DataError, NDArray, RunError
from lossfw.models import (
    Card,
    Model,
    ModelParameterError,
    Predictor,
    did_you_mean,
    try_in_subprocess,
)
from lossfw_std.models.class_labels import labels_of, single_class_note
from lossfw_std.models.onnx_file import OnnxGraph, has_external_data
from lossfw_std.models.onnx_trial import make_session

# Limits of a trial with two rows: seconds of a processor, one more for so many bytes of the file,
# and memory beside four times the file, which onnxruntime copies and packs.
_SECONDS, _PER_SECOND, _MEMORY = 20, 2**24, 2**29

_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64"}


class Onnx(Model):
    """A model in an ONNX file, run by onnxruntime on the CPU.

    Use it to evaluate a PyTorch, Keras or JAX network, or a scikit-learn pipeline, that was
    exported to ONNX.

    Parameters
    ----------
    file : file
        The model, including its weights.
    output_activation : str, optional
        The activation that turns the output into predictions. Without it, the output is
        predictions.
    output : str, optional
        The output for the loss; required if the file has several outputs of floats.
    output_column : int, optional
        The column of the output that a loss of one output takes: 1 of the probabilities of two
        classes.
    inputs : mapping of str to list of str, optional
        For a file with several inputs: the columns of the data for each input, in the order of the
        data, such as ``{amount: [age, power], place: [density]}``. Not needed if each input is the
        one column with its name.
    row_shape : list of int, optional
        The shape of the inputs of a row, if the file does not fix it.

    Notes
    -----
    onnxruntime uses one thread, because with several it would add the trees of a forest in another
    order. The first axis of inputs and outputs must be the rows, with a dynamic length.

    Examples
    --------
    >>> Onnx(output="logits", output_activation="softmax").to_config()
    {'name': 'onnx', 'output': 'logits', 'output_activation': 'softmax'}
    """

    name: ClassVar[str] = "onnx"
    library: ClassVar[str] = "onnxruntime"
    extra: ClassVar[str] = "onnx"

    output: str | None = None
    output_column: NonNegativeInt | None = None
    inputs: Mapping[str, Sequence[str]] | None = None
    row_shape: tuple[PositiveInt, ...] | None = None

    def load(self, content: bytes, card: Card | None) -> Predictor:
        """Return the model in an ONNX file; nothing in it is executed."""
        session = self._session(content)
        entries = session.get_inputs()
        dtypes = {_DTYPES.get(entry.type, entry.type) for entry in entries}
        if len(dtypes) > 1 or not dtypes <= set(_DTYPES.values()):
            listed = ", ".join(f"{entry.name} is {entry.type}" for entry in entries)
            raise DataError(
                f"{self._file} takes inputs of other or mixed dtypes ({listed}); expected float32 "
                "or float64 for all: export it with a Cast after the input."
            )
        for entry in entries:
            self._check_rows(entry)
        output = self._choose_output(session.get_outputs())
        row_shape, split, columns = self._split_inputs(entries)

        graph = OnnxGraph.from_bytes(content)
        self._check_splits(graph, entries, row_shape)

        def compute_block(block: NDArray) -> NDArray:
            made: list[NDArray] = session.run([output], split(block))
            return made[0]

        def compute_outputs(block: NDArray) -> NDArray:
            try:
                return compute_block(block)
            except Exception as error:
                raise RunError(
                    f"{self._file} cannot compute {len(block)} rows of shape {block.shape[1:]}: "
                    f"{_first_clause(error)}."
                ) from None

        dtype = dtypes.pop()
        raw: Callable[[NDArray], NDArray] = compute_outputs
        units = self._units(compute_block, np.zeros((2, *row_shape), dtype), output)
        if self.output_column is not None:
            raw, units = self._select_column(raw, units, output), 1
        classes = _classes(graph, session.get_outputs(), output)
        notes = tuple[str, ...]()
        if self.output_column is not None and len(classes) > 2:
            notes = (single_class_note(self._file, self.output_column, classes),)
        told = f"onnx ({output} of {self._file})"
        # A matrix product in single rows has other bits than in blocks.
        return Predictor(
            told,
            content,
            row_shape,
            units,
            raw,
            self.activation_with(card),
            dtype=dtype,
            pads=True,
            columns=columns,
            classes=labels_of(classes, units, self.output_column),
            notes=notes,
        )

    @property
    def _file(self) -> str:
        return self.file.name if self.file is not None else "the model"

    def _session(self, content: bytes) -> Any:
        runtime = self.imported()
        try:
            is_split = has_external_data(content)
        except ValueError as error:
            raise DataError(
                f"{self._file} is not an ONNX file ({error}): export the model to ONNX, as "
                "torch.onnx.export and skl2onnx.to_onnx do."
            ) from None
        if is_split:
            raise DataError(
                f"{self._file} has weights in other files, which lossfw does not read; in Python: "
                'onnx.save(onnx.load("model.onnx"), "whole.onnx")'
            )
        wrong = _try_file(content, self.output, self.row_shape)
        if wrong is not None:
            # The message of onnxruntime is that of the session below, unless a limit ended it.
            raise DataError(
                f"{self._file} is not a model that onnxruntime {self.version()} can run: "
                f"{_first_clause(wrong)}."
            )
        return make_session(runtime, content)

    def _check_rows(self, entry: Any) -> None:
        """Refuse an input without an axis of rows, or with a fixed number of them."""
        if not entry.shape:
            raise DataError(
                f"{self._file}: the input {entry.name} is a single number; expected rows: export "
                "it with inputs of shape (N, ...)."
            )
        if isinstance(entry.shape[0], int):
            raise DataError(
                f"{self._file} takes exactly {entry.shape[0]} rows per call: export it with a "
                "dynamic first axis, in PyTorch by torch.onnx.export(..., "
                f"dynamic_axes={{{entry.name!r}: {{0: 'rows'}}}})."
            )

    def _choose_output(self, outputs: Sequence[Any]) -> str:
        """Return the name of the output that the loss takes."""
        names = [output.name for output in outputs if output.type in _DTYPES]
        if self.output in names:
            return str(self.output)
        if not names or self.output in [output.name for output in outputs]:
            listed = ", ".join(f"{output.name} is {output.type}" for output in outputs)
            raise DataError(
                f"{self._file}: expected an output of floats, but {listed}. For a scikit-learn "
                "classifier, export its probabilities as an array: skl2onnx.to_onnx(model, rows, "
                "options={id(model): {'zipmap': False}}), and write output: probabilities"
            )
        if self.output is not None:
            guess = did_you_mean(self.output, names)
            raise ModelParameterError(
                "output",
                f"{self._file} has no output {self.output!r} of floats. It has "
                f"{', '.join(names)}. {guess}".strip(),
            )
        if len(names) > 1:
            raise DataError(
                f"{self._file} has the outputs {', '.join(names)}: name the one for the loss, such "
                f"as output: {names[-1]}"
            )
        return str(names[0])

    def _split_inputs(
        self, entries: Sequence[Any]
    ) -> tuple[tuple[int, ...], Callable[[NDArray], dict[str, NDArray]], tuple[str, ...]]:
        """Return the shape of a row, a function that names parts of a block, and the columns."""
        if len(entries) == 1:
            entry = entries[0]
            return self._row_shape(entry), lambda block: {entry.name: block}, ()
        names = [entry.name for entry in entries]
        widths = {entry.name: self._width(entry) for entry in entries}
        given = self.inputs
        if given is None and set(widths.values()) == {1}:
            # As scikit-learn's pipelines of named columns are exported.
            given = {name: [name] for name in names}
        if given is None or sorted(given) != sorted(names):
            example = ", ".join(f"{name}: [...]" for name in names)
            raise DataError(
                f"{self._file} has the inputs {', '.join(names)}: list the columns of the data for "
                f"each, in the order of the data, as inputs: {{{example}}}"
            )
        for name, columns in given.items():
            if widths[name] not in (None, len(columns)):
                raise DataError(
                    f"{self._file}: the input {name} has width {widths[name]}, but inputs lists "
                    f"{len(columns)} columns for it: {', '.join(columns)}."
                )
        ends = list(accumulate(map(len, given.values())))

        def split(block: NDArray) -> dict[str, NDArray]:
            pieces = np.split(block, ends[:-1], axis=1)
            return dict(zip(given, map(np.ascontiguousarray, pieces), strict=True))

        return (ends[-1],), split, tuple(chain.from_iterable(given.values()))

    def _row_shape(self, entry: Any) -> tuple[int, ...]:
        """Return the shape of a row of the only input."""
        stated = tuple(entry.shape[1:])
        shape = self.row_shape or stated
        fits = len(shape) == len(stated) and all(
            not isinstance(length, int) or length == given
            for length, given in zip(stated, shape, strict=True)
        )
        if not fits or not all(isinstance(length, int) for length in shape):
            rows = ", ".join(map(str, stated))
            raise DataError(
                f"{self._file}: the input {entry.name} has rows of shape ({rows}): write their "
                "lengths, such as row_shape: [3, 32, 32]"
            )
        return tuple(map(int, shape))

    def _width(self, entry: Any) -> int | None:
        """Return the number of columns of one of several inputs; None where it is open."""
        if len(entry.shape) != 2:
            raise DataError(
                f"{self._file}: the input {entry.name} has {len(entry.shape)} axes; a model with "
                "several inputs takes columns for each, (N, columns)."
            )
        return entry.shape[1] if isinstance(entry.shape[1], int) else None

    def _check_splits(
        self, graph: OnnxGraph, entries: Sequence[Any], row_shape: tuple[int, ...]
    ) -> None:
        """Refuse trees that split by an input which a row does not have, as memory beyond it."""
        highest = graph.highest_split()
        for entry in entries:
            # Each of several inputs states its own columns.
            width = row_shape[-1] if len(entries) == 1 and row_shape else entry.shape[-1]
            column = highest.get(entry.name, -1)
            if isinstance(width, int) and column >= width:
                raise DataError(
                    f"{self._file} is damaged: a tree splits by column {column} of the input "
                    f"{entry.name}, which has {width} columns."
                )

    def _units(self, raw: Callable[[NDArray], NDArray], rows: NDArray, output: str) -> int:
        """Return the length of a row of outputs, by a trial."""
        try:
            shape = np.shape(raw(rows))
        except Exception as error:
            raise DataError(
                f"{self._file} cannot run {len(rows)} rows of shape {rows.shape[1:]}: "
                f"{_first_clause(error)}. Export it with a dynamic first axis for every tensor."
            ) from None
        if shape[:1] != (len(rows),) or len(shape) > 2:
            raise DataError(
                f"{self._file}: the output {output} has shape {shape} for {len(rows)} rows; "
                f"expected ({len(rows)}, units), one list of numbers per row."
            )
        return shape[1] if len(shape) == 2 else 1

    def _select_column(
        self, raw: Callable[[NDArray], NDArray], units: int, output: str
    ) -> Callable[[NDArray], NDArray]:
        """Return the function of a block that gives one column of the output."""
        column = self.output_column
        if column not in range(units):
            raise DataError(
                f"{self._file}: output_column is {column}, but the output {output} has columns "
                f"0 to {units - 1}."
            )
        if self.output_activation in ("softmax", "sparsemax"):
            raise DataError(
                f"{self._file}: {self.output_activation} needs all columns of {output}: leave "
                "output_column out, or export the probabilities."
            )
        return lambda block: raw(block)[:, column]


def _classes(graph: OnnxGraph, outputs: Sequence[Any], output: str) -> tuple[str, ...]:
    """Return the labels of a classifier, by its output of labels, or by that of numbers."""
    of_labels = [entry.name for entry in outputs if entry.type not in _DTYPES]
    found = [labels for name in (*of_labels, output) if (labels := graph.labels(name))]
    return found[0] if found else ()


@lru_cache(8)
def _try_file(content: bytes, output: str | None, row_shape: tuple[int, ...] | None) -> str | None:
    """Return what a trial in a process with limits finds; the same file is tried once."""
    seconds, memory = _SECONDS + len(content) // _PER_SECOND, _MEMORY + 4 * len(content)
    settings = {"output": output, "row_shape": row_shape}
    trial = "lossfw_std.models.onnx_trial"
    return try_in_subprocess(trial, content, seconds=seconds, memory=memory, **settings)


def _first_clause(error: object) -> str:
    """Return what onnxruntime says, without codes, places and what follows."""
    text = " ".join(str(error).split()).rpartition("] : ")[2]
    return text.split(" : ", 2)[-1].split(". ")[0][:160].rstrip(".")
