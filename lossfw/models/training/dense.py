"""DenseLearner: the layers of a network, as the training loop of all models sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from lossfw.data.data_record import DataRecord
from lossfw.data.state_file import npz_bytes
from lossfw.models.model import TrainingMode
from lossfw.models.training_leg import TrainingLeg
from lossfw.nn.dense import Network
from lossfw.nn.optimizer import Optimizer
from lossfw.nn.schedules import Constant, Schedule
from lossfw.nn.training.advice import DivergenceCheck
from lossfw.nn.training.steps import NetworkState, Steps
from lossfw.version import __version__

WEIGHTS_FILE = "weights.npz"


@dataclass(eq=False)
class DenseLearner:
    """Dense layers that learn from gradients.

    A leg is one epoch, and returns a network with the state of its optimizer.
    """

    name: ClassVar[str] = "dense"
    training_mode: ClassVar[TrainingMode] = "epochs"
    library_version: ClassVar[str] = f"lossfw {__version__}"
    # Of a model; those of layers stand elsewhere.
    parameters: ClassVar[Mapping[str, Any]] = {}

    # With initial weights.
    network: Network
    optimizer: Optimizer
    # Of the order of the rows.
    seed: int = 0
    schedule: Schedule = field(default_factory=Constant)
    # Made in the first epoch of a process.
    _steps: Steps | None = None

    def initial_content(self) -> bytes:
        """Return the network before any step."""
        return NetworkState.initial(self.network, self.optimizer).to_bytes()

    def state(self, content: bytes) -> NetworkState:
        """Return the state that a leg has returned."""
        return NetworkState.from_bytes(content, self.network, self.optimizer)

    def fit(self, leg: TrainingLeg) -> bytes:
        """Train an epoch."""
        assert leg.saved is not None
        if self._steps is None:
            self._steps = Steps(
                leg.data,
                leg.raw_loss,
                leg.form,
                self.optimizer,
                self.schedule,
                leg.total,
                leg.batch_size,
                self.seed,
                DivergenceCheck(leg.loss_before, self.network.layers),
                self.network.dtype,
            )
        state, rate = self._steps.run_epoch(self.state(leg.saved), leg.first + 1, leg.report_rows)
        # The loop measures the network itself.
        leg.report_round(None, None, rate)
        return state.to_bytes()

    def cut(self, content: bytes, epochs: int) -> bytes:
        """Return the network whose state, after so many epochs, is `content`."""
        return content

    def load_predictor(self, content: bytes, card: object = None) -> Network:
        """Return the network that a leg has returned."""
        return self.state(content).network

    def to_weights_file(self, content: bytes, record: DataRecord) -> bytes:
        """Return the weights file, with what later data must match."""
        return npz_bytes(self.state(content).network.named_arrays | record.arrays)

    def largest_changes(self, network: Network) -> tuple[float, ...]:
        """Return the largest change of a weight or bias in each layer."""
        pairs = zip(self.network.layers, network.layers, strict=True)
        return tuple(
            float(max(np.abs(now.weight - then.weight).max(), np.abs(now.bias - then.bias).max()))
            for then, now in pairs
        )
