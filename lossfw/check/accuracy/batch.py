"""Run: the accuracy of many components, in several processes.

Exact numbers are Python's own integers, so threads would wait for each other.
A process is started anew and makes its components from their configurations;
nothing is kept on disk.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lossfw.check.accuracy.measure import DTYPES, POINTS, ComponentAccuracy, measure
from lossfw.check.accuracy.peers import installed
from lossfw.check.accuracy.variants import variants
from lossfw.components.plugin_choice import Plugins

# Other parameters are measured at so many times fewer points.
_FEWER = 4


@dataclass(frozen=True)
class Job:
    """One component in one dtype.

    Attributes
    ----------
    kind : str
        ``"loss"`` or ``"activation"``.
    config : dict
        What builds the component.
    dtype : str
    points, seed : int
        See `lossfw.check.accuracy.measure`.
    peers : bool
        Whether to measure the libraries that are installed as well.
    """

    kind: str
    config: dict[str, Any]
    dtype: str
    points: int = POINTS
    seed: int = 0
    peers: bool = False

    def run(self, plugins: Plugins) -> ComponentAccuracy:
        """Measure it."""
        component = plugins.registry().create(self.kind, self.config)
        peers = installed() if self.peers else ()
        return measure(component, self.dtype, points=self.points, seed=self.seed, peers=peers)


def jobs(
    components: Sequence[Any], *, points: int = POINTS, seed: int = 0, peers: bool = False
) -> list[Job]:
    """Return a job for each component and dtype, in this order.

    Among several components of one class, those at parameters that are no
    default and no form of their own have a quarter of the points.
    """
    found = []
    for component in components:
        alone = sum(type(other) is type(component) for other in components) == 1
        usual = alone or component in variants(type(component), others=False)
        count = points if usual else max(1, points // _FEWER)
        config = component.to_config()
        found += [Job(component.kind, config, dtype, count, seed, peers) for dtype in DTYPES]
    return found


def run(
    todo: Sequence[Job],
    plugins: Plugins,
    *,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[ComponentAccuracy]:
    """Yield the accuracy of each job, in their order.

    Parameters
    ----------
    todo : sequence of Job
    plugins : Plugins
        Where the components come from.
    processes : int, optional
        How many to use; as many as there are cores unless given.
    progress : callable, optional
        Told how many jobs are done, and how many there are.
    """
    count = min(processes or os.cpu_count() or 1, len(todo))
    tell = progress or (lambda done, total: None)
    if count <= 1:
        for done, job in enumerate(todo, start=1):
            found = job.run(plugins)
            tell(done, len(todo))
            yield found
        return
    # Not forked: a copy of a process with threads may wait for one of them for ever.
    context = multiprocessing.get_context("spawn")
    # Its end ends the processes, whatever they are at.
    with context.Pool(count, initializer=_leave_interrupts) as pool:
        measured = pool.imap(functools.partial(_run, plugins), todo)
        for done, found in enumerate(measured, start=1):
            tell(done, len(todo))
            yield found


def _leave_interrupts() -> None:
    """Let whoever started this process answer Ctrl-C, which reaches all of them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(plugins: Plugins, job: Job) -> ComponentAccuracy:
    return job.run(plugins)
