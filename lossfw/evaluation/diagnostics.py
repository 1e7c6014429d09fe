"""Diagnostics of an evaluation: rows that deserve a warning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lossfw.data.validation import is_finite
from lossfw.evaluation.batching import PredictedBatch
from lossfw.losses.capabilities import guard_of
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# A warning names no more rows than these.
NAMED_ROWS = 5


@dataclass(frozen=True)
class _Counts:
    """Rows that deserve a warning, among those seen so far."""

    guarded: int = 0
    probabilities: int = 0
    weightless: int = 0
    nonfinite: int = 0
    first_nonfinite: int | None = None
    # The first rows whose loss is NaN: those for the warning, and one more.
    nan_rows: tuple[int, ...] = ()

    def __add__(self, other: _Counts) -> _Counts:
        firsts = (self.first_nonfinite, other.first_nonfinite)
        return _Counts(
            self.guarded + other.guarded,
            self.probabilities + other.probabilities,
            self.weightless + other.weightless,
            self.nonfinite + other.nonfinite,
            min((row for row in firsts if row is not None), default=None),
            tuple(sorted({*self.nan_rows, *other.nan_rows})[: NAMED_ROWS + 1]),
        )


class Diagnostics:
    """Counts of rows that deserve a warning, such as those that a guard changes."""

    def __init__(self, loss: Loss) -> None:
        # Without a guard only 0 itself stands out.
        self._guard: str | None
        self._guard, self._delta = guard_of(loss) or (None, 0.0)
        self._by_row = loss.takes_rows
        self._counts = _Counts()

    @property
    def nan_rows(self) -> tuple[int, ...]:
        """The first rows whose loss is NaN: those for the warning, and one more."""
        return self._counts.nan_rows

    def pack(self) -> dict[str, Any]:
        """Return counts and rows so far, for `unpack`."""
        return {**asdict(self._counts), "nan_rows": list(self.nan_rows)}

    def unpack(self, counts: Mapping[str, Any]) -> None:
        """Continue from these counts and rows."""
        self._counts = _Counts(**{**counts, "nan_rows": tuple(map(int, counts["nan_rows"]))})

    def merge(self, other: Diagnostics) -> None:
        """Add the counts of other rows."""
        self._counts += other._counts

    def count(self, rows: PredictedBatch) -> None:
        """Check some rows, and their losses if given."""
        y, t = rows.loss_input, rows.targets
        if rows.sample_weight is not None and rows.sample_weight.ndim == 1:
            counts = rows.sample_weight != 0
            self._counts += _Counts(weightless=len(counts) - int(np.count_nonzero(counts)))
            y, t = y[counts], t[counts]
        if self._guard is not None:
            p = target_probabilities(y, t, by_row=self._by_row)
            below = p <= 0 if self._guard == "none" else p < self._delta
            self._counts += _Counts(int(np.count_nonzero(below)), p.size)
        if not is_finite(rows.loss_input):
            axes = tuple(range(1, rows.loss_input.ndim))
            nonfinite = np.flatnonzero(~np.isfinite(rows.loss_input).all(axis=axes))
            first = rows.start + int(nonfinite[0])
            self._counts += _Counts(nonfinite=len(nonfinite), first_nonfinite=first)
        if rows.losses is not None and rows.weights is not None:
            # A row without weight has no loss.
            nan = np.flatnonzero(np.isnan(rows.losses) & (rows.weights > 0))[: NAMED_ROWS + 1]
            if len(rows.losses) < len(rows.targets):
                nan = rows.group_begins[nan]
            self._counts += _Counts(nan_rows=tuple((rows.start + nan).tolist()))

    def warnings(self, rows: int, masked: int) -> tuple[str, ...]:
        """Return the warnings, for a number of rows and of masked losses."""
        counts, texts = self._counts, []
        if counts.nonfinite:
            texts.append(
                f"{counts.nonfinite} of {rows} rows have an infinite or NaN prediction or logit, "
                f"the first is row {counts.first_nonfinite}."
            )
        if counts.guarded:
            share = f"{counts.guarded} of {counts.probabilities} target probabilities are"
            texts.append(
                f"{share} 0, where the loss without a guard is infinite."
                if self._guard == "none"
                else f"{share} below delta = {self._delta:g}, where the {self._guard} guard "
                "decides the loss."
            )
        if counts.weightless:
            texts.append(f"{counts.weightless} of {rows} rows have weight 0 and do not count.")
        if masked:
            losses = "1 loss is masked and does"
            if masked > 1:
                losses = f"{masked} losses are masked and do"
            texts.append(f"{losses} not count.")
        return tuple(texts)


def nan_warning(rows: Sequence[int]) -> str:
    """Return the warning about a loss that is NaN, with the first rows that cause it.

    Examples
    --------
    >>> nan_warning([3])
    'The loss is NaN because of row 3.'
    """
    if not rows:
        return (
            "The loss is NaN, but no row has a NaN loss: infinite losses of both signs were added."
        )
    if len(rows) == 1:
        return f"The loss is NaN because of row {rows[0]}."
    shown = ", ".join(map(str, rows[:NAMED_ROWS]))
    more = " and more" if len(rows) > NAMED_ROWS else ""
    return f"The loss is NaN because of rows {shown}{more}."


def target_probabilities(y: NDArray, t: NDArray, *, by_row: bool) -> NDArray:
    """Return the predicted probabilities of the targets, in one dimension.

    The targets are class indices, distributions, or for elements numbers in [0, 1]; with
    `by_row`, the last axis of `y` is one row.

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
