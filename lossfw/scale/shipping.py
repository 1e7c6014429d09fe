"""Shipping: send a plan to the workers, and return the state of a part.

A plan holds the names of its files, and the rows of small ones. Plugin files of this process are
sent with it, because workers do not have them.
"""

from __future__ import annotations

import functools
import importlib
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TypeAlias

from lossfw.components.registry.local import import_source, imported_files
from lossfw.errors import ArgumentError
from lossfw.evaluation.evaluate import Journal, evaluate
from lossfw.evaluation.plan import Plan
from lossfw.losses.engine.threads import threads
from lossfw.scale.fingerprint import packages_needed_by

# A plan goes through the scheduler, which keeps it for workers that come later.
MAX_PLAN_BYTES = 64 * 2**20
# The library's limit of one BLAS thread holds for the whole process, and pieces of files
# are kept for one reader: tasks in one process come after each other, each on all its threads.
_ONE_TASK = threading.Lock()


class PartJournal(Journal, Protocol):
    """Protocol: a journal that keeps the rows of one part for sending them back."""

    @property
    def entries(self) -> list[Any]:
        """The rows, in their stored form."""


RowsKeeper: TypeAlias = Callable[[Plan], PartJournal]


class Shipment(NamedTuple):
    """A pickled plan for the workers, and the packages that they need to read it."""

    content: bytes
    packages: frozenset[str]


def pack_plan(plan: Plan) -> Shipment:
    """Return the plugin files and the pickled plan for the workers."""
    # Dask brings it; it pickles classes of a script or a notebook by their content.
    cloudpickle = importlib.import_module("cloudpickle")
    content = cloudpickle.dumps(plan)
    if len(content) > MAX_PLAN_BYTES:
        raise ArgumentError(
            f"the plan has {len(content)} bytes of rows in memory; at most {MAX_PLAN_BYTES} go to "
            "the workers of a cluster. Save the arrays as .npy or Parquet, which stay in their "
            "files."
        )
    sent = tuple(imported_files())
    packages = packages_needed_by(content) - {name for name, _, _ in sent}
    return Shipment(pickle.dumps((sent, content)), frozenset(packages))


@functools.lru_cache(maxsize=2)
def unpack_plan(shipment: bytes) -> Plan:
    """Return the plan on a worker, which opens its files."""
    sent, content = pickle.loads(shipment)  # noqa: S301  # of the process that sent it
    for name, path, source in sent:
        import_source(name, path, source)
    plan: Plan = pickle.loads(content)  # noqa: S301
    return plan


def evaluate_part(
    shipment: bytes, start: int, stop: int, rows: RowsKeeper | None = None
) -> tuple[bytes, list[Any]]:
    """Evaluate rows on a worker; return their packed state, and the rows if they are kept."""
    with one_task_at_a_time():
        plan = unpack_plan(shipment)
        journal = None if rows is None else rows(plan)
        state = evaluate(plan, rows=(start, stop), journal=journal)
    return state.pack().to_bytes(), [] if journal is None else journal.entries


@contextmanager
def one_task_at_a_time() -> Iterator[None]:
    """Use all threads of this worker inside the ``with`` block, one task at a time."""
    distributed: Any = importlib.import_module("distributed")
    slots = max(1, int(distributed.get_worker().state.nthreads))
    with _ONE_TASK, threads(slots):
        yield
