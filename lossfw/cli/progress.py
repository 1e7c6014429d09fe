"""A progress bar on a terminal, for runs that take more than a moment."""

from __future__ import annotations

import sys
import time
from typing import Any, Self

# Below this a bar would only flicker.
PATIENCE_SECONDS = 1.0


class ProgressBar:
    """Shows how many rows are done, on standard error if that is a terminal.

    Use it as a context manager; call it with the rows done and the rows in all.
    """

    def __init__(self, what: str = "rows") -> None:
        self._what = what
        self._watched = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int, now: str = "") -> None:
        """Show the number of rows done, and the present stage."""
        if not self._watched or time.monotonic() - self._begun < PATIENCE_SECONDS:
            return
        if self._bar is None:
            self._bar = _new_bar(self._what, total)
        self._bar.update(self._bar.task_ids[0], completed=done, description=now or self._what)


def _new_bar(what: str, total: int) -> Any:
    # rich takes a twentieth of a second to import: on use only.
    from rich.console import Console
    from rich.progress import Progress as Bar

    bar = Bar(console=Console(stderr=True), transient=True)
    bar.add_task(what, total=total)
    bar.start()
    return bar
