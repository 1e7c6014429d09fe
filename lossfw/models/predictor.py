"""Predictor: a trained model, as an evaluation uses it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from lossfw.components.registry import Registry, registry
from lossfw.errors import DataError, RunError, ShapeError
from lossfw.evaluation.predictor import BLOCK_ROWS, Outputs
from lossfw.models.card import Card, sha256
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# Bytes of a block of inputs: blocks are halved until they have no more, down to `BLOCK_ROWS`.
_BLOCK_BYTES = 8 * 2**20
# A larger file of a model is not sent to the workers of a cluster, which read it themselves.
_SENT_BYTES = 16 * 2**20


class Predictor:
    """A trained model: it takes rows of inputs and returns raw outputs, block by block.

    An author gives a function of one block. This class calls it with contiguous blocks of the
    dtype, padded to their full length if the bits depend on it, and turns raw outputs into
    predictions.

    Parameters
    ----------
    description : str
        One line about the model for a report: ``"xgboost (56 rounds)"``.
    content : bytes
        The file of the model, which determines everything that it computes.
    row_shape : tuple of int
        The shape of the inputs of a row.
    units : int
        Number of outputs per row.
    raw : callable
        Function of inputs (n, ...) in C order that
        returns raw outputs (n,) or (n, units). It does not write to its argument, and no row
        depends on another.
    output_activation : str, Activation or None
        The activation that turns raw outputs into predictions; None if the outputs are predictions,
        whose logits are not known.
    dtype : str
        The dtype of the inputs: ``"float32"`` or ``"float64"``.
    pads : bool
        Whether the bits of a row depend on the number of rows in a call: lossfw then fills the last
        block with copies of its rows.
    block_rows : int
        Number of rows per block, a power of two of at least 256; fewer if rows are long.
    shared : bool
        Whether several threads may call `raw` at the same time.
    call_context : callable, optional
        Returns a context manager around all calls of `raw`, for settings that a library has once
        per process, such as its number of threads.
    columns : tuple of str
        The names of the inputs in order, if the file has them; lossfw refuses data with other names
        or another order.
    classes : tuple of str
        The labels of the classes in the order of the outputs, if the file has them; lossfw numbers
        the labels of the data in the same way.
    categories : mapping of str to tuple of str
        For an input, by name, the labels of its codes 0, 1, ..., if the file has them: the
        categories of the data become these codes.
    activation_is_assumed : bool
        Whether `output_activation` is only assumed, because neither file nor card states it; a note
        says so.
    notes : tuple of str
        What users must know about the outputs, such as that their meaning is unknown; shown as
        warnings.

    Examples
    --------
    >>> import numpy as np
    >>> w = np.array([1.0, -1.0])
    >>> model = Predictor("linear", w.tobytes(), (2,), 1, lambda x: x @ w, "sigmoid", pads=True)
    >>> model.run_block(np.array([[3.0, 3.0]])).predictions
    array([[0.5]])
    """

    def __init__(
        self,
        description: str,
        content: bytes,
        row_shape: tuple[int, ...],
        units: int,
        raw: Callable[[NDArray], NDArray],
        output_activation: str | Activation | None = "identity",
        *,
        dtype: str = "float64",
        pads: bool = False,
        block_rows: int = BLOCK_ROWS,
        shared: bool = True,
        call_context: Callable[[], AbstractContextManager[Any]] = nullcontext,
        columns: tuple[str, ...] = (),
        classes: tuple[str, ...] = (),
        categories: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        activation_is_assumed: bool = False,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.description, self.digest = description, sha256(content)
        self.row_shape, self.units, self.raw = tuple(row_shape), units, raw
        self._output_activation = output_activation
        self.dtype, self.pads, self.shared = np.dtype(dtype), pads, shared
        self.call_context, self.activation_is_assumed, self.notes = (
            call_context,
            activation_is_assumed,
            notes,
        )
        self.columns, self.classes, self.categories = columns, classes, categories
        row_bytes = max(1, math.prod(self.row_shape)) * self.dtype.itemsize
        while block_rows > BLOCK_ROWS and block_rows * row_bytes > _BLOCK_BYTES:
            block_rows //= 2
        self.block_rows = block_rows
        # Model, card and file, which make it again on a worker; filled by `Model.load_predictor`.
        self.origin: tuple[Any, Card | None, bytes] | None = None

    @property
    def output_activation(self) -> Activation | None:
        """The activation that turns raw outputs into predictions, or None."""
        if isinstance(self._output_activation, str):
            self.resolve_activation(registry())
        return cast("Activation | None", self._output_activation)

    def resolve_activation(self, known: Registry) -> None:
        """Look up an activation given by name in a registry, which may include plugin files."""
        if isinstance(self._output_activation, str):
            self._output_activation = known.create("activation", self._output_activation)

    @property
    def card(self) -> Card | None:
        """What a lossfw training has written next to the file, or None."""
        return None if self.origin is None else self.origin[1]

    @property
    def library(self) -> str | None:
        """The library that computes, with its version; None for a model without a library."""
        model = None if self.origin is None else self.origin[0]
        return model.library_version if model is not None and model.library else None

    def __reduce__(self) -> Any:
        # A session of a library cannot be sent to a worker: it is made again there.
        if self.origin is None:
            raise TypeError("a predictor that no model has loaded cannot be sent to a worker")
        model, card, content = self.origin
        # A worker reads a large file itself, as it reads the data.
        is_read = model.file is not None and len(content) > _SENT_BYTES
        sent, digest = (None, sha256(content)) if is_read else (content, None)
        return _load_again, (model, card, sent, digest, self.output_activation)

    def __str__(self) -> str:
        inputs = "x".join(map(str, self.row_shape))
        read = f"{self.description}, {inputs} {'input' if inputs == '1' else 'inputs'}"
        plural = "" if self.units == 1 else "s"
        if self.output_activation is None:
            return f"{read}, {self.units} prediction{plural}"
        after = (
            "" if self.output_activation.name == "identity" else f", {self.output_activation.name}"
        )
        return f"{read}, {self.units} raw output{plural}{after}"

    def check_inputs(self, shape: tuple[int, ...]) -> None:
        """Raise `ShapeError` if the model does not accept inputs of a shape."""
        if shape[1:] == self.row_shape:
            return
        wanted = ", ".join(map(str, ("N", *self.row_shape)))
        hint = ""
        if len(self.row_shape) == 1 and math.prod(shape[1:]) == self.row_shape[0]:
            hint = " Flatten them: `flatten: true`."
        raise ShapeError(f"inputs have shape {shape}; the model takes ({wanted}).{hint}")

    def run_block(self, rows: NDArray) -> Outputs:
        """Return the outputs of the first 1 to `block_rows` rows of an aligned block."""
        block = np.ascontiguousarray(rows, self.dtype)
        if self.pads and len(block) < self.block_rows:
            # By rows of the block: zeros may be no legal inputs.
            block = block[np.arange(self.block_rows) % len(block)]
        raw = np.asarray(self.raw(block))
        if raw.shape not in ((len(block), self.units), *(((len(block),),) * (self.units == 1))):
            raise RunError(
                f"the model {self.description} made outputs of shape {raw.shape} for {len(block)} "
                f"rows; expected ({len(block)}, {self.units})."
            )
        raw = raw[: len(rows)].reshape(len(rows), self.units)
        if self.output_activation is None:
            return Outputs(None, raw)
        # An overflow shows in the result, as infinity or NaN.
        with np.errstate(all="ignore"):
            return Outputs(raw, self.output_activation(raw))


def _load_again(
    model: Any,
    card: Card | None,
    content: bytes | None,
    digest: str | None,
    output_activation: Activation | None,
) -> Predictor:
    predictor: Predictor = model.load_predictor(content, card)
    # An output activation of a plugin file is in no registry there.
    predictor._output_activation = output_activation
    # Bytes that were sent are the same; a file that is read here may be another.
    if digest is not None and (predictor.origin is None or sha256(predictor.origin[2]) != digest):
        raise DataError(f"{model.file} is another file here.")
    return predictor
