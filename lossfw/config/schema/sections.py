"""The skeleton of a configuration: its sections and keys, checked by pydantic.

This is the first of two steps. Components appear here only as a name with
parameters; whether the parameters fit is the second step's question, put to
each component's own class (`lossfw.config.schema.check_components`). There are no unions,
so a mistake is never reported once for every alternative.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
)
from pydantic_core import PydanticCustomError

from lossfw.evaluation.intervals.options import MAX_REPLICATES, MIN_REPLICATES, Method

# Version of the configuration's keys: what stands behind `lossfw:`.
SCHEMA_VERSION = 1
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
# More layers, metrics or plugins than these, and longer names, are mistakes, which
# are not looked up one by one.
MAX_ITEMS = 100
MAX_NAME = 200
# The drawn row numbers stand in the result, one by one.
MAX_SAMPLE = 10_000_000
# What the rows of a result can be written as.
ROW_FILES = ("jsonl", "parquet")
_ROWS = ", ".join(ROW_FILES)
# Each run of a sweep is checked before the first one begins.
MAX_RUNS = 1_000


class Section(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Spec(Section):
    """A component: its name, and parameters that its class will check."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(min_length=1, max_length=MAX_NAME)


class LossSpec(Spec):
    """A loss; `fuse` stands beside its parameters and is none of them."""

    fuse: bool = True


def _named(value: Any) -> Any:
    """Take a bare name for a mapping with that name."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict):
        return value
    raise PydanticCustomError("wanted", "a name, or a mapping with 'name' and parameters")


def _outputs(value: Any) -> Any:
    """Tell a file's name from numbers; what is in either is for the reader to check."""
    if (isinstance(value, str) and value) or (isinstance(value, list) and value):
        return value
    raise PydanticCustomError("wanted", "the name of a file, or a list of rows of numbers")


def _version(value: int) -> int:
    """Refuse another version; a literal would take `true` for 1."""
    if value != SCHEMA_VERSION:
        raise PydanticCustomError("wanted", f"{SCHEMA_VERSION}, the version that this lossfw reads")
    return value


def _seeds(value: Any) -> Any:
    """Take a number of seeds for the seeds 0, 1, 2 ..."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_RUNS:
        return list(range(value))
    if isinstance(value, list):
        return value
    raise PydanticCustomError(
        "wanted", "a number of seeds from 1 to {most}, or a list of seeds", {"most": MAX_RUNS}
    )


def named_slice(value: Any) -> Any:
    """Take a bare text for the slice that is named after what tells the rows apart."""
    if isinstance(value, str):
        return {"name": value, "by": value}
    if isinstance(value, dict):
        return value
    raise PydanticCustomError(
        "wanted", "what tells the rows apart, or a mapping with 'name', 'by' and 'bins'"
    )


NamedSpec = Annotated[Spec, BeforeValidator(_named)]
NamedLoss = Annotated[LossSpec, BeforeValidator(_named)]
FileName = Annotated[str, Field(min_length=1)]
OutputsPath = Annotated[Any, BeforeValidator(_outputs)]
NetworkForm = Literal["layers", "predictions", "logits"]
Seed = Annotated[int, Field(ge=0)]


class Layer(Section):
    """One dense layer."""

    units: PositiveInt
    activation: NamedSpec


class NetworkSection(Section):
    """Layers with weights, or saved outputs in place of a network.

    Exactly one of `layers`, `predictions` and `logits` is given, which
    `check_skeleton` sees to.
    """

    layers: Annotated[list[Layer], Field(min_length=1, max_length=MAX_ITEMS)] | None = None
    weights: FileName | None = None
    dtype: Literal["float32", "float64"] | None = None
    predictions: OutputsPath | None = None
    logits: OutputsPath | None = None

    @property
    def form(self) -> NetworkForm:
        """Which of its three forms it has."""
        if self.layers is not None:
            return "layers"
        return "predictions" if self.predictions is not None else "logits"


class Sample(Section):
    """Rows drawn at random; the configuration's own seed unless another is given."""

    count: Annotated[int, Field(ge=1, le=MAX_SAMPLE)]
    seed: Seed | None = None
    replace: bool = False


class IntervalsSection(Section):
    """How sure the numbers are; the configuration's own seed unless another is given."""

    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    method: Method = "jackknife"
    replicates: Annotated[int, Field(ge=MIN_REPLICATES, le=MAX_REPLICATES)] = 1000
    seed: Seed | None = None


class SliceSection(Section):
    """Rows told apart by something that each has; `Slice` checks the rest."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    by: str
    bins: list[float] = []


def _rows(value: Any) -> Any:
    """Tell whether rows are written, and as what."""
    if isinstance(value, bool) or value in ROW_FILES:
        return value
    raise PydanticCustomError("wanted", "true or false, or one of {known}", {"known": _ROWS})


RowsChoice = Annotated[bool | Literal["jsonl", "parquet"], BeforeValidator(_rows)]
NamedSlice = Annotated[SliceSection, BeforeValidator(named_slice)]


class EvaluateSection(Section):
    """How the evaluation runs, and what it reports besides the loss."""

    batch_size: PositiveInt = DEFAULT_BATCH_SIZE
    metrics: Annotated[list[NamedSpec], Field(max_length=MAX_ITEMS)] = []
    sample: Sample | None = None
    rows: RowsChoice = False
    intervals: IntervalsSection | None = None
    slices: Annotated[list[NamedSlice], Field(max_length=MAX_ITEMS)] = []


Seeds = Annotated[list[Seed], Field(min_length=1, max_length=MAX_RUNS), BeforeValidator(_seeds)]
Axes = dict[str, Annotated[list[Any], Field(min_length=1, max_length=MAX_RUNS)]]


class SweepSection(Section):
    """Several runs: each key is the dotted name of what changes, with its values.

    `grid` takes every combination, `zip` the first of each, the second of each
    and so on. Given together, every combination of what they give is a run.
    """

    grid: Axes = {}
    zip: Axes = {}
    seeds: Seeds | None = None


class HoldOut(Section):
    """Rows that are reported and not learnt from: a share of the data, or data of their own.

    Exactly one of `share` and `data` is given, which `check_skeleton` sees to.
    """

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    data: NamedSpec | None = None
    patience: PositiveInt | None = None


class TrainSection(Section):
    """How the network learns."""

    epochs: PositiveInt
    optimizer: NamedSpec
    batch_size: PositiveInt = DEFAULT_TRAIN_BATCH
    schedule: NamedSpec = Spec(name="constant")
    initial: NamedSpec = Spec(name="xavier")
    hold_out: HoldOut | None = None
    force: bool = False


class SensitivitySection(Section):
    """How the answer of loss and metrics to small changes is studied."""

    parameter: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = None
    range: Annotated[list[float], Field(min_length=2, max_length=2)] = [-1.0, 1.0]
    points: Annotated[int, Field(ge=2, le=MAX_POINTS)] = DEFAULT_POINTS
    directions: Annotated[int, Field(ge=0, le=MAX_ITEMS)] = 0
    instead: Annotated[list[NamedSpec], Field(max_length=MAX_ITEMS)] = []
    sample: Annotated[int, Field(ge=1, le=MAX_SAMPLE)] = DEFAULT_MOVED


class Skeleton(Section):
    """A whole configuration."""

    lossfw: Annotated[int, AfterValidator(_version)]
    extends: FileName | None = None
    seed: Seed = 0
    plugins: Annotated[list[FileName], Field(max_length=MAX_ITEMS)] = []
    data: NamedSpec
    network: NetworkSection
    loss: NamedLoss
    evaluate: EvaluateSection = EvaluateSection()
    train: TrainSection | None = None
    sensitivity: SensitivitySection | None = None
    sweep: SweepSection | None = None


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
