"""Records of a training: its options, its state and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from lossfw.components import notebook
from lossfw.data import Dataset
from lossfw.data.data_record import DataRecord
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.metrics import Metric
from lossfw.nn.dense import Network
from lossfw.nn.optimizer import Optimizer, OptimizerState
from lossfw.nn.schedules import Constant, Schedule
from lossfw.numerics.arrays import NDArray

Stop: TypeAlias = Literal["epochs", "patience"]

# Version of the JSON object that `TrainingResult.to_dict` gives.
TRAINED_VERSION = 1


@dataclass(frozen=True, eq=False)
class Training:
    """A training before it runs, checked.

    Attributes
    ----------
    data : Dataset
        The training rows.
    network : Network
        The network with initial weights.
    loss : Loss
        The loss to minimise, of the input `form`.
    form : {"prediction", "logits"}
        The input of the loss.
    optimizer : Optimizer
        The rule by which gradients move weights.
    epochs : int
        Number of passes over the data.
    batch_size : int
        Rows of a step; the last step of an epoch may have fewer. A step of whole groups has
        fewer, or one larger group.
    seed : int
        The seed of the order of the rows.
    schedule : Schedule
        The change of the learning rate.
    held_out : Dataset or None
        Rows for evaluation only.
    record : DataRecord
        What later data have to agree with; all changes of the inputs have been made.
    patience : int or None
        Stop when the held-out loss has not improved for so many epochs, and keep the
        weights of the best epoch.
    metrics : tuple of Metric
        Reported after each epoch.
    identity : mapping of str to str
        The causes of the result, each by its digest.
    digest : str
        One digest of `identity`.
    """

    data: Dataset
    network: Network
    loss: Loss
    form: Form
    optimizer: Optimizer
    epochs: int
    batch_size: int = 100
    seed: int = 0
    schedule: Schedule = field(default_factory=Constant)
    held_out: Dataset | None = None
    record: DataRecord = field(default_factory=DataRecord)
    patience: int | None = None
    metrics: tuple[Metric, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def steps(self) -> int:
        """Steps in one epoch; of whole groups there may be fewer."""
        return -(-len(self.data) // self.batch_size)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the data say of rows that are not there."""
        held_out = () if self.held_out is None else self.held_out.notes
        return tuple(dict.fromkeys((*self.data.notes, *held_out)))


@dataclass(frozen=True)
class Measurement:
    """A loss and metrics of some rows.

    Attributes
    ----------
    loss : float
        The mean.
    metrics : mapping of str to float or list
        By their names.
    """

    loss: float
    metrics: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {"loss": self.loss, "metrics": dict(self.metrics)}


@dataclass(frozen=True)
class Epoch:
    """The measurements after an epoch.

    Attributes
    ----------
    number : int
        0 for the network before any step.
    rate : float
        The learning rate of the epoch's last step; 0 without a step.
    largest : float
        The largest absolute weight or bias.
    learnt : Measured
        Of the training rows.
    held_out : Measured or None
        Of the held-out rows.
    """

    number: int
    rate: float
    largest: float
    learnt: Measurement
    held_out: Measurement | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {
            "epoch": self.number,
            "rate": self.rate,
            "largest_weight": self.largest,
            "learnt": self.learnt.to_dict(),
            "held_out": None if self.held_out is None else self.held_out.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Epoch:
        """Return the epoch from the value of `to_dict`."""
        held = plain["held_out"]
        return cls(
            plain["epoch"],
            plain["rate"],
            plain["largest_weight"],
            Measurement(**plain["learnt"]),
            None if held is None else Measurement(**held),
        )


@dataclass(frozen=True, eq=False)
class TrainingState:
    """The state of a training between two epochs, for resuming."""

    # The current network.
    network: Network
    # The state of the optimizer for each layer's weight and bias.
    memory: tuple[tuple[OptimizerState, OptimizerState], ...]
    # From epoch 0 on.
    history: tuple[Epoch, ...]
    # The network with the least held-out loss, if there is a patience.
    best: Network | None = None
    # Its epoch; 0 without a patience.
    best_epoch: int = 0

    @property
    def epoch(self) -> int:
        """Number of epochs done."""
        return self.history[-1].number


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """The result of a training.

    Attributes
    ----------
    network : Network
        With the last weights, or with a patience the best ones.
    history : tuple of Epoch
        From epoch 0 on.
    kept_epoch : int
        The epoch of the weights.
    stopped : {"epochs", "patience"}
        The reason for the end.
    moved : tuple of float
        The largest change of a weight or bias in each layer.
    loss_name, loss_text : str
        Canonical name of the loss; the loss with its parameters.
    form : {"prediction", "logits"}
        The input of the loss.
    digest : str
        The digest of the training.
    record : DataRecord
        What later data have to agree with.
    """

    network: Network
    history: tuple[Epoch, ...]
    kept_epoch: int
    stopped: Stop
    moved: tuple[float, ...]
    loss_name: str
    loss_text: str
    form: Form
    digest: str = ""
    record: DataRecord = field(default_factory=DataRecord)

    @property
    def kept(self) -> int:
        """The older name of `kept_epoch`, for one more release."""
        return self.kept_epoch

    @property
    def weights(self) -> dict[str, NDArray]:
        """The arrays of ``weights.npz``: those of the layers, and those of `record`."""
        return self.network.named_arrays | self.record.arrays

    def __repr__(self) -> str:
        kept = self.history[self.kept_epoch]
        parts = [self.loss_text, f"epoch {self.kept_epoch} of {self.history[-1].number}"]
        for title, measured in (("", kept.learnt), ("held-out ", kept.held_out)):
            if measured is not None:
                numbers = {"loss": measured.loss, **measured.metrics}
                parts += [
                    f"{title}{name} {_format_metric(value)}" for name, value in numbers.items()
                ]
        return f"TrainingResult({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return the training for a notebook: its learning curve and its last numbers."""
        epochs = [epoch.number for epoch in self.history]
        curves = {"learnt": [epoch.learnt.loss for epoch in self.history]}
        if self.history[0].held_out is not None:
            held_out = [epoch.held_out for epoch in self.history]
            curves["held out"] = [measured.loss for measured in held_out if measured is not None]
        kept = self.history[self.kept_epoch]
        parts = {"learnt": kept.learnt, "held out": kept.held_out}
        rows = [
            (title, notebook.number(measured.loss), *map(_format_metric, measured.metrics.values()))
            for title, measured in parts.items()
            if measured is not None
        ]
        return "".join(
            (
                notebook.heading(f"{self.loss_text}: the weights of epoch {self.kept_epoch}"),
                notebook.lines(epochs, curves, "epoch"),
                notebook.table(rows, ("rows", "loss", *kept.learnt.metrics)),
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain numbers, texts and lists, for JSON."""
        return {
            "lossfw": TRAINED_VERSION,
            "loss": {"name": self.loss_name, "form": self.form},
            "epochs": [epoch.to_dict() for epoch in self.history],
            "kept": self.kept_epoch,
            "stopped": self.stopped,
            "moved": list(self.moved),
            "digest": self.digest,
        }


def _format_metric(value: Any) -> str:
    """Return a metric as text; of a list how many numbers it has."""
    return f"{len(value)} numbers" if isinstance(value, list) else notebook.number(value)


# The older name, for one more release.
Trained = TrainingResult
