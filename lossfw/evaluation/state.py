"""The state of a running evaluation: everything that a checkpoint saves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.diagnostics import Diagnostics
from lossfw.evaluation.stopwatch import Stopwatch
from lossfw.losses.engine.exact_sum import ExactSum, below, prefixed
from lossfw.numerics.arrays import NDArray

_PLAIN = "standing"


@dataclass
class EvaluationState:
    """Where an evaluation stands.

    Attributes
    ----------
    tally : Accumulator
        Partials of the loss and the metrics.
    notices : Diagnostics
        What is worth a warning.
    clock : Stopwatch
        Seconds by stage.
    row : int
        How many rows were seen: the number of the next one.
    weight : ExactSum
        Their total sample weight.
    """

    tally: Accumulator
    notices: Diagnostics
    clock: Stopwatch
    row: int = 0
    weight: ExactSum = field(default_factory=ExactSum)

    def add(self, rows: PredictedBatch) -> None:
        """Take some rows into account, which follow on those before."""
        self.tally.add(rows)
        self.notices.see(rows)
        weight = rows.sample_weight
        total = float(len(rows.targets) if weight is None else weight.sum(dtype=np.float64))
        self.weight = self.weight.add([total])
        self.row += len(rows.targets)

    def pack(self) -> dict[str, NDArray]:
        """Return everything as arrays of numbers; `unpack` takes them back."""
        plain = {
            "row": self.row,
            "notices": self.notices.pack(),
            "seconds": self.clock.seconds,
        }
        arrays = prefixed("tally", self.tally.pack()) | prefixed("weight", self.weight.pack())
        return {_PLAIN: np.frombuffer(json.dumps(plain).encode(), np.uint8), **arrays}

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Stand where the evaluation stood that packed these arrays.

        Raises
        ------
        ValueError, TypeError, LookupError
            If they were not packed by an evaluation of the same plan.
        """
        plain = json.loads(arrays[_PLAIN].tobytes())
        self.tally.unpack(below("tally", arrays))
        self.notices.unpack(plain["notices"])
        self.weight = ExactSum.unpack(below("weight", arrays))
        self.row = int(plain["row"])
        for stage, seconds in plain["seconds"].items():
            self.clock.seconds[stage] += seconds
