"""Evaluation: from a `Plan` to its `Result`, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeAlias, overload

import numpy as np

from lossfw.data import Batch
from lossfw.data.lazy_arrays import check_unchanged, take_rows
from lossfw.errors import ArgumentError
from lossfw.evaluation.baseline import Baseline
from lossfw.evaluation.batching import (
    PredictedBatch,
    aligned_blocks,
    iter_saved_outputs,
    multiples_of,
    predict_batches,
    rows_between,
    whole_groups,
)
from lossfw.evaluation.diagnostics import nan_warning
from lossfw.evaluation.intervals.sentence import unit_warnings
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.evaluation.result import Numbers, Result
from lossfw.evaluation.state import EvaluationState
from lossfw.evaluation.stopwatch import Stopwatch

Progress: TypeAlias = Callable[[int, int], None]


class Journal(Protocol):
    """Protocol: stores the rows of an evaluation, so that it can be resumed."""

    def resume(self, state: EvaluationState) -> None:
        """Before the first row: restore the state of an interrupted evaluation."""

    def add(self, rows: PredictedBatch, state: EvaluationState) -> None:
        """Store some rows, which `state` includes; they have losses if the plan asks for rows."""


@overload
def evaluate(
    plan: Plan,
    *,
    rows: None = None,
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> Result: ...
@overload
def evaluate(
    plan: Plan,
    *,
    rows: tuple[int, int],
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> EvaluationState: ...
def evaluate(
    plan: Plan,
    *,
    rows: tuple[int, int] | None = None,
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> Result | EvaluationState:
    """Evaluate a plan, or a part of its rows.

    Parameters
    ----------
    plan : Plan
        The plan to evaluate.
    rows : tuple of int, optional
        The first row and the row after the last of a part; both are multiples of
        `Plan.block_rows`, or the end.
    progress : callable, optional
        Called with the number of rows done and the total number of rows.
    journal : Journal, optional
        Stores the rows and the state, and may resume from an earlier state.

    Returns
    -------
    Result, or EvaluationState for a part
        A result, also `result_of` the merged states of parts, has the same bits for any batch size
        and any number of cores.

    Raises
    ------
    ArgumentError
        If a part begins or ends within a block, or a group.
    """
    part = (0, plan.count) if rows is None else plan.check_part(*rows)
    state = EvaluationState.of(plan, rows=journal is not None and bool(plan.rows))
    if journal is not None:
        journal.resume(state)
    with _model_context(plan):
        for first, stop in state.seen.gaps(*part):
            for batch in _predict_rows(plan, state.clock, first, stop):
                with _name_data_in_errors(plan):
                    counted = state.add(batch)
                if journal is not None:
                    journal.add(counted, state)
                if progress is not None:
                    progress(state.seen.count, part[1] - part[0])
    # The numbers of a file that has changed meanwhile are of two versions.
    plan.data.check_unchanged()
    if plan.outputs is not None:
        check_unchanged(plan.outputs)
    return result_of(plan, state) if rows is None else state


def evaluate_first_rows(plan: Plan, limit: int) -> None:
    """Evaluate at most so many first rows of a plan, for the errors that this raises."""
    state, stop = EvaluationState.of(plan), min(limit, plan.count)
    if plan.groups is not None:
        stop = plan.groups.next_group_start(stop)
    with _model_context(plan):
        for batch in _predict_rows(plan, state.clock, 0, stop):
            state.add(batch)
    if stop == plan.count:
        state.accumulator.numbers()


def result_of(plan: Plan, state: EvaluationState) -> Result:
    """Return the result of a plan from the state of all its rows."""
    if gaps := state.seen.gaps(0, plan.count):
        raise ArgumentError(
            f"the rows {gaps[0][0]} to {gaps[0][1] - 1} are missing: merge the states of all parts."
        )
    numbers = state.accumulator.numbers()
    return Result(
        count=plan.count,
        weight=state.weight.round_to_float(),
        loss_name=plan.loss.name,
        loss_text=str(plan.loss),
        form=plan.outputs_form,
        numbers=numbers,
        sample=plan.sample,
        digest=plan.digest,
        warnings=tuple(_warnings(plan, state, numbers)),
        timings=dict(state.clock.seconds),
        classes=plan.data.classes,
        groups=None if plan.groups is None else len(plan.groups),
        units=state.accumulator.units(),
    )


def _warnings(plan: Plan, state: EvaluationState, numbers: Numbers) -> Iterator[str]:
    """Yield the warnings of the plan, and those about rows of it."""
    yield from plan.warnings
    yield from state.diagnostics.warnings(plan.count, numbers.masked)
    if numbers.intervals is not None:
        yield from unit_warnings(numbers.intervals, plan.count, state.accumulator.alike_columns())
    if plan.baseline and numbers.metrics[plan.baseline.label]["value"] == 0:
        yield (
            f"the loss of the baseline {plan.baseline.label} is 0: it predicts every row exactly, "
            "so no model can have a skill relative to it"
        )
    if math.isnan(numbers.loss["value"]):
        rows, sample = state.diagnostics.nan_rows, plan.sample
        yield nan_warning(rows if sample is None else [sample[row] for row in rows])


@contextmanager
def _model_context(plan: Plan) -> Iterator[None]:
    """Run the model of a plan, if it has one, on one thread for each block."""
    if plan.model is None:
        yield
        return
    with one_blas_thread(), plan.model.call_context():
        yield


def _batches(plan: Plan, first: int, stop: int) -> Iterator[Batch]:
    """Yield rows of the plan, numbered among those that it evaluates."""
    if plan.model is not None:
        # A group may begin within a block, whose bits are those of all its rows.
        size = plan.model.block_rows
        first -= first % size
        stop = min(plan.count, stop + -stop % size)
    if plan.sample is None:
        yield from plan.data.batches(plan.batch_size, first, stop)
        return
    for batch in plan.data.take(plan.sample[first:stop]).batches(plan.batch_size):
        yield batch._replace(start=first + batch.start)


def _predict_rows(plan: Plan, clock: Stopwatch, first: int, stop: int) -> Iterator[PredictedBatch]:
    """Yield rows with their outputs, in blocks that fill those of a sum."""
    batches = clock.time_items("read", _batches(plan, first, stop))
    logits = plan.outputs_form != "prediction"
    parts: Iterator[PredictedBatch]
    if plan.model is not None:
        outputs_of_blocks = predict_batches(plan.model, batches, logits=logits)
        parts = (_clip_rows(block, first, stop) for block in outputs_of_blocks)
    else:
        assert plan.outputs is not None
        outputs, begin = plan.outputs, 0
        if plan.sample is not None:
            outputs, begin = take_rows(outputs, np.array(plan.sample[first:stop])), first
        parts = iter_saved_outputs(
            outputs, batches, begin, output_activation=plan.output_activation, logits=logits
        )
    # Whole blocks of both kinds: few calls, and no partial waits
    # for its neighbour.
    groups, size = plan.groups, plan.block_rows
    if groups is None:
        blocks = aligned_blocks(parts, multiples_of(size))
    else:
        blocks = (
            rows._replace(group=groups.numbers(rows.start, rows.start + len(rows.targets)))
            for rows in aligned_blocks(parts, whole_groups(groups, size))
        )
    units = plan.row_units
    if units is not None:
        blocks = (
            rows._replace(unit=units.keys(rows.start, rows.start + len(rows.targets), rows.columns))
            for rows in blocks
        )
    if plan.baseline is not None:
        blocks = (_add_baseline(plan, plan.baseline, rows) for rows in blocks)
    return clock.time_items("forward", blocks, except_stage="read")


def _add_baseline(plan: Plan, baseline: Baseline, rows: PredictedBatch) -> PredictedBatch:
    found = baseline.predictions_of(plan.data, plan.sample, rows.start, rows.targets, rows.columns)
    return rows._replace(baseline=found)


def _clip_rows(rows: PredictedBatch, first: int, stop: int) -> PredictedBatch:
    """Return the rows that lie between two numbers."""
    return rows_between(rows, max(first, rows.start), min(stop, rows.start + len(rows.targets)))


@contextmanager
def _name_data_in_errors(plan: Plan) -> Iterator[None]:
    """Name the data in an error about rows."""
    try:
        yield
    except ArgumentError as error:
        counted = "" if plan.sample is None else ", rows counted within the sample"
        raise type(error)(f"data {plan.data.name!r}{counted}: {error}") from None
