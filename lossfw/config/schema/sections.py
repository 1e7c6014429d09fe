"""The sections and keys of a configuration, each with its description, checked by pydantic.

Components appear here only as a name with parameters; each component's own class
checks these (`lossfw.config.schema.check_components`). There are no unions, so a
mistake is never reported once for every alternative.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, FiniteFloat, PositiveInt

from lossfw.config.schema.section_types import (
    MAX_ITEMS,
    MAX_NAME,
    MAX_RUNS,
    ActivationSpec,
    Axes,
    BaselineChoice,
    ColumnKey,
    FileName,
    InitializerSpec,
    LossChoice,
    MetricSpec,
    ModelSpec,
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
    UnitsChoice,
    Version,
    key,
    named_slice,
)
from lossfw.evaluation.intervals.options import MAX_REPLICATES, MIN_REPLICATES, Method
from lossfw.evaluation.slices import DEFAULT_LARGEST

# Rows are read this many at a time unless the configuration says otherwise:
# a multiple of the network's blocks, small beside any memory.
DEFAULT_BATCH_SIZE = 1024
# Rows in one step of a training unless the configuration says otherwise.
DEFAULT_TRAIN_BATCH = 100
# Points of a study's curve: enough for a smooth picture; and at most.
DEFAULT_POINTS = 401
MAX_POINTS = 1_000_000
# A layer of more units has weights that no present machine holds, whatever its inputs.
MAX_UNITS = 2**24
# The drawn row numbers stand in the result, one by one.
MAX_SAMPLE = 10_000_000
# What `repeats` of folds stands for: a sweep over this key.
REPEAT = "train.hold_out.repeat"


class Layer(Section):
    """One dense layer."""

    units: Annotated[PositiveInt, Field(le=MAX_UNITS)] = key("How many numbers come out.")
    activation: ActivationSpec = key("What they go through.")


class NetworkSection(Section):
    """Layers with weights, or saved outputs in place of a network.

    Exactly one of `layers`, `predictions` and `logits` is given, which
    `check_sections` sees to.
    """

    layers: Annotated[list[Layer], Field(min_length=1, max_length=MAX_ITEMS)] | None = key(
        "The dense layers, from the input on.", None
    )
    weights: FileName | None = key("A .npz with W1, b1, W2 ..., relative to this file.", None)
    dtype: Literal["float32", "float64"] | None = key(
        "float32 or float64; that of the weights unless given.", None
    )
    predictions: OutputsPath | None = key("Saved predictions: a file, or rows of numbers.", None)
    logits: OutputsPath | None = key("Saved logits: a file, or rows of numbers.", None)

    @property
    def form(self) -> NetworkForm:
        """Which of its three forms it has."""
        if self.layers is not None:
            return "layers"
        return "predictions" if self.predictions is not None else "logits"


class SampleSection(Section):
    """Rows drawn at random."""

    count: Annotated[int, Field(ge=1, le=MAX_SAMPLE)] = key("How many rows.")
    seed: Seed | None = key(
        "Where the drawing begins; the configuration's seed unless given.", None
    )
    replace: bool = key("Whether a row may be drawn twice.", False)


class IntervalsSection(Section):
    """Confidence intervals."""

    resample: UnitsChoice | None = key(
        "The units, which are independent: rows, groups (those of data.group_key), a column as "
        "column.patient, whose rows with one value belong together, or {time: column.day, blocks: "
        "auto}. Unless given train.hold_out.keep_together, then blocks of train.hold_out.time, "
        "then data.group_key, and then rows.",
        None,
    )
    level: Annotated[float, Field(gt=0, lt=1)] = key(
        "How often the interval is to hold the true number.", 0.95
    )
    method: Method = key("jackknife or bootstrap.", "jackknife")
    replicates: Annotated[int, Field(ge=MIN_REPLICATES, le=MAX_REPLICATES)] = key(
        "How often the bootstrap draws.", 1000
    )
    seed: Seed | None = key(
        "Where the bootstrap's draws begin; the configuration's seed unless given.", None
    )


class SliceSection(Section):
    """Rows told apart by something that each has; `Slice` checks the rest."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] = key(
        "What the slice is called in the result."
    )
    by: SliceKey = key("What tells the rows apart.")
    bins: list[float] = key("The edges between the parts, increasing: [0.5, 0.9] makes three.", [])
    largest: PositiveInt = key(
        "How many texts of a column have a part of their own: those with the most rows.",
        DEFAULT_LARGEST,
    )


NamedSlice = Annotated[SliceSection, BeforeValidator(named_slice), OrText()]


ColumnName = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class EvaluateSection(Section):
    """The options of an evaluation."""

    batch_size: PositiveInt = key(
        "Rows that are read at a time. It changes no digit of any number.", DEFAULT_BATCH_SIZE
    )
    metrics: Annotated[list[MetricSpec], Field(max_length=MAX_ITEMS)] = key(
        "What is reported besides the loss: metrics, and losses too.", []
    )
    sample: SampleSection | None = key("Evaluate rows that are drawn at random, not all.", None)
    save_rows: RowsChoice = key(
        "Write loss, prediction and target of each row beside the result: true (or jsonl), or "
        "parquet, which takes about a quarter of the time and of the disk.",
        False,
    )
    allow_nan: bool = key("Accept a loss that is NaN: the run does not fail.", False)
    baseline: BaselineChoice | None = key(
        "What the model is compared with, as a loss and a skill: true for the constant prediction "
        "of least loss, a column of predictions as column.last_year, or a file of them. Unless "
        "given true for a training, false for a run.",
        None,
    )
    intervals: IntervalsSection | None = key("Give every number a confidence interval.", None)
    slices: Annotated[list[NamedSlice], Field(max_length=MAX_ITEMS)] = key(
        "Report every number again for parts of the rows.", []
    )
    columns: Annotated[list[ColumnName], Field(max_length=MAX_ITEMS)] = key(
        "Columns of the data that stand beside each row in the file of rows and in a report, "
        "besides those of slices.",
        [],
    )


class SweepSection(Section):
    """Several runs: each key is the dotted name of a setting, with its values.

    `grid` takes every combination, `zip` the first of each, the second of each
    and so on. Given together, every combination of what they give is a run.
    """

    grid: Axes = key("By dotted name, the values of each key: every combination is a run.", {})
    zip: Axes = key(
        "By dotted name, the values of each key: the first of each is a run, and so on.", {}
    )
    seeds: Seeds | None = key("A number of seeds, or a list of them.", None)


class HoldOutSection(Section):
    """Rows that are reported and not learnt from: of the data, or data of their own.

    Exactly one of `fraction`, `data` and `folds` is given, which `check_hold_out` sees to.
    """

    fraction: Annotated[float, Field(gt=0, lt=1)] | None = key(
        "A fraction of the data, drawn by the seed.", None
    )
    data: SourceSpec | None = key("Data of their own.", None)
    folds: Annotated[int, Field(ge=2, le=MAX_RUNS)] | None = key(
        "Into how many folds the data are split by the seed: as many trainings, each of which "
        "holds one of them out.",
        None,
    )
    fold: Annotated[int, Field(ge=0)] | None = key(
        "Train only the model that holds out this fold, counted from 0.", None
    )
    repeats: Annotated[int, Field(ge=2, le=MAX_RUNS)] | None = key(
        "How often all folds are trained, with the rows split anew each time.", None
    )
    repeat: Annotated[int, Field(ge=0)] | None = key(
        "Train only the folds of this repeat, counted from 0; its split follows from the seed.",
        None,
    )
    keep_together: ColumnKey | None = key(
        "A column of the data, as column.patient: rows with the same value are held out together.",
        None,
    )
    stratify: bool | None = key("Spread the classes of the targets evenly.", None)
    time: ColumnKey | None = key(
        "A column of numbers or dates, as column.day: each fold holds out a period and learns from "
        "the rows before it. Those before the first period are held out by none.",
        None,
    )
    gap: Annotated[FiniteFloat, Field(ge=0)] | None = key(
        "How long before its period a fold does not learn from, in the unit of time, or days.",
        None,
    )
    window: Annotated[FiniteFloat, Field(gt=0)] | None = key(
        "How long a fold learns from before its period and the gap; from the beginning unless "
        "given.",
        None,
    )
    patience: PositiveInt | None = key(
        "Stop after so many measured rounds, or epochs, without a better loss of these rows.",
        None,
    )


class TrainSection(Section):
    """How the model learns; `check_learning` sees which keys mean something for it."""

    epochs: PositiveInt | None = key(
        "How often every row is seen, by a network or another model of epochs.", None
    )
    rounds: PositiveInt | None = key(
        "How many rounds a boosted model makes: a tree for each raw output.", None
    )
    measure_every: PositiveInt | None = key(
        "Every so many rounds, or epochs, and the last are measured: 1 unless given.", None
    )
    optimizer: OptimizerSpec | None = key("What takes the steps of a network.", None)
    batch_size: PositiveInt = key("Rows in one step.", DEFAULT_TRAIN_BATCH)
    schedule: ScheduleSpec = key(
        "A factor on the learning rate that changes as the training goes.", Spec(name="constant")
    )
    initializer: InitializerSpec = key("How the weights begin.", Spec(name="xavier"))
    hold_out: HoldOutSection | None = key("Rows that are reported and not learnt from.", None)
    allow_untrainable: bool = key("Train also what cannot learn.", False)


class SensitivitySection(Section):
    """How the answer of loss and metrics to small changes is studied."""

    parameter: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = key(
        "What moves: a parameter, layers.0.weights[0,0]; or gradient, all of them.", None
    )
    range: Annotated[list[float], Field(min_length=2, max_length=2)] = key(
        "How far it goes, to both sides of its value.", [-1.0, 1.0]
    )
    points: Annotated[int, Field(ge=2, le=MAX_POINTS)] = key(
        "How many values it takes.", DEFAULT_POINTS
    )
    activations: Annotated[list[ActivationSpec], Field(max_length=MAX_ITEMS)] = key(
        "Activations to put in the place of the hidden ones.", []
    )


class RunSection(Section):
    """Where a run is computed."""

    cluster: Annotated[str, Field(min_length=1)] | None = key(
        "A cluster of Dask: the address of its scheduler, the file that the scheduler wrote, or "
        "local:N for N processes on this machine.",
        None,
    )


class RootSection(Section):
    """A whole configuration."""

    lossfw: Version = key("The version of the configuration's keys: 1.")
    extends: FileName | None = key(
        "Another configuration, relative to this file, over which this one is laid. "
        "Mappings merge, lists replace, null takes a key away.",
        None,
    )
    seed: Seed = key("Where everything random begins.", 0)
    plugins: Annotated[list[FileName], Field(max_length=MAX_ITEMS)] = key(
        "Files with components of your own, relative to this file.", []
    )
    data: SourceSpec = key("The rows: a source.")
    model: ModelSpec | None = key("What makes predictions of the rows.", None)
    network: NetworkSection | None = key(
        "In place of a model: dense layers with weights, or saved predictions or logits.", None
    )
    loss: LossChoice = key("What a prediction costs.")
    evaluate: EvaluateSection = key(
        "How the evaluation runs, and what it reports besides the loss.", EvaluateSection()
    )
    run: RunSection | None = key("Where `lossfw run` computes.", None)
    train: TrainSection | None = key("How `lossfw train` trains the model.", None)
    sensitivity: SensitivitySection | None = key("What `lossfw sensitivity` looks at.", None)
    sweep: SweepSection | None = key("Several runs from one file: grid, zip, seeds.", None)


# Sections by path, list indices left out: for hints about unknown keys.
SECTIONS: Mapping[tuple[str, ...], type[Section]] = {
    (): RootSection,
    ("evaluate",): EvaluateSection,
    ("evaluate", "sample"): SampleSection,
    ("evaluate", "intervals"): IntervalsSection,
    ("evaluate", "slices"): SliceSection,
    ("network",): NetworkSection,
    ("network", "layers"): Layer,
    ("run",): RunSection,
    ("train",): TrainSection,
    ("train", "hold_out"): HoldOutSection,
    ("sensitivity",): SensitivitySection,
    ("sweep",): SweepSection,
}
