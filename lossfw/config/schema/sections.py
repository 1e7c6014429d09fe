"""The sections and keys of a configuration, each with its description, checked by pydantic.

Components appear here only as a name with parameters; each component's own class checks these
(`lossfw.config.schema.check_components`). There are no unions, because a mistake would be reported
once per alternative.
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
    ComponentSpec,
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
    UnitsChoice,
    Version,
    section_key,
    slice_mapping,
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

    units: Annotated[PositiveInt, Field(le=MAX_UNITS)] = section_key(
        "The number of outputs of the layer."
    )
    activation: ActivationSpec = section_key(
        "The activation that is applied to the outputs of the layer."
    )


class NetworkSection(Section):
    """Layers with weights, or saved outputs in place of a network.

    Exactly one of `layers`, `predictions` and `raw_outputs` is given; `check_sections` ensures
    this.
    """

    layers: Annotated[list[Layer], Field(min_length=1, max_length=MAX_ITEMS)] | None = section_key(
        "The dense layers, in order from the input.", None
    )
    weights: FileName | None = section_key(
        "A .npz file with the arrays W1, b1, W2 ...; a relative path starts at this file.", None
    )
    dtype: Literal["float32", "float64"] | None = section_key(
        "float32 or float64; by default the dtype of the weights.", None
    )
    predictions: OutputsPath | None = section_key(
        "Saved predictions: a file, or a list of rows of numbers.", None
    )
    raw_outputs: OutputsPath | None = section_key(
        "Saved raw outputs, such as logits: a file, or a list of rows of numbers.", None
    )

    @property
    def form(self) -> NetworkForm:
        """Which of its three forms it has."""
        if self.layers is not None:
            return "layers"
        return "predictions" if self.predictions is not None else "raw_outputs"


class SampleSection(Section):
    """Rows drawn at random."""

    count: Annotated[int, Field(ge=1, le=MAX_SAMPLE)] = section_key("How many rows.")
    seed: Seed | None = section_key(
        "The seed of the sample; by default the seed of the configuration.", None
    )
    replace: bool = section_key("Whether to sample with replacement.", False)


class IntervalsSection(Section):
    """Confidence intervals."""

    resample: UnitsChoice | None = section_key(
        "The units that are treated as independent: rows, groups (of data.group_key), a column "
        "such as column.patient (rows with the same value form one unit), or "
        "{time: column.day, blocks: auto}. By default the first of these that is set: "
        "train.hold_out.keep_together, blocks of train.hold_out.time, data.group_key; otherwise "
        "rows.",
        None,
    )
    level: Annotated[float, Field(gt=0, lt=1)] = section_key(
        "The confidence level: how often the interval should contain the true value.", 0.95
    )
    method: Method = section_key("jackknife or bootstrap.", "jackknife")
    replicates: Annotated[int, Field(ge=MIN_REPLICATES, le=MAX_REPLICATES)] = section_key(
        "The number of bootstrap replicates.", 1000
    )
    seed: Seed | None = section_key(
        "The seed of the bootstrap; by default the seed of the configuration.", None
    )


class SliceSection(Section):
    """A split of the rows by one of their properties; `Slice` checks the rest."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] = section_key(
        "The name of the slice in the result."
    )
    by: SliceKey = section_key("The value by which rows are sliced.")
    bins: list[float] = section_key(
        "The edges between bins, increasing: [0.5, 0.9] makes three bins.", []
    )
    largest: PositiveInt = section_key(
        "How many strings of a column get their own part: the most frequent ones. The rest are one "
        "part.",
        DEFAULT_LARGEST,
    )


NamedSlice = Annotated[SliceSection, BeforeValidator(slice_mapping), OrText()]


ColumnName = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class EvaluateSection(Section):
    """The options of an evaluation."""

    batch_size: PositiveInt = section_key(
        "The number of rows that are read at a time. It does not change any result.",
        DEFAULT_BATCH_SIZE,
    )
    metrics: Annotated[list[MetricSpec], Field(max_length=MAX_ITEMS)] = section_key(
        "Metrics that are reported next to the loss; a loss can be a metric too.", []
    )
    sample: SampleSection | None = section_key(
        "Evaluate a random sample of the rows instead of all rows.", None
    )
    save_rows: RowsChoice = section_key(
        "Also write the loss, prediction and target of each row to a file: true (or jsonl), or "
        "parquet, which needs about a quarter of the time and disk space.",
        False,
    )
    allow_nan: bool = section_key(
        "Whether a loss of NaN is accepted; by default the run fails.", False
    )
    baseline: BaselineChoice | None = section_key(
        "The baseline of the skill score: true for the constant prediction with the least loss, a "
        "column of predictions such as column.last_year, or a file of predictions. By default true "
        "for a training and false for a run.",
        None,
    )
    intervals: IntervalsSection | None = section_key(
        "Compute a confidence interval for every reported number.", None
    )
    slices: Annotated[list[NamedSlice], Field(max_length=MAX_ITEMS)] = section_key(
        "Also report every number for parts of the rows.", []
    )
    columns: Annotated[list[ColumnName], Field(max_length=MAX_ITEMS)] = section_key(
        "Columns of the data that are written next to each row in the file of rows and in reports, "
        "in addition to those of slices.",
        [],
    )


class SweepSection(Section):
    """Several runs: each key is the dotted name of a setting, with its values.

    `grid` takes every combination, `zip` the first of each, the second of each and so on. With
    both, every combination of the two is a run.
    """

    grid: Axes = section_key(
        "A mapping of dotted keys to lists of values: one run for each combination.", {}
    )
    zip: Axes = section_key(
        "A mapping of dotted keys to lists of equal length: one run for the first values, one for "
        "the second values, and so on.",
        {},
    )
    seeds: Seeds | None = section_key("The number of seeds, or a list of seeds.", None)


class HoldOutSection(Section):
    """Rows that are reported and not trained on: of the data, or data of their own.

    Exactly one of `fraction`, `data` and `folds` is given; `check_hold_out` ensures this.
    """

    fraction: Annotated[float, Field(gt=0, lt=1)] | None = section_key(
        "The fraction of the rows to hold out, drawn at random.", None
    )
    data: SourceSpec | None = section_key(
        "A separate data section with the rows to hold out.", None
    )
    folds: Annotated[int, Field(ge=2, le=MAX_RUNS)] | None = section_key(
        "The number of folds into which the rows are split at random. There is one training per "
        "fold, which holds out this fold.",
        None,
    )
    fold: Annotated[int, Field(ge=0)] | None = section_key(
        "Train only the model that holds out this fold (counted from 0).", None
    )
    repeats: Annotated[int, Field(ge=2, le=MAX_RUNS)] | None = section_key(
        "How often to repeat the cross-validation, with a new random split each time.", None
    )
    repeat: Annotated[int, Field(ge=0)] | None = section_key(
        "Train only the folds of this repeat (counted from 0).",
        None,
    )
    keep_together: ColumnKey | None = section_key(
        "A column of the data, such as column.patient: rows with the same value are held out "
        "together.",
        None,
    )
    stratify: bool | None = section_key(
        "Stratify: hold out the same fraction of every class of the target.", None
    )
    time: ColumnKey | None = section_key(
        "A column of numbers or dates, such as column.day: each fold holds out a period of time "
        "and trains on earlier rows. Rows before the first period are never held out.",
        None,
    )
    gap: Annotated[FiniteFloat, Field(ge=0)] | None = section_key(
        "The length of time directly before its period that a fold does not train on, in the unit "
        "of the column (days for dates).",
        None,
    )
    window: Annotated[FiniteFloat, Field(gt=0)] | None = section_key(
        "The length of the training window before the gap; by default all earlier rows.",
        None,
    )
    patience: PositiveInt | None = section_key(
        "Stop after this many measured rounds or epochs in which the loss of the held-out rows did "
        "not improve.",
        None,
    )


class TrainSection(Section):
    """How the model is trained; `check_learning` checks which keys apply to it."""

    epochs: PositiveInt | None = section_key(
        "The number of epochs, for networks and other models that train in epochs.", None
    )
    rounds: PositiveInt | None = section_key(
        "The number of boosting rounds; each adds one tree per raw output.", None
    )
    measure_every: PositiveInt | None = section_key(
        "Measure loss and metrics every so many rounds or epochs, and after the last one; 1 by "
        "default.",
        None,
    )
    optimizer: OptimizerSpec | None = section_key("The optimizer of a network.", None)
    batch_size: PositiveInt = section_key(
        "The number of rows in one step of the optimizer.", DEFAULT_TRAIN_BATCH
    )
    schedule: ScheduleSpec = section_key(
        "The learning rate schedule: a factor that changes during the training.",
        ComponentSpec(name="constant"),
    )
    initializer: InitializerSpec = section_key(
        "How the weights are initialised.", ComponentSpec(name="xavier")
    )
    hold_out: HoldOutSection | None = section_key(
        "Rows that the model is not trained on, which are reported as held out.", None
    )
    allow_untrainable: bool = section_key(
        "Train even if no gradient reaches the weights, so that nothing would change.", False
    )


class SensitivitySection(Section):
    """A study of how loss and metrics respond to small changes."""

    parameter: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = section_key(
        "The parameter to vary, such as layers.0.weights[0,0]; or gradient, to move all parameters "
        "along the gradient.",
        None,
    )
    range: Annotated[list[float], Field(min_length=2, max_length=2)] = section_key(
        "The range of the variation, two offsets from its value, such as [-1, 1].", [-1.0, 1.0]
    )
    points: Annotated[int, Field(ge=2, le=MAX_POINTS)] = section_key(
        "The number of values to evaluate.", DEFAULT_POINTS
    )
    activations: Annotated[list[ActivationSpec], Field(max_length=MAX_ITEMS)] = section_key(
        "Activations to try instead of those of the hidden layers.", []
    )


class RunSection(Section):
    """Where a run is computed."""

    cluster: Annotated[str, Field(min_length=1)] | None = section_key(
        "A Dask cluster: the address of its scheduler, the scheduler file, or local:N for N "
        "processes on this machine.",
        None,
    )


class RootSection(Section):
    """A whole configuration."""

    lossfw: Version = section_key("The version of the configuration's keys: 1.")
    extends: FileName | None = section_key(
        "Another configuration file that this one extends; a relative path starts at this file. "
        "Mappings are merged, lists are replaced, null removes a key.",
        None,
    )
    seed: Seed = section_key("The seed of all random numbers.", 0)
    plugins: Annotated[list[FileName], Field(max_length=MAX_ITEMS)] = section_key(
        "Python files with your own components; a relative path starts at this file.", []
    )
    data: SourceSpec = section_key("The rows: a source.")
    model: ModelSpec | None = section_key("The model that makes the predictions.", None)
    network: NetworkSection | None = section_key(
        "Instead of a model: dense layers with weights, or saved predictions or raw outputs.", None
    )
    loss: LossChoice = section_key("What a prediction costs.")
    evaluate: EvaluateSection = section_key(
        "How the evaluation runs, and what it reports in addition to the loss.", EvaluateSection()
    )
    run: RunSection | None = section_key(
        "Where `lossfw run` computes: on this machine or on a cluster.", None
    )
    train: TrainSection | None = section_key("How `lossfw train` trains the model.", None)
    sensitivity: SensitivitySection | None = section_key(
        "The parameter that `lossfw sensitivity` varies.", None
    )
    sweep: SweepSection | None = section_key(
        "Several runs from one file, by grid, zip or seeds.", None
    )


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
