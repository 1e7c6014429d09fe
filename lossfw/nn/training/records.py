"""Records of a training: what it is to do, where it stands, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from lossfw.data import Dataset
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.metrics import Metric
from lossfw.nn.dense import Network
from lossfw.nn.optimizer import Memory, Optimizer
from lossfw.nn.schedules import Constant, Schedule

Stop: TypeAlias = Literal["epochs", "patience"]

# Version of the JSON object that `Trained.to_dict` gives.
TRAINED_VERSION = 1


@dataclass(frozen=True, eq=False)
class Training:
    """What is to be learnt: checked, with nothing computed.

    Attributes
    ----------
    data : Dataset
        The rows to learn from.
    network : Network
        What to start from.
    loss : Loss
        What to learn from, in the form that `form` says.
    form : {"prediction", "logits"}
        What reaches the loss.
    optimizer : Optimizer
        How gradients move weights.
    epochs : int
        How often every row is seen.
    batch_size : int
        Rows in one step; in the last step of an epoch there may be fewer.
    seed : int
        Decides the order of the rows.
    schedule : Schedule
        How the learning rate changes.
    held_out : Dataset or None
        Rows that are reported and not learnt from.
    patience : int or None
        Stop once the loss of the held-out rows has not improved for so many
        epochs, and keep the weights with which it was best.
    metrics : tuple of Metric
        Reported after each epoch.
    identity : mapping of str to str
        What decides the result, each part by its digest.
    digest : str
        All of that in one word.
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
    patience: int | None = None
    metrics: tuple[Metric, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def steps(self) -> int:
        """Steps in one epoch."""
        return -(-len(self.data) // self.batch_size)


@dataclass(frozen=True)
class Measured:
    """A loss and metrics of some rows.

    Attributes
    ----------
    loss : float
        The mean.
    metrics : mapping of str to float or list
        By name.
    """

    loss: float
    metrics: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {"loss": self.loss, "metrics": dict(self.metrics)}


@dataclass(frozen=True)
class Epoch:
    """What a network is worth after an epoch.

    Attributes
    ----------
    number : int
        0 for the network before any step.
    rate : float
        The learning rate of the epoch's last step; 0 where there was none.
    largest : float
        The largest weight or bias, by its absolute value.
    learnt : Measured
        Of the rows that are learnt from.
    held_out : Measured or None
        Of the rows that are held out.
    """

    number: int
    rate: float
    largest: float
    learnt: Measured
    held_out: Measured | None

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
        """Return what `to_dict` was made of."""
        held = plain["held_out"]
        return cls(
            plain["epoch"],
            plain["rate"],
            plain["largest_weight"],
            Measured(**plain["learnt"]),
            None if held is None else Measured(**held),
        )


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Where a training stands between two epochs; all that is needed to go on.

    Attributes
    ----------
    network : Network
        As it is now.
    memory : tuple of (Memory, Memory)
        What the optimizer remembers of each layer's weight and bias.
    history : tuple of Epoch
        From epoch 0 on.
    best : Network or None
        That of the epoch whose held-out loss is least, where patience watches.
    best_epoch : int
        Its number; 0 where nothing watches.
    """

    network: Network
    memory: tuple[tuple[Memory, Memory], ...]
    history: tuple[Epoch, ...]
    best: Network | None = None
    best_epoch: int = 0

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return self.history[-1].number


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a training.

    Attributes
    ----------
    network : Network
        With the weights that it ended with, or with the best where patience watched.
    history : tuple of Epoch
        From epoch 0 on.
    kept : int
        Number of the epoch that the weights are from.
    stopped : {"epochs", "patience"}
        What ended it.
    moved : tuple of float
        For each layer the largest change of a weight or bias since the start.
    loss_name, loss_text : str
        Canonical name of the loss; the loss with its parameters.
    form : {"prediction", "logits"}
        What reached it.
    digest : str
        That of the training.
    """

    network: Network
    history: tuple[Epoch, ...]
    kept: int
    stopped: Stop
    moved: tuple[float, ...]
    loss_name: str
    loss_text: str
    form: Form
    digest: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as it is written to JSON: plain numbers, texts and lists."""
        return {
            "lossfw": TRAINED_VERSION,
            "loss": {"name": self.loss_name, "form": self.form},
            "epochs": [epoch.to_dict() for epoch in self.history],
            "kept": self.kept,
            "stopped": self.stopped,
            "moved": list(self.moved),
            "digest": self.digest,
        }
