"""Evaluate a plan on a cluster: parts to the workers, their states back, merged as they come."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Any, Protocol
from uuid import uuid4

from lossfw.data.state_file import SavedState
from lossfw.errors import ArgumentError, LossfwError, RunError
from lossfw.evaluation.evaluate import Progress, result_of
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Result
from lossfw.evaluation.state import EvaluationState
from lossfw.metrics import Metric
from lossfw.scale.cluster import distributed
from lossfw.scale.parts import cut
from lossfw.scale.shipping import RowsWriter, Shipment, evaluate_part, part_of, shipment_of
from lossfw.scale.survey import check_workers

# Seconds between two looks at whether the cluster is still there.
_LOOK_SECONDS = 1.0
# Seconds without any worker after which none is expected to come back.
WORKER_SECONDS = 30.0


class Keeper(Protocol):
    """Protocol: a keeper of the merged state, from which a run can be resumed."""

    notes: list[str]
    """What the reader of the result is told about the way to it."""

    @property
    def rows(self) -> RowsWriter | None:
        """What writes the rows of the parts, once `resume` was called; None for no rows."""

    def resume(self, state: EvaluationState) -> None:
        """Before the first part: put the evaluation into the state in which it was left."""

    def add_part(self, file: Any) -> None:
        """Before its state is merged: take the file of the rows of a part into account."""

    def keep(self, state: EvaluationState, *, now: bool = False) -> None:
        """Keep the state; not each time, unless `now` says so."""


def evaluate_on(
    client: Any,
    plan: Plan,
    *,
    progress: Progress | None = None,
    keeper: Keeper | None = None,
    patience: float = WORKER_SECONDS,
) -> Result:
    """Evaluate a plan on the workers of a cluster.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    plan : Plan
        The plan. Rows stay in their files, which every worker has under the same names.
    progress : callable, optional
        Called with the rows merged and the rows in all.
    keeper : Keeper, optional
        Keeps the merged state, and may resume from one that it kept before.
    patience : float
        Seconds that the evaluation waits for a worker when there is none.

    Returns
    -------
    Result
        The same bits as `lossfw.evaluation.evaluate.evaluate` on one process.

    Raises
    ------
    ArgumentError
        If a metric does not merge.
    RunError
        If workers differ from this process, or the cluster is gone. The merged
        state was kept before.
    """
    _check_mergeable(plan)
    shipment = shipment_of(plan)
    state = EvaluationState.of(plan)
    if keeper is not None:
        keeper.resume(state)
    rows = None if keeper is None else keeper.rows
    check_workers(client, plan, shipment, None if rows is None else rows.sign)
    parts = _Parts(client, plan, shipment, patience)
    try:
        parts.submit(state, rows)
        while parts.open:
            content, file = parts.next()
            _merge(state, _unpacked(plan, content), file, keeper)
            if progress is not None:
                progress(state.seen.count, plan.count)
    except BaseException:
        parts.cancel()
        if keeper is not None:
            keeper.keep(state, now=True)
        raise
    return result_of(plan, state)


def evaluate_parts(plan: Plan, *, keeper: Keeper, progress: Progress | None = None) -> Result:
    """Evaluate a plan by parts in this process: the rest of a run that began on a cluster."""
    state = EvaluationState.of(plan)
    keeper.resume(state)
    try:
        for start, stop in cut(plan, 1, state.seen).parts:
            part, file = part_of(plan, start, stop, keeper.rows)
            _merge(state, part, file, keeper)
            if progress is not None:
                progress(state.seen.count, plan.count)
    except BaseException:
        keeper.keep(state, now=True)
        raise
    return result_of(plan, state).noted(keeper.notes)


def _merge(state: EvaluationState, part: EvaluationState, file: Any, keeper: Keeper | None) -> None:
    """Take a part into account, its file first: a file without a state does no harm."""
    if keeper is not None and file is not None:
        keeper.add_part(file)
    state.merge(part)
    if keeper is not None:
        keeper.keep(state)


def _check_mergeable(plan: Plan) -> None:
    for metric in plan.metrics:
        if type(metric).unpack is Metric.unpack:
            raise ArgumentError(
                f"the metric {metric.label} cannot be merged from parts, which a cluster needs: "
                "its class has no `unpack`. Leave it out, or derive it from one of the kinds."
            )


def _unpacked(plan: Plan, content: bytes) -> EvaluationState:
    state = EvaluationState.of(plan)
    state.unpack(SavedState.from_bytes(content))
    return state


class _Parts:
    """The tasks of a plan on a cluster, whose results come in any order."""

    def __init__(self, client: Any, plan: Plan, shipment: Shipment, patience: float) -> None:
        self._client, self._plan, self._patience = client, plan, patience
        # One task brings the plan to each worker; it is run again where a worker was lost.
        self._shared = client.submit(Shipment, *shipment, pure=False)
        self._done: SimpleQueue[Any] = SimpleQueue()
        self.open: dict[str, tuple[int, int]] = {}
        self._futures: dict[str, Any] = {}
        self._seen_alive = time.monotonic()

    def submit(self, state: EvaluationState, rows: RowsWriter | None) -> None:
        """Give a task for each part that was not seen yet to the cluster."""
        run = uuid4().hex[:8]
        slots = sum(self._client.nthreads().values())
        for start, stop in cut(self._plan, slots, state.seen).parts:
            key = f"lossfw-{run}-{start}"
            future = self._client.submit(evaluate_part, self._shared, start, stop, rows, key=key)
            self.open[key] = start, stop
            self._futures[key] = future
            future.add_done_callback(self._done.put)

    def next(self) -> tuple[bytes, Any]:
        """Wait for a part, and return its packed state and the file of its rows.

        Raises
        ------
        RunError
            If the cluster is gone, or the part has ended several workers.
        LossfwError
            The error of a part.
        """
        while True:
            try:
                future = self._done.get(timeout=_LOOK_SECONDS)
            except Empty:
                self._check_alive()
                continue
            content = self._content(future)
            if content is not None:
                del self.open[future.key]
                self._futures.pop(future.key).release()
                return content

    def cancel(self) -> None:
        """Give up what is not done; ignore a cluster that is gone."""
        try:
            self._client.cancel([self._shared, *self._futures.values()], asynchronous=False)
        except Exception:
            return

    def _content(self, future: Any) -> tuple[bytes, Any] | None:
        """Return the result of a task; None if it was lost, and comes again."""
        dask = distributed()
        start, stop = self.open[future.key]
        try:
            content: tuple[bytes, Any] = future.result(timeout=self._patience)
        except LossfwError:
            raise
        except dask.KilledWorker:
            raise RunError(
                f"the rows {start} to {stop - 1} ended several workers one after the other, for "
                "want of memory perhaps: see their logs. --resume goes on with the other rows."
            ) from None
        except TimeoutError:
            self._check_alive()
            self._done.put(future)
            return None
        except Exception as error:
            # A cancelled task, a connection that was closed: the scheduler is gone.
            if future.status in ("cancelled", "lost") or isinstance(error, OSError):
                raise self._gone("the scheduler of the cluster is gone") from None
            raise
        return content

    def _check_alive(self) -> None:
        """Raise `RunError` where there is no scheduler, or for some time no worker."""
        if self._client.status not in ("running", "connecting"):
            raise self._gone("the scheduler of the cluster is gone")
        try:
            workers = self._client.nthreads()
        except (OSError, TimeoutError):
            raise self._gone("the scheduler of the cluster is gone") from None
        now = time.monotonic()
        if workers:
            self._seen_alive = now
        elif now - self._seen_alive > self._patience:
            raise self._gone(f"no worker is left, and none has come for {self._patience:g} s")

    def _gone(self, what: str) -> RunError:
        left = sum(stop - start for start, stop in self.open.values())
        return RunError(
            f"{what}: {left} of {self._plan.count} rows are not computed. With --out, --resume "
            "goes on from those that are."
        )
