"""Evaluation: batches -> forward -> loss and metrics -> partials -> result.

`Plan` is what a configuration comes to: objects whose shapes are checked, with
nothing computed. `evaluate` computes and returns a `Result`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Protocol, TypeAlias

import numpy as np

from lossfw.data import Dataset
from lossfw.data.lazy_arrays import take_rows
from lossfw.errors import ArgumentError
from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch, forward, regroup, saved
from lossfw.evaluation.diagnostics import Diagnostics
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import BLOCK_ROWS, one_blas_thread
from lossfw.evaluation.result import Result
from lossfw.evaluation.state import EvaluationState
from lossfw.evaluation.stopwatch import Stopwatch
from lossfw.losses.engine.reduction import block_rows

Progress: TypeAlias = Callable[[int, int], None]


class Journal(Protocol):
    """What keeps the rows of an evaluation, and from which it can go on."""

    def resume(self, standing: EvaluationState) -> None:
        """Before the first row: let the evaluation stand where it was left, if it was."""

    def add(self, rows: PredictedBatch, standing: EvaluationState) -> None:
        """Keep some rows, which `standing` knows already."""


def evaluate(
    plan: Plan, *, progress: Progress | None = None, journal: Journal | None = None
) -> Result:
    """Evaluate a plan.

    Parameters
    ----------
    plan : Plan
        What to evaluate.
    progress : callable, optional
        Called with the rows done and the rows in all.
    journal : Journal, optional
        Keeps what is computed, and may begin with what was kept before.

    Returns
    -------
    Result
        The same bits for any batch size and any number of cores.
    """
    clock = Stopwatch()
    data = plan.data if plan.sample is None else plan.data.take(plan.sample)
    tally = Accumulator(
        plan.loss, plan.metrics, intervals=plan.intervals, slices=plan.slices, clock=clock
    )
    standing = EvaluationState(tally, Diagnostics(plan.loss), clock)
    if journal is not None:
        journal.resume(standing)
    with one_blas_thread() if plan.network is not None else nullcontext():
        for rows in _scored(plan, data, standing):
            with _named(data):
                standing.add(rows)
            if journal is not None:
                journal.add(rows, standing)
            if progress is not None:
                progress(standing.row, len(data))
    return _result(plan, data, standing)


def _result(plan: Plan, data: Dataset, standing: EvaluationState) -> Result:
    numbers = standing.tally.numbers()
    return Result(
        count=len(data),
        weight=standing.weight.rounded(),
        loss_name=plan.loss.name,
        loss_text=str(plan.loss),
        loss=numbers.loss["value"],
        form=plan.outputs_form,
        metrics={name: found["value"] for name, found in numbers.metrics.items()},
        sample=plan.sample,
        digest=plan.digest,
        warnings=(*plan.warnings, *standing.notices.texts(len(data), numbers.masked)),
        timings=dict(standing.clock.seconds),
        numbers=numbers,
    )


def _scored(plan: Plan, data: Dataset, standing: EvaluationState) -> Iterator[PredictedBatch]:
    """Yield the rows to come with their outputs, in groups that fill the blocks of a sum."""
    clock = standing.clock
    batches = clock.timed("read", data.batches(plan.batch_size, standing.row))
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
    """Say of an error about rows in which data they are."""
    try:
        yield
    except ArgumentError as error:
        counted = "" if data.rows is None else ", rows counted within the sample"
        raise type(error)(f"data {data.name!r}{counted}: {error}") from None
