"""Diagnostics of an evaluation: rows that deserve a warning beside the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lossfw.data.validation import is_finite
from lossfw.evaluation.batching import PredictedBatch
from lossfw.losses.capabilities import guard_of
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# A warning names no more rows than these.
NAMED_ROWS = 5


class Diagnostics:
    """Counts of rows that deserve a warning; a loss with a guard has it watched."""

    def __init__(self, loss: Loss) -> None:
        # Without a guard only 0 itself stands out.
        self._guard: str | None
        self._guard, self._delta = guard_of(loss) or (None, 0.0)
        self._by_row = loss.takes_rows
        self._guarded = self._probabilities = self._weightless = self._nonfinite = 0
        self._first_nonfinite: int | None = None
        # The first rows whose loss is NaN: those that a warning names, and one more.
        self.nan_rows: tuple[int, ...] = ()

    def pack(self) -> dict[str, Any]:
        """Return counts and rows so far; `unpack` takes them back."""
        return {
            "guarded": self._guarded,
            "probabilities": self._probabilities,
            "weightless": self._weightless,
            "nonfinite": self._nonfinite,
            "first_nonfinite": self._first_nonfinite,
            "nan_rows": list(self.nan_rows),
        }

    def unpack(self, counts: Mapping[str, Any]) -> None:
        """Go on from these counts and rows."""
        self._guarded, self._probabilities, self._weightless, self._nonfinite = (
            int(counts[name] or 0)
            for name in ("guarded", "probabilities", "weightless", "nonfinite")
        )
        self._first_nonfinite = counts["first_nonfinite"]
        self._keep_nan_rows(map(int, counts["nan_rows"]))

    def merge(self, other: Diagnostics) -> None:
        """Add the counts of other rows."""
        self._guarded += other._guarded
        self._probabilities += other._probabilities
        self._weightless += other._weightless
        self._nonfinite += other._nonfinite
        firsts = (self._first_nonfinite, other._first_nonfinite)
        self._first_nonfinite = min((row for row in firsts if row is not None), default=None)
        self._keep_nan_rows(other.nan_rows)

    def see(self, rows: PredictedBatch) -> None:
        """Look at some rows, and at their losses where they have some."""
        y, t = rows.loss_input, rows.targets
        if rows.sample_weight is not None and rows.sample_weight.ndim == 1:
            counts = rows.sample_weight != 0
            self._weightless += len(counts) - int(np.count_nonzero(counts))
            y, t = y[counts], t[counts]
        if self._guard is not None:
            p = target_probabilities(y, t, by_row=self._by_row)
            self._probabilities += p.size
            below = p <= 0 if self._guard == "none" else p < self._delta
            self._guarded += int(np.count_nonzero(below))
        if not is_finite(rows.loss_input):
            self._see_nonfinite(rows)
        if rows.losses is not None and rows.weights is not None:
            # A row without weight has no loss.
            nan = np.flatnonzero(np.isnan(rows.losses) & (rows.weights > 0))
            self._keep_nan_rows((rows.start + nan[: NAMED_ROWS + 1]).tolist())

    def _keep_nan_rows(self, more: Iterable[int]) -> None:
        self.nan_rows = tuple(sorted({*self.nan_rows, *more})[: NAMED_ROWS + 1])

    def _see_nonfinite(self, rows: PredictedBatch) -> None:
        axes = tuple(range(1, rows.loss_input.ndim))
        nonfinite = np.flatnonzero(~np.isfinite(rows.loss_input).all(axis=axes))
        self._nonfinite += len(nonfinite)
        first = rows.start + int(nonfinite[0])
        if self._first_nonfinite is None or first < self._first_nonfinite:
            self._first_nonfinite = first

    def texts(self, rows: int, masked: int) -> tuple[str, ...]:
        """Return the warnings about rows in all, of whose losses a mask leaves some out."""
        texts = []
        if self._nonfinite:
            texts.append(
                f"{self._nonfinite} of {rows} rows have an infinite or NaN prediction or logit, "
                f"the first is row {self._first_nonfinite}."
            )
        if self._guarded:
            texts.append(self._guard_text())
        if self._weightless:
            texts.append(f"{self._weightless} of {rows} rows have weight 0 and do not count.")
        if masked:
            what = (
                "1 loss is masked and does" if masked == 1 else f"{masked} losses are masked and do"
            )
            texts.append(f"{what} not count.")
        return tuple(texts)

    def _guard_text(self) -> str:
        share = f"{self._guarded} of {self._probabilities} target probabilities are"
        if self._guard == "none":
            return f"{share} 0, where the loss without a guard is infinite."
        return (
            f"{share} below delta = {self._delta:g}, where the {self._guard} guard decides the "
            "loss."
        )


def nan_warning(rows: Sequence[int]) -> str:
    """Return the warning about a loss that is NaN, with the first rows whose loss is.

    Examples
    --------
    >>> nan_warning([3])
    'The loss is NaN, since that of row 3 is.'
    """
    if not rows:
        return "The loss is NaN, and that of no row is: infinite losses of both signs were added."
    if len(rows) == 1:
        return f"The loss is NaN, since that of row {rows[0]} is."
    shown = ", ".join(map(str, rows[:NAMED_ROWS]))
    more = " and more" if len(rows) > NAMED_ROWS else ""
    return f"The loss is NaN, since that of rows {shown}{more} is."


def target_probabilities(y: NDArray, t: NDArray, *, by_row: bool) -> NDArray:
    """Return the probabilities that the targets select, in one dimension.

    The targets are class indices, distributions, or for elements numbers in [0, 1]; `by_row`, the
    last axis of `y` is one row.

    Examples
    --------
    >>> y = np.array([[0.9, 0.1], [0.4, 0.6]])
    >>> target_probabilities(y, np.array([0, 1]), by_row=True).tolist()
    [0.9, 0.6]
    """
    if not by_row:
        return np.concatenate([y[t > 0], 1 - y[t < 1]])
    if t.ndim < y.ndim:
        picked: NDArray = np.take_along_axis(y, t[..., np.newaxis].astype(np.intp), -1)
        return picked.reshape(-1)
    return y[t > 0]
