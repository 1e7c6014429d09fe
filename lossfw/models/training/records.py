"""Records of a training: options, state and result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from lossfw.components import notebook
from lossfw.data import Dataset
from lossfw.data.data_record import DataRecord
from lossfw.errors import ArgumentError
from lossfw.evaluation.baseline import baseline_loss
from lossfw.evaluation.predictor import BlockPredictor, one_blas_thread
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.metrics import Metric
from lossfw.models.card import Card, sha256
from lossfw.models.model import Model, TrainingMode
from lossfw.models.training.baseline import measure_baseline, training_constant
from lossfw.models.training.dense import DenseLearner
from lossfw.nn.activation import Activation
from lossfw.nn.dense import Network
from lossfw.nn.optimizer import Optimizer
from lossfw.nn.schedules import Constant, Schedule
from lossfw.numerics.arrays import NDArray

# All rounds, epochs or the one step were done; the held-out loss improved no more; or the model
# found nothing more to add.
Stop: TypeAlias = Literal["rounds", "epochs", "once", "patience", "model"]

Word: TypeAlias = Literal["round", "epoch"]

# Version of the JSON object that `TrainingResult.to_dict` gives.
TRAINED_VERSION = 1

# Rounds of a leg: so few that little is lost when a training is stopped, and so many that saving
# the model costs nothing beside them. The result depends on it, as each leg has its own seed.
LEG = 100


@dataclass(frozen=True, eq=False)
class Training:
    """The checked settings of a training, before it runs.

    Attributes
    ----------
    data : Dataset
        The training rows.
    model : Model or DenseLearner
        What learns.
    loss : Loss
        The loss to minimise, in the form that is reported, whose input is `form`.
    form : {"prediction", "logits", "logs", "raw outputs"}
        The input of the loss.
    total : int
        Number of rounds, or of epochs; 1 for a model that is fitted in one step.
    configured : Loss or None
        The configured loss, which takes predictions; by default `loss`.
    output_activation : Activation or None
        Turns raw outputs into predictions; None for layers, which have their own activations.
    units : int
        Number of raw outputs per row.
    batch_size : int
        Number of rows per step; the last step of an
        epoch may have fewer. A step of whole groups has at most as many, or a single larger group.
    seed : int
        Seed of everything random.
    measure_every : int
        lossfw measures every so many rounds, and the
        last one.
    schedule : Schedule
        How the learning rate changes in a model of epochs; layers have their own schedule.
    held_out : Dataset or None
        Rows for evaluation only.
    held_out_rows : ndarray of int, or None
        The numbers of these rows in the data, if they are one of several folds.
    record : DataRecord
        What later data must match; the inputs are already transformed.
    baseline : bool, str or None
        The key ``evaluate.baseline``: True for the best constant, a column, False for none; with
        None the best constant if one is known.
    patience : int or None
        The training stops when the held-out loss has not improved for so many measured rounds, and
        keeps the best one.
    metrics : tuple of Metric
        Metrics reported after each measured round.
    identity : mapping of str to str
        The digest of
        everything that determines the result, by name.
    digest : str
        One digest of `identity`.
    """

    data: Dataset
    model: Model | DenseLearner
    loss: Loss
    form: Form
    total: int
    configured: Loss | None = None
    output_activation: Activation | None = None
    units: int = 1
    batch_size: int = 100
    seed: int = 0
    measure_every: int = 1
    schedule: Schedule = field(default_factory=Constant)
    held_out: Dataset | None = None
    held_out_rows: NDArray | None = None
    # With periods of time, a filter of the rows that any of the folds holds out.
    held_out_filter: str = ""
    record: DataRecord = field(default_factory=DataRecord)
    patience: int | None = None
    metrics: tuple[Metric, ...] = ()
    baseline: bool | str | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def training_mode(self) -> TrainingMode:
        """How the model learns."""
        learns = self.model.training_mode
        assert learns is not None  # checked when the training is built
        return learns

    @property
    def leg(self) -> int:
        """Rounds, or epochs, between two checkpoints."""
        return LEG if self.training_mode == "rounds" else 1

    @property
    def unit_name(self) -> Word:
        """The unit of training: ``"round"`` or ``"epoch"``."""
        return "epoch" if self.training_mode == "epochs" else "round"

    @property
    def network(self) -> Network | None:
        """The network with initial weights, if layers are trained."""
        return self.model.network if isinstance(self.model, DenseLearner) else None

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer, if layers are trained."""
        return self.model.optimizer if isinstance(self.model, DenseLearner) else None

    @cached_property
    def constant(self) -> NDArray | None:
        """The constant prediction of least train loss, if it is known."""
        loss = self.configured or self.loss
        return training_constant(loss, self.form, self.data, self.units, self.baseline)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the data say about rows that were left out."""
        held_out = () if self.held_out is None else self.held_out.notes
        return tuple(dict.fromkeys((*self.data.notes, *held_out)))

    def measures(self, number: int) -> bool:
        """Tell whether a round is measured."""
        return number % self.measure_every == 0 or number == self.total

    def card(self, content: bytes) -> Card:
        """Return the card of a model that was trained."""
        output_activation = None if self.output_activation is None else self.output_activation.name
        shape = None if self.data.inputs is None else self.data.inputs.shape[1:]
        return Card(
            output_activation,
            self.units,
            self.model.library_version,
            sha256(content),
            self.record,
            row_shape=shape,
        )


@dataclass(frozen=True)
class Measurement:
    """Loss and metrics of some rows.

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
    """The measurements after an epoch or a round.

    Attributes
    ----------
    number : int
        0 for the model before the first step, or for the constant of least loss.
    rate : float or None
        The learning rate of the epoch's last step; 0 without a step, None for a model without one.
    largest : float or None
        The largest absolute weight or bias; None for a model of a library.
    train : Measurement
        Of the training rows.
    held_out : Measurement or None
        Of the held-out rows.
    """

    number: int
    rate: float | None
    largest: float | None
    train: Measurement
    held_out: Measurement | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {
            "epoch": self.number,
            "rate": self.rate,
            "largest_weight": self.largest,
            "train": self.train.to_dict(),
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
            Measurement(**plain["train"]),
            None if held is None else Measurement(**held),
        )


@dataclass(frozen=True, eq=False)
class TrainingState:
    """The state of a training between two legs, for resuming."""

    # Rounds, or epochs, that are done.
    done: int
    # The result of the last leg; None before any round of a model that has nothing to begin with.
    content: bytes | None
    # In order, what was measured; mostly from round 0 on.
    history: tuple[Epoch, ...]
    # The file of the model with the least held-out loss, where a leg is an epoch and there is a
    # patience. A model of rounds is cut to its best round.
    best: bytes | None = None
    # Whether the model found nothing more to add.
    complete: bool = False


def best_round_of(history: Sequence[Epoch]) -> Epoch:
    """Return the first round with the least held-out loss; NaN is never the least."""
    best = history[0]
    for epoch in history[1:]:
        if epoch.held_out is not None and best.held_out is not None:
            best = epoch if epoch.held_out.loss < best.held_out.loss else best
    return best


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """The result of a training.

    Attributes
    ----------
    predictor : BlockPredictor
        The trained model: that of the best round with a patience, otherwise of the last round.
    content : bytes
        Its file.
    file : str
        The name of the file: ``"model.ubj"``, ``"weights.npz"``.
    history : tuple of Epoch
        The measurements, usually from round 0 on.
    kept_epoch : int
        The round or epoch of the model.
    stopped : {"rounds", "epochs", "once", "patience", "model"}
        Why the training ended.
    moved : tuple of float
        The largest change of a weight or bias in each layer; empty for a model without layers.
    loss_name, loss_text : str
        Canonical name of the loss; the loss with its parameters.
    form : {"prediction", "logits", "logs", "raw outputs"}
        The input of the loss.
    training_mode : {"rounds", "epochs", "once"}
        How the model learns.
    model : mapping
        The model as a configuration writes it; empty for layers.
    card : Card or None
        The card next to the file; None for layers.
    digest : str
        The digest of the training.
    record : DataRecord
        What later data must match.
    inputs : str
        How many inputs are numbers, and which are
        categories.
    baseline : mapping or None
        The ``name`` of the baseline, and its loss and the skill of the model next to it for the
        rows ``train`` and ``held_out``; None without one.
    """

    predictor: BlockPredictor
    content: bytes
    file: str
    history: tuple[Epoch, ...]
    kept_epoch: int
    stopped: Stop
    loss_name: str
    loss_text: str
    form: Form
    moved: tuple[float, ...] = ()
    training_mode: TrainingMode = "epochs"
    model: Mapping[str, Any] = field(default_factory=dict)
    card: Card | None = None
    digest: str = ""
    record: DataRecord = field(default_factory=DataRecord)
    inputs: str = ""
    baseline: Mapping[str, Any] | None = None

    @classmethod
    def from_training(cls, training: Training, **made: Any) -> TrainingResult:
        """Return the result of a training from its products."""
        kept = next(one for one in made["history"] if one.number == made["kept_epoch"])
        held_out = math.nan if kept.held_out is None else kept.held_out.loss
        parts = {"train": (training.data, kept.train.loss)}
        loss = baseline_loss(training.configured or training.loss, training.form)
        return cls(
            loss_name=training.loss.name,
            loss_text=str(training.loss),
            form=training.form,
            training_mode=training.training_mode,
            digest=training.digest,
            record=training.record,
            inputs=training.data.inputs_text,
            baseline=measure_baseline(
                loss,
                training.baseline,
                training.constant,
                {**parts, "held_out": (training.held_out, held_out)},
            ),
            **made,
        )

    @property
    def unit_name(self) -> Word:
        """The unit of training: ``"round"`` or ``"epoch"``."""
        return "epoch" if self.training_mode == "epochs" else "round"

    @property
    def kept_numbers(self) -> Epoch:
        """The measurements of the model that is kept."""
        return next(epoch for epoch in self.history if epoch.number == self.kept_epoch)

    @property
    def network(self) -> Network:
        """The trained network, for a training of layers."""
        if not isinstance(self.predictor, Network):
            raise ArgumentError(
                f"{self.predictor} is not a lossfw network: use predictor or predict."
            )
        return self.predictor

    def predict(self, inputs: NDArray) -> NDArray:
        """Return the predictions (N, units) of rows of inputs, as an evaluation makes them."""
        model = self.predictor
        model.check_inputs(inputs.shape)
        with one_blas_thread(), model.call_context():
            blocks = [
                model.run_block(inputs[start : start + model.block_rows]).predictions
                for start in range(0, len(inputs), model.block_rows)
            ]
        return np.concatenate(blocks)

    @property
    def weights(self) -> dict[str, NDArray]:
        """The arrays of ``weights.npz``: those of the layers and of `record`."""
        return self.network.named_arrays | self.record.arrays

    def __repr__(self) -> str:
        kept = self.kept_numbers
        parts = [self.loss_text, f"{self.unit_name} {self.kept_epoch} of {self.history[-1].number}"]
        for title, measured in (("", kept.train), ("held-out ", kept.held_out)):
            if measured is not None:
                numbers = {"loss": measured.loss, **measured.metrics}
                parts += [
                    f"{title}{name} {_format_metric(value)}" for name, value in numbers.items()
                ]
        return f"TrainingResult({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return the training for a notebook: its learning curve and its last numbers."""
        epochs = [epoch.number for epoch in self.history]
        curves = {"train": [epoch.train.loss for epoch in self.history]}
        if self.history[0].held_out is not None:
            held_out = [epoch.held_out for epoch in self.history]
            curves["held out"] = [measured.loss for measured in held_out if measured is not None]
        kept = self.kept_numbers
        parts = {"train": kept.train, "held out": kept.held_out}
        rows = [
            (
                title,
                notebook.format_number(measured.loss),
                *map(_format_metric, measured.metrics.values()),
            )
            for title, measured in parts.items()
            if measured is not None
        ]
        what = "weights" if self.card is None else "model"
        return "".join(
            (
                notebook.html_heading(
                    f"{self.loss_text}: the {what} of {self.unit_name} {self.kept_epoch}"
                ),
                notebook.svg_lines(epochs, curves, self.unit_name),
                notebook.html_table(rows, ("rows", "loss", *kept.train.metrics)),
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain numbers, texts and lists, for JSON."""
        model = (
            {"model": dict(self.model), "training_mode": self.training_mode} if self.model else {}
        )
        inputs = {"inputs": self.inputs} if self.inputs else {}
        baseline = {"baseline": dict(self.baseline)} if self.baseline else {}
        return {
            "lossfw": TRAINED_VERSION,
            "loss": {"name": self.loss_name, "form": self.form},
            **model,
            **inputs,
            "epochs": [epoch.to_dict() for epoch in self.history],
            "kept": self.kept_epoch,
            "stopped": self.stopped,
            "moved": list(self.moved),
            **baseline,
            "digest": self.digest,
        }


def _format_metric(value: Any) -> str:
    """Return a metric as text; of a list how many numbers it has."""
    return f"{len(value)} numbers" if isinstance(value, list) else notebook.format_number(value)
