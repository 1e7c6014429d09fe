"""The sections and keys of a configuration, each with its description, checked by pydantic.

Components appear here only as a name with parameters; each component's own class
checks these (`lossfw.config.schema.check_components`). There are no unions, so a
mistake is never reported once for every alternative.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt

from lossfw.config.schema.section_types import (
    MAX_ITEMS,
    MAX_NAME,
    ActivationSpec,
    Axes,
    FileName,
    InitialSpec,
    LossChoice,
    MetricSpec,
    NetworkForm,
    OptimizerSpec,
    OrText,
    OutputsPath,
    RowsChoice,
    ScheduleSpec,
    Section,
    Seed,
    Seeds,
    SliceKey,
    SourceSpec,
    Spec,
    Version,
    named_slice,
)
from lossfw.evaluation.intervals.options import MAX_REPLICATES, MIN_REPLICATES, Method

# Rows are read this many at a time unless the configuration says otherwise:
# a multiple of the network's blocks, small beside any memory.
DEFAULT_BATCH_SIZE = 1024
# Rows in one step of a training unless the configuration says otherwise.
DEFAULT_TRAIN_BATCH = 100
# Points of a study's curve: enough for a smooth picture; and at most.
DEFAULT_POINTS = 401
MAX_POINTS = 1_000_000
# Parameters of each layer that a study moves one by one, unless the configuration says otherwise.
DEFAULT_MOVED = 25
# The drawn row numbers stand in the result, one by one.
MAX_SAMPLE = 10_000_000


class Layer(Section):
    """One dense layer."""

    units: PositiveInt = Field(description="How many numbers come out.")
    activation: ActivationSpec = Field(description="What they go through.")


class NetworkSection(Section):
    """Layers with weights, or saved outputs in place of a network.

    Exactly one of `layers`, `predictions` and `logits` is given, which
    `check_sections` sees to.
    """

    layers: Annotated[list[Layer], Field(min_length=1, max_length=MAX_ITEMS)] | None = Field(
        None, description="The dense layers, from the input on."
    )
    weights: FileName | None = Field(
        None, description="A .npz with W1, b1, W2 ..., relative to this file."
    )
    dtype: Literal["float32", "float64"] | None = Field(
        None, description="float32 or float64; that of the weights unless given."
    )
    predictions: OutputsPath | None = Field(
        None, description="Saved predictions: a file, or rows of numbers."
    )
    logits: OutputsPath | None = Field(
        None, description="Saved logits: a file, or rows of numbers."
    )

    @property
    def form(self) -> NetworkForm:
        """Which of its three forms it has."""
        if self.layers is not None:
            return "layers"
        return "predictions" if self.predictions is not None else "logits"


class Sample(Section):
    """Rows drawn at random."""

    count: Annotated[int, Field(ge=1, le=MAX_SAMPLE)] = Field(description="How many rows.")
    seed: Seed | None = Field(
        None, description="Where the drawing begins; the configuration's seed unless given."
    )
    replace: bool = Field(False, description="Whether a row may be drawn twice.")


class IntervalsSection(Section):
    """Confidence intervals."""

    level: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.95, description="How often the interval is to hold the true number."
    )
    method: Method = Field("jackknife", description="jackknife or bootstrap.")
    replicates: Annotated[int, Field(ge=MIN_REPLICATES, le=MAX_REPLICATES)] = Field(
        1000, description="How often the bootstrap draws."
    )
    seed: Seed | None = Field(
        None,
        description="Where the bootstrap's draws begin; the configuration's seed unless given.",
    )


class SliceSection(Section):
    """Rows told apart by something that each has; `Slice` checks the rest."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] = Field(
        description="What the slice is called in the result."
    )
    by: SliceKey = Field(description="What tells the rows apart.")
    bins: list[float] = Field(
        [], description="The edges between the parts, increasing: [0.5, 0.9] makes three."
    )


NamedSlice = Annotated[SliceSection, BeforeValidator(named_slice), OrText()]


class EvaluateSection(Section):
    """The options of an evaluation."""

    batch_size: PositiveInt = Field(
        DEFAULT_BATCH_SIZE,
        description="Rows that are read at a time. It changes no digit of any number.",
    )
    metrics: Annotated[list[MetricSpec], Field(max_length=MAX_ITEMS)] = Field(
        [], description="What is reported besides the loss: metrics, and losses too."
    )
    sample: Sample | None = Field(
        None, description="Evaluate rows that are drawn at random, not all."
    )
    rows: RowsChoice = Field(
        False,
        description="Write loss, prediction and target of each row beside the result: true (or "
        "jsonl), or parquet.",
    )
    intervals: IntervalsSection | None = Field(
        None, description="Give every number a confidence interval."
    )
    slices: Annotated[list[NamedSlice], Field(max_length=MAX_ITEMS)] = Field(
        [], description="Report every number again for parts of the rows."
    )


class SweepSection(Section):
    """Several runs: each key is the dotted name of what changes, with its values.

    `grid` takes every combination, `zip` the first of each, the second of each
    and so on. Given together, every combination of what they give is a run.
    """

    grid: Axes = Field(
        {}, description="By dotted name, the values of each key: every combination is a run."
    )
    zip: Axes = Field(
        {},
        description="By dotted name, the values of each key: the first of each is a run, and so "
        "on.",
    )
    seeds: Seeds | None = Field(None, description="A number of seeds, or a list of them.")


class HoldOut(Section):
    """Rows that are reported and not learnt from: a share of the data, or data of their own.

    Exactly one of `share` and `data` is given, which `check_sections` sees to.
    """

    share: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="A share of the data, drawn by the seed."
    )
    data: SourceSpec | None = Field(None, description="Data of their own.")
    patience: PositiveInt | None = Field(
        None, description="Stop after so many epochs without a better loss of these rows."
    )


class TrainSection(Section):
    """How the network learns."""

    epochs: PositiveInt = Field(description="How often every row is seen.")
    optimizer: OptimizerSpec = Field(description="What takes the steps.")
    batch_size: PositiveInt = Field(DEFAULT_TRAIN_BATCH, description="Rows in one step.")
    schedule: ScheduleSpec = Field(
        Spec(name="constant"),
        description="A factor on the learning rate that changes as the training goes.",
    )
    initial: InitialSpec = Field(Spec(name="xavier"), description="How the weights begin.")
    hold_out: HoldOut | None = Field(
        None, description="Rows that are reported and not learnt from."
    )
    force: bool = Field(False, description="Train also what cannot learn.")


class SensitivitySection(Section):
    """How the answer of loss and metrics to small changes is studied."""

    parameter: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = Field(
        None, description="The parameter that moves: layers.0.weights[0,0]."
    )
    range: Annotated[list[float], Field(min_length=2, max_length=2)] = Field(
        [-1.0, 1.0], description="How far it goes, to both sides of its value."
    )
    points: Annotated[int, Field(ge=2, le=MAX_POINTS)] = Field(
        DEFAULT_POINTS, description="How many values it takes."
    )
    directions: Annotated[int, Field(ge=0, le=MAX_ITEMS)] = Field(
        0, description="How many random directions the weights move in."
    )
    instead: Annotated[list[ActivationSpec], Field(max_length=MAX_ITEMS)] = Field(
        [], description="Activations to put in the place of the hidden ones."
    )
    sample: Annotated[int, Field(ge=1, le=MAX_SAMPLE)] = Field(
        DEFAULT_MOVED, description="How many parameters of each layer move one by one."
    )


class Skeleton(Section):
    """A whole configuration."""

    lossfw: Version = Field(description="The version of the configuration's keys: 1.")
    extends: FileName | None = Field(
        None,
        description="Another configuration, relative to this file, over which this one is laid. "
        "Mappings merge, lists replace, null takes a key away.",
    )
    seed: Seed = Field(0, description="Where everything random begins.")
    plugins: Annotated[list[FileName], Field(max_length=MAX_ITEMS)] = Field(
        [], description="Files with components of your own, relative to this file."
    )
    data: SourceSpec = Field(description="The rows: a source.")
    network: NetworkSection = Field(
        description="Layers with weights, or saved predictions or logits."
    )
    loss: LossChoice = Field(description="What a prediction costs.")
    evaluate: EvaluateSection = Field(
        EvaluateSection(),
        description="How the evaluation runs, and what it reports besides the loss.",
    )
    train: TrainSection | None = Field(None, description="How `lossfw train` trains the network.")
    sensitivity: SensitivitySection | None = Field(
        None, description="What `lossfw sensitivity` looks at."
    )
    sweep: SweepSection | None = Field(
        None, description="Several runs from one file: grid, zip, seeds."
    )


# Sections by path, list indices left out: for hints about unknown keys.
SECTIONS: Mapping[tuple[str, ...], type[Section]] = {
    (): Skeleton,
    ("evaluate",): EvaluateSection,
    ("evaluate", "sample"): Sample,
    ("evaluate", "intervals"): IntervalsSection,
    ("evaluate", "slices"): SliceSection,
    ("network",): NetworkSection,
    ("network", "layers"): Layer,
    ("train",): TrainSection,
    ("train", "hold_out"): HoldOut,
    ("sensitivity",): SensitivitySection,
    ("sweep",): SweepSection,
}
