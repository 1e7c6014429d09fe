"""Stopwatch: the seconds of each stage of a run."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

_Item = TypeVar("_Item")


class Stopwatch:
    """Seconds by stage.

    Attributes
    ----------
    seconds : dict of str to float
        In the order in which the stages first ended.

    Examples
    --------
    >>> clock = Stopwatch()
    >>> with clock.stage("loss"):
    ...     pass
    >>> list(clock.seconds)
    ['loss']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the time inside the ``with`` block."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - begin

    def time_items(
        self, name: str, items: Iterator[_Item], *, except_stage: str | None = None
    ) -> Iterator[_Item]:
        """Yield the items, and measure the time to make them, without that of `except_stage`."""
        while True:
            begin, before = time.perf_counter(), self._seconds_spent(except_stage)
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                within = self._seconds_spent(except_stage) - before
                self.seconds[name] += time.perf_counter() - begin - within
            yield item

    def _seconds_spent(self, stage: str | None) -> float:
        return 0.0 if stage is None else self.seconds.get(stage, 0.0)
