"""Streams of rows: from batches of any size to aligned blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from lossfw.data import Batch, RowGroups
from lossfw.data.lazy_arrays import RowArray, read_rows
from lossfw.evaluation.predictor import BlockPredictor, Outputs
from lossfw.losses.engine import threads
from lossfw.numerics.arrays import NDArray

_Rows = TypeVar("_Rows", "Batch", "PredictedBatch")
# From the number of a row to that of the first row of the next block.
NextBlock: TypeAlias = Callable[[int], int]

# Blocks that are shared out among threads together: so many that starting threads
# costs little beside the work ...
_BLOCKS_AT_ONCE = 16
# ... but no more bytes of inputs than any machine has to spare.
_BYTES_AT_ONCE = 64 * 2**20


class PredictedBatch(NamedTuple):
    """Some consecutive rows with the model's outputs."""

    # Global number of the first row.
    start: int
    # The predictions or logits that the loss takes.
    loss_input: NDArray
    # The model's predictions, where `loss_input` holds its logits.
    predictions: NDArray | None
    # As in `Batch`.
    targets: NDArray
    sample_weight: NDArray | None
    # Mean loss of each row by the weights of its losses, NaN where nothing counts, and
    # the mean of these weights. None before the loss is computed, or where nothing asks
    # for single rows, (n,). A loss of groups has one of each group, (g,).
    losses: NDArray | None = None
    weights: NDArray | None = None
    # As in `Batch`, (n, S).
    columns: NDArray | None = None
    # The number of each row's group among those of the plan, where its groups are whole, (n,).
    group: NDArray | None = None
    # The key of each row's unit, for intervals; None where each row is its own, (n,).
    unit: NDArray | None = None
    # The predictions of a baseline, where there is one, (n, ...).
    baseline: NDArray | None = None

    @classmethod
    def of(cls, rows: Batch, outputs: Outputs, *, logits: bool) -> PredictedBatch:
        """Return rows with outputs; the loss takes their logits or predictions."""
        loss_input, predictions = outputs if logits else (outputs.predictions, None)
        assert loss_input is not None  # a loss of logits stands behind an output activation only
        return cls(
            rows.start,
            loss_input,
            predictions,
            rows.targets,
            rows.sample_weight,
            columns=rows.columns,
        )

    @property
    def group_begins(self) -> NDArray:
        """The first row of each group, counted from `start`."""
        assert self.group is not None
        return np.flatnonzero(np.diff(self.group, prepend=-1))


def multiples_of(size: int) -> NextBlock:
    """Return the starts of blocks of `size` rows."""
    return lambda row: row - row % size + size


def whole_groups(groups: RowGroups, size: int) -> NextBlock:
    """Return the starts of blocks that hold the groups beginning within `size` rows.

    Examples
    --------
    >>> from lossfw.data import DataColumn
    >>> queries = DataColumn.of(np.repeat([7, 8, 9], [3, 6, 2]))
    >>> groups = RowGroups.from_column("query", queries, "some data")
    >>> next_block = whole_groups(groups, 4)
    >>> [next_block(row) for row in (0, 3, 8, 9)]
    [9, 9, 9, 11]
    """
    next_multiple = multiples_of(size)
    return lambda row: groups.next_group_start(next_multiple(groups.group_start(row)))


def aligned_blocks(parts: Iterable[_Rows], next_block: NextBlock) -> Iterator[_Rows]:
    """Yield the same rows in whole blocks, from the first row on.

    A block that arrives in one part is passed on unchanged, others are joined; the last may be
    smaller.
    """
    held: list[_Rows] = []
    for part in parts:
        start, stop = part.start, part.start + len(part.targets)
        while start < stop:
            edge = next_block(start)
            held.append(rows_between(part, start, min(edge, stop)))
            if edge <= stop:
                yield _join_batches(held)
                held = []
            start = edge
    if held:
        yield _join_batches(held)


def rows_between(part: _Rows, start: int, stop: int) -> _Rows:
    """Return the rows of a part from one number to another, which is excluded."""
    if (start, stop) == (part.start, part.start + len(part.targets)):
        return part
    rows = slice(start - part.start, stop - part.start)
    columns: list[Any] = [None if column is None else column[rows] for column in part[1:]]
    return type(part)(start, *columns)


def _join_batches(pieces: list[_Rows]) -> _Rows:
    first = pieces[0]
    if len(pieces) == 1:
        return first
    columns: list[Any] = [
        None if column[0] is None else np.concatenate(column)
        for column in zip(*(piece[1:] for piece in pieces), strict=True)
    ]
    return type(first)(first.start, *columns)


def predict_batches(
    model: BlockPredictor, batches: Iterable[Batch], *, logits: bool
) -> Iterator[PredictedBatch]:
    """Run a model over batches of any size in aligned blocks, on threads if it allows them.

    The bits of a row depend on neither the sizes of the batches nor the number of threads. The
    caller must limit BLAS to one thread. The batches are consecutive rows starting at a
    multiple of `block_rows`; with `logits`, the loss gets logits, not predictions.
    """

    def predict_block(block: Batch) -> PredictedBatch:
        assert block.inputs is not None
        return PredictedBatch.of(block, model.run_block(block.inputs), logits=logits)

    row_bytes = max(1, math.prod(model.row_shape)) * model.dtype.itemsize
    at_once = min(_BLOCKS_AT_ONCE, _BYTES_AT_ONCE // (model.block_rows * row_bytes))
    at_once = max(1, at_once) if model.shared else 1
    blocks = aligned_blocks(batches, multiples_of(model.block_rows))
    while wave := list(islice(blocks, at_once)):
        yield from threads.run(predict_block, wave)


def iter_saved_outputs(
    outputs: RowArray,
    batches: Iterable[Batch],
    first: int = 0,
    *,
    output_activation: Callable[[NDArray], NDArray] | None = None,
    logits: bool = False,
) -> Iterator[PredictedBatch]:
    """Add saved outputs, whose first row has the number `first`, to the batches of their rows.

    Outputs in a file are read by batch. `output_activation` turns them into predictions; with
    `logits`, the loss still gets the outputs.
    """
    for batch in batches:
        start = batch.start - first
        rows = read_rows(outputs, start, start + len(batch.targets))
        with np.errstate(all="ignore"):  # an overflow shows in the result
            of_rows = (
                Outputs(None, rows)
                if output_activation is None
                else Outputs(rows, output_activation(rows))
            )
        yield PredictedBatch.of(batch, of_rows, logits=logits and output_activation is not None)
