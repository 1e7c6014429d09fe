"""Types of values in the sections of a configuration, with their JSON schemas."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, LiteralString

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from lossfw.evaluation.slices import BY, COLUMN, default_slice_name

# Version of the configuration's keys: the value of `lossfw:`.
SCHEMA_VERSION = 1
# More layers, metrics or plugins than these, and longer names, are mistakes, which
# are not looked up one by one.
MAX_ITEMS = 100
MAX_NAME = 200
# The formats in which the rows of a result can be written.
ROW_FILES = ("jsonl", "parquet")
# Each run of a sweep is checked before the first one begins.
MAX_RUNS = 1_000


def section_key(description: str, default: Any = ...) -> Any:
    """Return a key of a section, with the description that editors show."""
    return Field(default, description=description)


class Section(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class ComponentSpec(Section):
    """A component: its name, and parameters that its class checks."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(min_length=1, max_length=MAX_NAME)


class LossSpec(ComponentSpec):
    """A loss; `fuse` is next to its parameters but not one of them."""

    fuse: bool = True


def _name_to_mapping(value: Any) -> Any:
    """Take a bare name for a mapping with that name."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict):
        return value
    raise PydanticCustomError("wanted", "a name, or a mapping with 'name' and parameters")


def _validator(is_valid: Callable[[Any], bool], text: LiteralString) -> Callable[[Any], Any]:
    """Return a validator that says what it expected."""

    def validate(value: Any) -> Any:
        if is_valid(value):
            return value
        raise PydanticCustomError("wanted", text)

    return validate


# A file's name or numbers; the reader checks the content of either.
_outputs = _validator(
    lambda value: isinstance(value, str | list) and len(value) > 0,
    "a file name, or a list of rows of numbers",
)
# A literal would take `true` for 1.
_version = _validator(
    lambda value: value == SCHEMA_VERSION, f"{SCHEMA_VERSION}, the version that this lossfw reads"
)
_column = _validator(
    lambda value: isinstance(value, str) and value.startswith(COLUMN) and value != COLUMN,
    "a column of the data, written as column.patient",
)
_units = _validator(
    lambda value: isinstance(value, str | dict),
    "rows, groups, a column as column.patient, or {time: column.day, blocks: auto}",
)
_baseline = _validator(
    lambda value: isinstance(value, bool) or (isinstance(value, str) and len(value) > 0),
    "true or false, a column of the data, written as column.last_year, or a file of predictions",
)
_rows = _validator(
    lambda value: isinstance(value, bool) or value in ROW_FILES,
    f"true or false, or one of {', '.join(ROW_FILES)}",
)


def _list_of_seeds(value: Any) -> Any:
    """Take a number of seeds for the seeds 0, 1, 2 ..."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_RUNS:
        return list(range(value))
    if isinstance(value, list):
        return value
    raise PydanticCustomError(
        "wanted", "a number of seeds from 1 to {most}, or a list of seeds", {"most": MAX_RUNS}
    )


def slice_mapping(value: Any) -> Any:
    """Use a bare string as both the name of a slice and its key."""
    if isinstance(value, str):
        return {"name": default_slice_name(value), "by": value}
    if isinstance(value, dict):
        return value
    raise PydanticCustomError(
        "wanted", "the value to slice by, or a mapping with 'name', 'by' and 'bins'"
    )


_COLUMN = {"type": "string", "pattern": f"^{re.escape(COLUMN)}."}
_BY = {
    "anyOf": [
        {"enum": list(BY), "enumDescriptions": list(BY.values())},
        _COLUMN,
    ]
}


class OrText:
    """Marks a type that may also be one of the strings of `SliceKey`, for the JSON schema."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Any:
        return {"if": {"type": "string"}, "then": _BY, "else": handler(core)}


# In the JSON schema of the sections, `component` stands for the components of a kind.
_NamedSpec = Annotated[ComponentSpec, BeforeValidator(_name_to_mapping)]
SourceSpec = Annotated[_NamedSpec, WithJsonSchema({"component": "source"})]
LossChoice = Annotated[
    LossSpec, BeforeValidator(_name_to_mapping), WithJsonSchema({"component": "loss"})
]
ActivationSpec = Annotated[_NamedSpec, WithJsonSchema({"component": "activation"})]
MetricSpec = Annotated[_NamedSpec, WithJsonSchema({"component": "metric"})]
OptimizerSpec = Annotated[_NamedSpec, WithJsonSchema({"component": "optimizer"})]
ScheduleSpec = Annotated[_NamedSpec, WithJsonSchema({"component": "schedule"})]
ModelSpec = Annotated[_NamedSpec, WithJsonSchema({"component": "model"})]
InitializerSpec = Annotated[_NamedSpec, WithJsonSchema({"component": "initializer"})]

FileName = Annotated[str, Field(min_length=1)]
OutputsPath = Annotated[
    Any,
    BeforeValidator(_outputs),
    WithJsonSchema({"type": ["string", "array"], "minItems": 1}),
]
NetworkForm = Literal["layers", "predictions", "raw_outputs"]
Version = Annotated[int, AfterValidator(_version), WithJsonSchema({"const": SCHEMA_VERSION})]
Seed = Annotated[int, Field(ge=0)]
RowsChoice = Annotated[bool | Literal["jsonl", "parquet"], BeforeValidator(_rows)]
BaselineChoice = Annotated[
    bool | str,
    BeforeValidator(_baseline),
    WithJsonSchema({"type": ["boolean", "string"], "minLength": 1}),
]
SliceKey = Annotated[str, WithJsonSchema(_BY)]
ColumnKey = Annotated[str, BeforeValidator(_column), WithJsonSchema(_COLUMN)]
UnitsChoice = Annotated[
    Any,
    BeforeValidator(_units),
    WithJsonSchema(
        {
            "if": {"type": "string"},
            "then": {"anyOf": [{"enum": ["rows", "groups"]}, _COLUMN]},
            "else": {
                "type": "object",
                "required": ["time"],
                "properties": {
                    "time": {"anyOf": [{"const": "row"}, _COLUMN]},
                    "blocks": {"type": ["integer", "string"], "minimum": 5, "pattern": "^auto$"},
                },
                "additionalProperties": False,
            },
        }
    ),
]
Seeds = Annotated[
    list[Seed],
    Field(min_length=1, max_length=MAX_RUNS),
    BeforeValidator(_list_of_seeds),
    WithJsonSchema(
        {
            "type": ["integer", "array"],
            "minimum": 1,
            "maximum": MAX_RUNS,
            "items": {"type": "integer", "minimum": 0},
            "minItems": 1,
        }
    ),
]
Axes = Annotated[
    dict[str, Annotated[list[Any], Field(min_length=1, max_length=MAX_RUNS)]],
    Field(max_length=MAX_ITEMS),
]
