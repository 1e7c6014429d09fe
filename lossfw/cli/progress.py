"""A progress bar on a terminal, for runs that take more than a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

# Below this a bar would only flicker.
PATIENCE_SECONDS = 1.0


class ProgressBar:
    """Shows how many rows are done, on standard error if that is a terminal.

    Use it as a context manager, and call it with the number of rows done and of all rows.
    """

    def __init__(self, title: str = "rows") -> None:
        self._what = title
        self._watched = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @contextmanager
    def hide_bar(self) -> Iterator[None]:
        """Hide the bar while something else is printed."""
        if self._bar is not None:
            self._bar.stop()
        try:
            yield
        finally:
            if self._bar is not None:
                self._bar.start()

    def __call__(self, done: int, total: int, stage: str = "") -> None:
        """Show the number of rows done, and the present stage."""
        if not self._watched or time.monotonic() - self._begun < PATIENCE_SECONDS:
            return
        if self._bar is None:
            self._bar = _new_bar(self._what, total)
        self._bar.update(self._bar.task_ids[0], completed=done, description=stage or self._what)


def _new_bar(title: str, total: int) -> Any:
    # rich takes a twentieth of a second to import: on use only.
    from rich.console import Console
    from rich.progress import Progress as Bar

    # What is printed to standard output stays there: it may be a file.
    bar = Bar(console=Console(stderr=True), transient=True, redirect_stdout=False)
    bar.add_task(title, total=total)
    bar.start()
    return bar
