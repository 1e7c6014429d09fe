"""Evaluation: from a `Plan` to its `Result`, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Protocol, TypeAlias

import numpy as np

from lossfw.data import Dataset
from lossfw.data.lazy_arrays import check_unchanged, take_rows
from lossfw.errors import ArgumentError
from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch, forward, regroup, saved
from lossfw.evaluation.diagnostics import Diagnostics, nan_warning
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import BLOCK_ROWS, one_blas_thread
from lossfw.evaluation.result import Result
from lossfw.evaluation.state import EvaluationState
from lossfw.evaluation.stopwatch import Stopwatch
from lossfw.losses.engine.reduction import block_rows

Progress: TypeAlias = Callable[[int, int], None]


class Journal(Protocol):
    """Protocol: a keeper of the rows of an evaluation, which can be resumed from it."""

    def resume(self, state: EvaluationState) -> None:
        """Before the first row: put the evaluation into the state in which it was left."""

    def add(self, rows: PredictedBatch, state: EvaluationState) -> None:
        """Keep some rows, which `state` has counted; they have losses if the plan asks for rows."""


def evaluate(
    plan: Plan, *, progress: Progress | None = None, journal: Journal | None = None
) -> Result:
    """Evaluate a plan.

    Parameters
    ----------
    plan : Plan
        The plan to evaluate.
    progress : callable, optional
        Called with the rows done and the rows in all.
    journal : Journal, optional
        Keeps the rows and the state, and may resume from a state that it kept before.

    Returns
    -------
    Result
        The same bits for any batch size and any number of cores.
    """
    clock = Stopwatch()
    data = plan.data if plan.sample is None else plan.data.take(plan.sample)
    accumulator = Accumulator(
        plan.loss,
        plan.metrics,
        intervals=plan.intervals,
        slices=plan.slices,
        rows=journal is not None and bool(plan.rows),
        clock=clock,
    )
    state = EvaluationState(accumulator, Diagnostics(plan.loss), clock)
    if journal is not None:
        journal.resume(state)
    with one_blas_thread() if plan.network is not None else nullcontext():
        for rows in _predicted(plan, data, state):
            with _named(data):
                counted = state.add(rows)
            if journal is not None:
                journal.add(counted, state)
            if progress is not None:
                progress(state.row, len(data))
    _check_unchanged(plan)
    return _result(plan, data, state)


def _check_unchanged(plan: Plan) -> None:
    """Refuse the numbers of rows from a file that has changed meanwhile."""
    plan.data.check_unchanged()
    if plan.outputs is not None:
        check_unchanged(plan.outputs)


def _result(plan: Plan, data: Dataset, state: EvaluationState) -> Result:
    numbers = state.accumulator.numbers()
    warnings = [*plan.warnings, *state.diagnostics.texts(len(data), numbers.masked)]
    if math.isnan(numbers.loss["value"]):
        warnings.append(nan_warning(_rows_with_nan(plan, data)))
    return Result(
        count=len(data),
        weight=state.weight.rounded(),
        loss_name=plan.loss.name,
        loss_text=str(plan.loss),
        form=plan.outputs_form,
        numbers=numbers,
        sample=plan.sample,
        digest=plan.digest,
        warnings=tuple(warnings),
        timings=dict(state.clock.seconds),
        classes=data.classes,
    )


def _rows_with_nan(plan: Plan, data: Dataset) -> Iterator[int]:
    """Yield the numbers of the rows whose loss is NaN; the rows are evaluated again."""
    state = EvaluationState(Accumulator(plan.loss, (), rows=True), Diagnostics(plan.loss))
    with one_blas_thread() if plan.network is not None else nullcontext():
        for rows in _predicted(plan, data, state):
            seen = state.accumulator.add(rows)
            assert seen.losses is not None
            assert seen.weights is not None
            for row in np.flatnonzero(np.isnan(seen.losses) & (seen.weights > 0)):
                number = rows.start + int(row)
                yield number if data.rows is None else int(data.rows[number])


def _predicted(plan: Plan, data: Dataset, state: EvaluationState) -> Iterator[PredictedBatch]:
    """Yield the rows to come with their outputs, in groups that fill the blocks of a sum."""
    clock = state.clock
    batches = clock.timed("read", data.batches(plan.batch_size, state.row))
    if plan.network is not None:
        parts = forward(plan.network, batches, logits=plan.outputs_form == "logits")
        width = plan.network.units
    else:
        assert plan.outputs is not None
        outputs = plan.outputs
        if plan.sample is not None:
            outputs = take_rows(outputs, np.array(plan.sample))
        parts = saved(outputs, batches)
        width = int(np.prod(outputs.shape[1:]))
    # A group of whole blocks of both kinds: few calls, and no partial waits
    # for its neighbour.
    return clock.timed(
        "forward", regroup(parts, max(BLOCK_ROWS, block_rows(width))), without="read"
    )


@contextmanager
def _named(data: Dataset) -> Iterator[None]:
    """Name the data in an error about rows."""
    try:
        yield
    except ArgumentError as error:
        counted = "" if data.rows is None else ", rows counted within the sample"
        raise type(error)(f"data {data.name!r}{counted}: {error}") from None
