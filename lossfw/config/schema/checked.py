"""CheckedConfig: the record of a configuration on its way from a file to a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from lossfw.components.component import Component
from lossfw.components.registry import Entry, Registry
from lossfw.config.schema.messages import split_hint
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.config.schema.sections import NetworkSection, RootSection
from lossfw.config.text.source import ConfigSource, read_tree
from lossfw.config.text.tree import Node, Problems
from lossfw.data import Dataset, Source
from lossfw.data.data_record import DataRecord
from lossfw.data.options import DataOptions
from lossfw.errors import ArgumentError, DataError, ParameterError, UnknownNameError
from lossfw.evaluation.baseline import Baseline
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.predictor import BlockPredictor
from lossfw.evaluation.slices import Slice
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.metrics import Metric
from lossfw.models import Model
from lossfw.nn.activation import Activation
from lossfw.nn.dense import LayerSpec
from lossfw.nn.initializers import Initializer
from lossfw.nn.optimizer import Optimizer
from lossfw.nn.schedules import Schedule
from lossfw.numerics.arrays import NDArray

ConfigPath: TypeAlias = Sequence[str | int]

_Field = TypeVar("_Field")


@dataclass(frozen=True)
class DataSpec:
    """The rows at a path of a configuration: their source, and the keys next to it."""

    path: ConfigPath
    # None if there is none, or if it is wrong.
    source: Source | None = None
    options: DataOptions = field(default_factory=DataOptions)

    @property
    def divisor(self) -> float:
        """The divisor of the inputs, 1 for none.

        A source may have its own parameter `scale` instead of the key.
        """
        own = getattr(self.source, "scale", None)
        has_own = self.source is not None and "scale" in type(self.source).model_fields
        scale = own if has_own and own is not None else self.options.scale
        return float(scale) if isinstance(scale, int | float) else 1.0


@dataclass
class CheckedConfig:
    """A configuration and everything known about it.

    It starts with only its tree. Each stage fills fields from earlier ones, and adds mistakes
    to `problems`; a field, or an item of a tuple, is None if its part of the configuration is
    missing or wrong.
    """

    # Where it comes from.
    source: ConfigSource
    # Its tree, overrides included.
    root: Node
    # Every mistake so far.
    problems: Problems = field(default_factory=Problems)
    # Its sections and keys, if all of them are right.
    sections: RootSection | None = None
    # The section `network`, also where another one is wrong.
    network_section: NetworkSection | None = None
    # Knows the components, those of its own plugins included.
    registry: Registry | None = None
    # Where the rows come from and what becomes of them, and the same of those held out.
    data_spec: DataSpec = DataSpec(("data",))
    held_out_spec: DataSpec = DataSpec(("train", "hold_out", "data"))
    # As it is configured.
    loss: Loss | None = None
    # In order; `study_activations` are activations that a study puts in place of the hidden ones.
    activations: tuple[Activation | None, ...] = ()
    metrics: tuple[Metric | None, ...] = ()
    study_activations: tuple[Activation | None, ...] = ()
    # The components in the section `train`.
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    initializer: Initializer | None = None
    # Where its components come from.
    entries: list[Entry] = field(default_factory=list)
    # The absolute names of the files that it names, by path; without those that come with
    # a plugin.
    files: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    # The components by path, those inside others too.
    made: dict[tuple[str | int, ...], Component] = field(default_factory=dict)
    # The rows.
    data: Dataset | None = None
    held_out: Dataset | None = None
    # How many rows their source has, before a filter.
    total_rows: int = 0
    # With folds, the numbers of the rows among the data that are held out.
    held_out_rows: NDArray | None = None
    # With periods of time, a filter of the rows that any of the folds holds out.
    held_out_filter: str = ""
    # What the key `model` names.
    model: Model | None = None
    # What makes the predictions, where they are not saved; a `Network` of dense layers.
    predictor: BlockPredictor | None = None
    # Where the outputs of a row come from; None while it is not known.
    origin: OutputOrigin | None = None
    # Saved outputs in place of a network.
    outputs: NDArray | None = None
    # In the form in which it is computed: on logits where it was fused with the last
    # activation.
    used_loss: Loss | None = None
    # The form of the input of `used_loss`.
    loss_form: Form | None = None
    # The numbers of the rows that were drawn.
    sample: tuple[int, ...] | None = None
    # How sure the numbers are to be.
    intervals: Intervals | None = None
    # What its intervals take as independent.
    units: Units | None = None
    # What the model is compared with.
    baseline: Baseline | None = None
    # Parts of the rows.
    slices: tuple[Slice, ...] = ()
    # What came with the weights of the data of their training.
    recorded: DataRecord = field(default_factory=DataRecord)
    # Not mistakes, and still not what the user expects.
    notes: list[str] = field(default_factory=list)

    @property
    def layers(self) -> list[LayerSpec] | None:
        """The layers of the network; None if one is wrong or there are none."""
        known = [activation for activation in self.activations if activation is not None]
        if self.network_section is None or self.network_section.layers is None:
            return None
        if len(known) < len(self.network_section.layers):
            return None
        layers = zip(self.network_section.layers, known, strict=True)
        return [LayerSpec(layer.units, activation) for layer, activation in layers]

    @property
    def output_columns(self) -> int | None:
        """The number of outputs per row, saved or of the last layer, if known."""
        if self.origin is not None and self.origin.units is not None:
            return self.origin.units
        outputs = self.outputs
        return int(outputs.shape[1]) if outputs is not None and outputs.ndim == 2 else None

    def has_value(self, *path: str) -> bool:
        """Tell whether there is a value, other than null, at a path."""
        node = self.root.find(path)
        return node is not None and node.value is not None

    @property
    def has_trained_model(self) -> bool:
        """Tell whether it names a trained model, so that there is something to evaluate."""
        paths = (("network", "weights"), ("model", "file"), ("model", "folder"))
        return any(self.has_value(*path) for path in paths)

    @property
    def trained_subject(self) -> str:
        """How a message begins that says what a training had."""
        return "the weights were" if self.model is None else "the model was"

    def add(
        self,
        path: ConfigPath,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        unchecked: bool = False,
    ) -> None:
        """Record a mistake at a path; see `Node.locate`.

        If an override inside a value is wrong, the place is the override.
        """
        at = self.root.locate(path, key=key)
        node = self.root.find(path)
        if at.origin.numbered and node is not None:
            at = node.override_position() or at
        self.problems.add(at, message, hint, unchecked=unchecked)

    @contextmanager
    def errors_at(self, path: ConfigPath, hint: str = "") -> Iterator[None]:
        """Record a user error in the ``with`` block as a mistake at a path."""
        try:
            yield
        except (ArgumentError, DataError, ParameterError, UnknownNameError) as error:
            what, guess = split_hint(str(error).removesuffix("."))
            self.add(path, what, guess or hint)


def read_config(source: ConfigSource) -> CheckedConfig:
    """Read a configuration, without checking it."""
    problems = Problems()
    return CheckedConfig(source, read_tree(source, problems), problems)


def require(value: _Field | None) -> _Field:
    """Return a field that is filled unless there was a mistake."""
    assert value is not None
    return value
