"""The state of an evaluation after some rows.

States of different rows of one plan merge in any order and any tree, to the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossfw.data.state_file import SavedState
from lossfw.errors import ArgumentError
from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.diagnostics import Diagnostics
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.stopwatch import Stopwatch
from lossfw.losses.engine.exact_sum import ExactSum
from lossfw.losses.engine.packing import pack_parts, unpack_part
from lossfw.losses.engine.row_ranges import RowRanges

# Version of a packed state.
STATE_VERSION = 4


@dataclass
class EvaluationState:
    """The state of an evaluation of some rows."""

    # Partials of the loss and the metrics.
    accumulator: Accumulator
    # Counts of rows that deserve a warning.
    diagnostics: Diagnostics
    # Seconds by stage, of all computations together.
    clock: Stopwatch
    # The rows that were seen.
    seen: RowRanges = field(default_factory=RowRanges)
    # Total sample weight of the rows seen.
    weight: ExactSum = field(default_factory=ExactSum)

    @classmethod
    def of(cls, plan: Plan, *, rows: bool = False) -> EvaluationState:
        """Return the state of a plan before its first row; `rows` asks for the loss of each row."""
        clock = Stopwatch()
        accumulator = Accumulator(
            plan.loss,
            plan.all_metrics,
            intervals=plan.interval_options,
            slices=plan.slices,
            rows=rows,
            independent=plan.sample is None or len({*plan.sample}) == len(plan.sample),
            alike=plan.watched,
            clock=clock,
            columns=plan.data.columns,
            classes=plan.data.classes,
        )
        return cls(accumulator, Diagnostics(plan.loss), clock)

    def add(self, rows: PredictedBatch) -> PredictedBatch:
        """Add some rows, and return them with their losses; see `Accumulator`."""
        count = len(rows.targets)
        self.seen = self.seen.merge(RowRanges.single(rows.start, rows.start + count))
        rows = self.accumulator.add(rows)
        self.diagnostics.count(rows)
        weight = rows.sample_weight
        total = float(count if weight is None else weight.sum(dtype=np.float64))
        self.weight = self.weight.add([total])
        return rows

    def merge(self, other: EvaluationState) -> None:
        """Add the rows of another state of the same plan."""
        self.seen = self.seen.merge(other.seen)
        self.accumulator.merge(other.accumulator)
        self.diagnostics.merge(other.diagnostics)
        self.weight = self.weight.merge(other.weight)
        self._add_seconds(other.clock.seconds)

    def pack(self) -> SavedState:
        """Return everything as plain values and arrays of numbers, for `unpack`."""
        header = {
            "version": STATE_VERSION,
            "seen": self.seen.pack().tolist(),
            "diagnostics": self.diagnostics.pack(),
            "seconds": self.clock.seconds,
        }
        return SavedState(header, pack_parts(accumulator=self.accumulator, weight=self.weight))

    def unpack(self, saved: SavedState) -> None:
        """Continue from a packed state; this one must be empty."""
        if saved.header["version"] != STATE_VERSION:
            raise ArgumentError(
                f"the state of an evaluation has version {saved.header['version']}, but this "
                f"lossfw reads {STATE_VERSION}."
            )
        self.accumulator.unpack(unpack_part("accumulator", saved.arrays))
        self.diagnostics.unpack(saved.header["diagnostics"])
        self.weight = ExactSum.unpack(unpack_part("weight", saved.arrays))
        self.seen = RowRanges.unpack(np.array(saved.header["seen"], np.int64).reshape(-1, 2))
        self._add_seconds(saved.header["seconds"])

    def _add_seconds(self, seconds: Mapping[str, Any]) -> None:
        for stage, spent in seconds.items():
            self.clock.seconds[stage] += spent
