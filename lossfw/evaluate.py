"""Evaluation: batches -> forward -> loss and metrics -> partials -> result.

`Plan` is what a configuration comes to: objects whose shapes are checked, with
nothing computed. `evaluate` computes and returns a `Result`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from lossfw.clock import Clock
from lossfw.data import Dataset
from lossfw.data.columns import Rows, take_rows
from lossfw.errors import ArgumentError, DataError
from lossfw.intervals import Intervals
from lossfw.loss import Loss
from lossfw.metrics import Metric
from lossfw.notices import Notices
from lossfw.predictor import BLOCK_ROWS, Predictor, one_blas_thread
from lossfw.reduce import block_rows
from lossfw.slices import Slice
from lossfw.standing import Standing
from lossfw.stream import Scored, forward, regroup, saved
from lossfw.tally import Numbers, Tally

NDArray = np.ndarray[Any, np.dtype[Any]]
Form: TypeAlias = Literal["prediction", "logits"]
Progress: TypeAlias = Callable[[int, int], None]

# Version of the JSON object that `Result.to_dict` gives.
RESULT_VERSION = 1


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be evaluated: checked, with nothing computed.

    Attributes
    ----------
    data : Dataset
        All rows; those of `sample` are not taken yet.
    loss : Loss
        Already in its form from logits where `outputs_form` is ``"logits"``.
    network : Predictor or None
        The model that makes predictions from the inputs, such as a `Network`.
    outputs : ndarray or Column, shape (N, ...), or None
        Saved predictions or logits, where there is no network.
    outputs_form : str
        ``"prediction"`` or ``"logits"``: what reaches the loss.
    metrics : tuple of Metric
        They see the network's predictions, also where the loss sees its
        logits; and saved outputs as they are.
    batch_size : int
        How many rows are read at a time. It changes no bit of any number.
    sample : tuple of int or None
        Numbers of the rows to evaluate, in this order; None for all rows.
    rows : bool or str
        Whether a run folder gets a file with the loss, prediction and target of
        each row: ``"jsonl"`` (which True means) or ``"parquet"``.
    intervals : Intervals or None
        Which confidence intervals are asked for.
    slices : tuple of Slice
        Parts of the rows for which the numbers are reported again.
    digest : str
        Identifies configuration, plugin versions and data.
    warnings : tuple of str
        What was noticed while the plan was made.
    """

    data: Dataset
    loss: Loss
    network: Predictor | None = None
    outputs: Rows | None = None
    outputs_form: Form = "prediction"
    metrics: tuple[Metric, ...] = ()
    batch_size: int = 100
    sample: tuple[int, ...] | None = None
    rows: bool | Literal["jsonl", "parquet"] = False
    intervals: Intervals | None = None
    slices: tuple[Slice, ...] = ()
    digest: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what belongs together; no row is read.

        Raises
        ------
        ArgumentError, DataError, ShapeError
            If there is not exactly one of a network and saved outputs, or the
            data lack what they need.
        """
        if (self.network is None) == (self.outputs is None):
            raise ArgumentError("a plan has either a network or saved outputs, exactly one.")
        if self.batch_size < 1:
            raise ArgumentError(f"batch_size is {self.batch_size}; at least 1 was wanted.")
        if self.network is not None:
            if self.data.inputs is None:
                raise DataError(f"data {self.data.name!r} have no inputs for the network.")
            self.network.check_inputs(self.data.inputs.shape)
        elif self.outputs is not None and self.outputs.shape[:1] != (len(self.data),):
            raise DataError(
                f"the saved outputs have shape {self.outputs.shape}, but data "
                f"{self.data.name!r} have {len(self.data)} rows; one entry for each row was wanted."
            )


@dataclass(frozen=True, eq=False)
class Result:
    """The numbers of an evaluation.

    Attributes
    ----------
    count : int
        Rows.
    weight : float
        Their total sample weight.
    loss_name, loss_text : str
        Canonical name of the loss; the loss with its parameters.
    loss : float
        Its mean.
    form : str
        ``"prediction"`` or ``"logits"``: what reached the loss.
    metrics : mapping of str to float or list
        By name.
    sample : tuple of int or None
        Numbers of the rows that were drawn.
    digest : str
        That of the plan.
    warnings : tuple of str
        For the reader of the report.
    timings : mapping of str to float
        Seconds by stage.
    numbers : Numbers or None
        Loss and metrics with all that was found of them: intervals, curves, slices.
    """

    count: int
    weight: float
    loss_name: str
    loss_text: str
    loss: float
    form: Form
    metrics: Mapping[str, Any]
    sample: tuple[int, ...] | None = None
    digest: str = ""
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    numbers: Numbers | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as it is written to JSON: plain numbers, texts and lists."""
        found = self.numbers or Numbers(
            {"value": self.loss}, {name: {"value": value} for name, value in self.metrics.items()}
        )
        plain: dict[str, Any] = {
            "lossfw": RESULT_VERSION,
            "count": self.count,
            "weight": self.weight,
            "loss": {
                "name": self.loss_name,
                "value": self.loss,
                "form": self.form,
                **{key: value for key, value in found.loss.items() if key != "value"},
            },
            "metrics": {name: dict(value) for name, value in found.metrics.items()},
        }
        if found.intervals is not None:
            plain["intervals"] = dict(found.intervals)
        if found.slices is not None:
            plain["slices"] = [dict(part) for part in found.slices]
        plain["sample"] = None if self.sample is None else list(self.sample)
        plain["digest"] = self.digest
        return plain


class Journal(Protocol):
    """What keeps the rows of an evaluation, and from which it can go on."""

    def resume(self, standing: Standing) -> None:
        """Before the first row: let the evaluation stand where it was left, if it was."""

    def add(self, rows: Scored, standing: Standing) -> None:
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
    clock = Clock()
    data = plan.data if plan.sample is None else plan.data.take(plan.sample)
    tally = Tally(
        plan.loss, plan.metrics, intervals=plan.intervals, slices=plan.slices, clock=clock
    )
    standing = Standing(tally, Notices(plan.loss), clock)
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


def _result(plan: Plan, data: Dataset, standing: Standing) -> Result:
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


def _scored(plan: Plan, data: Dataset, standing: Standing) -> Iterator[Scored]:
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
