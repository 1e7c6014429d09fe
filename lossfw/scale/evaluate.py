"""Evaluate a plan on a cluster: workers evaluate parts, and their states are merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Protocol

from lossfw.data.state_file import SavedState
from lossfw.errors import ArgumentError
from lossfw.evaluation.evaluate import Progress, result_of
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Result
from lossfw.evaluation.state import EvaluationState
from lossfw.metrics import Metric
from lossfw.scale.parts import cut_rows
from lossfw.scale.shipping import RowsKeeper, evaluate_part, pack_plan
from lossfw.scale.tasks import ClusterTask, run_tasks

# Seconds without any worker after which none is expected to come back.
WORKER_SECONDS = 30.0


class StateKeeper(Protocol):
    """Protocol: stores the merged state, so that a run can be resumed."""

    @property
    def rows(self) -> RowsKeeper | None:
        """The object that keeps the rows of a part on its worker (pickled); None for no rows."""

    def resume(self, state: EvaluationState) -> None:
        """Before the first part: restore the state of an interrupted evaluation."""

    def add_rows(self, entries: Sequence[Any]) -> None:
        """Before the state of a part is merged: add its rows."""

    def store(self, state: EvaluationState, *, at_once: bool = False) -> None:
        """Store the state from time to time, or at once with `at_once`."""


def evaluate_on(
    client: Any,
    plan: Plan,
    *,
    progress: Progress | None = None,
    keeper: StateKeeper | None = None,
    patience: float = WORKER_SECONDS,
) -> Result:
    """Evaluate a plan on the workers of a cluster.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    plan : Plan
        The plan. Rows remain in their files, which every worker must have under the same names.
    progress : callable, optional
        Called with the number of merged rows and of all rows.
    keeper : StateKeeper, optional
        Stores the merged state, and may resume from an earlier one.
    patience : float
        Seconds to wait for a worker when there is none.

    Returns
    -------
    Result
        The same bits as `lossfw.evaluation.evaluate.evaluate` on one process.

    Raises
    ------
    ArgumentError
        If a metric does not merge.
    RunError
        If a worker has other code than this process, or the cluster is gone. The merged state is
        stored before.
    """
    _check_mergeable(plan)
    state = EvaluationState.of(plan)
    if keeper is not None:
        keeper.resume(state)
    rows = None if keeper is None else keeper.rows

    def count_left() -> str:
        if not state.seen.count:
            return "no row was computed"
        missing = plan.count - state.seen.count
        return (
            f"{missing} of {plan.count} rows are not computed. With --out, --resume continues from "
            "those that are"
        )

    shipment = pack_plan(plan)
    # One task brings it to each worker; it is run again where a worker was lost.
    shipped = client.submit(bytes, shipment.content, pure=False)
    threads = sum(client.nthreads().values())
    tasks = [
        ClusterTask(f"the part of the rows {start} to {stop - 1}", (shipped, start, stop, rows))
        for start, stop in cut_rows(plan, threads, state.seen).parts
    ]
    results = run_tasks(
        client,
        evaluate_part,
        tasks,
        packages=shipment.packages,
        describe_rest=count_left,
        patience=patience,
    )

    def parts() -> Iterator[tuple[EvaluationState, Sequence[Any]]]:
        for content, entries in results:
            part = EvaluationState.of(plan)
            part.unpack(SavedState.from_bytes(content))
            yield part, entries

    with closing(results):
        _merge(state, parts(), plan, keeper, progress)
    return result_of(plan, state)


def _merge(
    state: EvaluationState,
    parts: Iterable[tuple[EvaluationState, Sequence[Any]]],
    plan: Plan,
    keeper: StateKeeper | None,
    progress: Progress | None,
) -> None:
    """Merge parts as they come, each after its rows: rows that no state has seen do no harm."""
    try:
        for part, entries in parts:
            if keeper is not None and entries:
                keeper.add_rows(entries)
            state.merge(part)
            if keeper is not None:
                keeper.store(state)
            if progress is not None:
                progress(state.seen.count, plan.count)
    except BaseException:
        if keeper is not None:
            keeper.store(state, at_once=True)
        raise


def _check_mergeable(plan: Plan) -> None:
    for metric in plan.metrics:
        if type(metric).unpack is Metric.unpack:
            raise ArgumentError(
                f"the metric {metric.label} cannot be merged from parts, which a cluster needs: "
                "its class has no `unpack`. Leave it out, or derive it from one of the kinds."
            )
