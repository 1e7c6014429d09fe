"""The state of a running evaluation: everything that a checkpoint saves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lossfw.data.state_file import SavedState
from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.diagnostics import Diagnostics
from lossfw.evaluation.stopwatch import Stopwatch
from lossfw.losses.engine.exact_sum import ExactSum, below, prefixed


@dataclass
class EvaluationState:
    """The state of an evaluation between two groups of rows.

    Attributes
    ----------
    accumulator : Accumulator
        Partials of the loss and the metrics.
    diagnostics : Diagnostics
        Counts of rows that deserve a warning.
    clock : Stopwatch
        Seconds by stage.
    row : int
        Number of the next row: as many were seen.
    weight : ExactSum
        Total sample weight of the rows seen.
    """

    accumulator: Accumulator
    diagnostics: Diagnostics
    clock: Stopwatch = field(default_factory=Stopwatch)
    row: int = 0
    weight: ExactSum = field(default_factory=ExactSum)

    def add(self, rows: PredictedBatch) -> PredictedBatch:
        """Take the next rows into account, and return them with their losses; see `Accumulator`."""
        rows = self.accumulator.add(rows)
        self.diagnostics.see(rows)
        weight = rows.sample_weight
        total = float(len(rows.targets) if weight is None else weight.sum(dtype=np.float64))
        self.weight = self.weight.add([total])
        self.row += len(rows.targets)
        return rows

    def pack(self) -> SavedState:
        """Return everything as plain values and arrays of numbers, for `unpack`."""
        header = {
            "row": self.row,
            "diagnostics": self.diagnostics.pack(),
            "seconds": self.clock.seconds,
        }
        sums = prefixed("accumulator", self.accumulator.pack())
        return SavedState(header, sums | prefixed("weight", self.weight.pack()))

    def unpack(self, saved: SavedState) -> None:
        """Go on from the state that was packed.

        Raises
        ------
        ValueError, TypeError, LookupError
            If it was not packed by an evaluation of the same plan.
        """
        self.accumulator.unpack(below("accumulator", saved.arrays))
        self.diagnostics.unpack(saved.header["diagnostics"])
        self.weight = ExactSum.unpack(below("weight", saved.arrays))
        self.row = int(saved.header["row"])
        for stage, seconds in saved.header["seconds"].items():
            self.clock.seconds[stage] += seconds
