"""The keys that every data source has besides its parameters, and their effects on rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from lossfw.components.naming import shortlist
from lossfw.data.class_labels import are_indices, as_numbers, comparable_values, respell_labels
from lossfw.data.dataset import Dataset
from lossfw.data.groups import RowGroups
from lossfw.data.labels import (
    MAX_LABELS,
    CastToInteger,
    Label,
    OneHot,
    find_labels,
    label_transform,
)
from lossfw.data.row_filter import RowFilter
from lossfw.data.row_transforms import RowNumbers, SqueezeColumn, transform_rows
from lossfw.data.source import Source
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# The value of `classes` that takes every label of the data, in ascending order.
FOUND = "found"


def _check_classes(value: Any) -> Any:
    """Check the labels of classes: two or more different ones, in order."""
    if value is None or value == FOUND:
        return value
    if (
        isinstance(value, list | tuple)
        and 2 <= len(value) <= MAX_LABELS
        and all(isinstance(label, str | int | float) for label in value)
        and len(set(map(str, value))) == len(value)
    ):
        return tuple(value)
    raise PydanticCustomError(
        "wanted", "a list of two or more different labels, as in [cat, dog], or 'found'"
    )


def _check_one_hot(value: Any) -> Any:
    """Check whether targets become one-hot rows, and of how many classes."""
    if isinstance(value, bool) or (isinstance(value, int) and 2 <= value <= MAX_LABELS):
        return value
    raise PydanticCustomError("wanted", "true, or the number of classes, at least 2")


def _parse_column(value: Any) -> Any:
    """Return a column of a table as its name; one that is counted has none."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _parse_filter(value: Any) -> Any:
    """Return a filter of rows as its expression is written, with one form for equal ones."""
    return str(RowFilter.read(value)) if isinstance(value, str) else value


class DataOptions(BaseModel):
    """Keys next to the parameters of a source; a parameter of the same name has priority."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    where: Annotated[str, BeforeValidator(_parse_filter)] | None = Field(
        None,
        description="Keep only the rows that satisfy this condition, such as "
        "column.region == south and column.age >= 18. Operators: ==, !=, <, <=, >, >=, "
        "in [north, south], and, or, not.",
    )
    scale: PositiveFloat | None = Field(
        None, description="Divide the inputs by this number: 255 maps 8-bit pixels to [0, 1]."
    )
    flatten: bool = Field(False, description="Flatten the input of each row to one axis.")
    standardize: bool = Field(
        False,
        description="Subtract the mean of the training rows from each input column, and divide it "
        "by their standard deviation. Both are stored with the weights.",
    )
    classes: Annotated[
        tuple[Label, ...] | Literal["found"] | None,
        BeforeValidator(_check_classes),
        WithJsonSchema(
            {
                "type": ["array", "string"],
                "items": {"type": ["string", "number"]},
                "minItems": 2,
                "pattern": f"^{FOUND}$",
            }
        ),
    ] = Field(
        None,
        description="The labels of the classes, in order: the first is class 0. `found` takes all "
        "labels that occur in the data, in ascending order.",
    )
    map_targets: dict[str, FiniteFloat] | None = Field(
        None,
        min_length=1,
        max_length=MAX_LABELS,
        description="A mapping from labels of the targets to numbers, such as {0: -1, 1: 1}.",
    )
    one_hot: Annotated[
        bool | int,
        BeforeValidator(_check_one_hot),
        WithJsonSchema({"type": ["boolean", "integer"], "minimum": 2}),
    ] = Field(
        False,
        description="One-hot encode the class indices: true for as many classes as the network has "
        "outputs, or the number of classes.",
    )

    group_key: Annotated[
        str | None, BeforeValidator(_parse_column), WithJsonSchema({"type": ["string", "integer"]})
    ] = Field(
        None,
        description="The column with the group of each row, such as its query. A loss of groups "
        "has one value for all rows of a group. The column is not an input.",
    )

    unknown: Literal["error", "missing"] = Field(
        "error",
        description="How to treat a category that the training did not have: as an error, or as a "
        "missing value, for models that accept missing values.",
    )

    @model_validator(mode="after")
    def _check_unambiguous(self) -> Self:
        if self.classes is not None and self.map_targets is not None:
            raise ValueError("either 'classes' or 'map_targets', not both")
        return self

    @property
    def row_filter(self) -> RowFilter | None:
        """The filter of rows; None to read all rows."""
        return None if self.where is None else RowFilter.read(self.where)

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """The columns that these keys read: those of the row filter, and the group column."""
        compared = () if self.row_filter is None else self.row_filter.columns
        groups = () if self.group_key is None else (self.group_key,)
        return tuple(dict.fromkeys((*compared, *groups)))

    def to_config(self) -> dict[str, Any]:
        """Return the keys that are set, as a configuration writes them."""
        return self.model_dump(exclude_defaults=True)

    def with_label_order(
        self, labels: Sequence[str], data: Dataset, *, as_signs: bool = False
    ) -> DataOptions:
        """Return the keys with the labels in the order of a model.

        The order is that of its outputs; labels of the data are matched by value.

        Parameters
        ----------
        labels : sequence of str
            Of the model; empty where it has none.
        data : Dataset
            The rows, as their source gives them.
        as_signs : bool
            Whether the loss takes -1 and +1 for two classes instead of 0 and 1.

        Raises
        ------
        DataError
            If the data have labels that cannot be matched with those of the model.
        """
        if not labels or self.map_targets is not None:
            return self
        if isinstance(self.classes, tuple):
            if comparable_values(self.classes) == comparable_values(labels):
                return self
            raise DataError(
                f"classes lists {shortlist(list(map(str, self.classes)))}, but the training "
                f"had {shortlist(labels)}, in this order: leave classes out, or list them so."
            )
        if data.targets.ndim == 2 and data.targets.shape[1] != 1:
            return self  # a number for each class
        found: Sequence[Label] | None = (
            respell_labels(labels, data.classes, data.name) if data.classes else as_numbers(labels)
        )
        if found is None:
            indices = ", ".join(f"{number}: {number}" for number in range(len(labels)))
            raise DataError(
                f"data {data.name!r}: the targets are numbers, but the training had the labels "
                f"{shortlist(labels)}: give targets with these labels; or, if the numbers are "
                f"places in this list, write data.map_targets: {{{indices}}}"
            )
        if as_signs and len(found) == 2:
            signs = {str(label): float(sign) for label, sign in zip(found, (-1, 1), strict=True)}
            return self.model_copy(update={"map_targets": signs, "classes": None})
        if not data.classes and self.classes is None and are_indices(labels):
            return self
        return self.model_copy(update={"classes": tuple(found)})

    def without_groups(self, source: Source) -> Source:
        """Return a source whose inputs leave out the group column unless they name it."""
        return source if self.group_key is None else source.without_input_column(self.group_key)

    def add_groups(self, data: Dataset, keep: Sequence[str]) -> Dataset:
        """Return the data with the groups of `group_key`; `keep` lists columns to keep."""
        name = self.group_key
        if name is None:
            return data
        groups = RowGroups.from_column(name, data.columns[name], data.name, data.rows)
        columns = {key: x for key, x in data.columns.items() if key != name or key in keep}
        return replace(data, groups=groups, columns=columns)

    def apply(self, data: Dataset, columns: int | None) -> Dataset:
        """Return the data as the keys change them; `columns` are the model's outputs, if known."""
        data = self._change_inputs(data)
        if self.classes is not None or self.map_targets is not None:
            data = self._relabel(data)
        if self.one_hot is not False:
            data = _to_one_hot(data, columns if self.one_hot is True else self.one_hot)
        return data

    def _change_inputs(self, data: Dataset) -> Dataset:
        if data.inputs is None:
            return data
        inputs = data.inputs
        if self.flatten and inputs.ndim != 2:
            inputs = transform_rows(inputs, _Flatten())
        if self.scale is not None:
            inputs = transform_rows(inputs, _Scale(self.scale))
        return data if inputs is data.inputs else replace(data, inputs=inputs)

    def _relabel(self, data: Dataset) -> Dataset:
        """Return the data with the numbers that `classes` or `map_targets` give to labels."""
        data = _flatten_targets(data, "classes" if self.classes is not None else "map_targets")
        wanted: dict[Label, float] = dict((self.map_targets or {}).items())
        names: tuple[str, ...] = ()
        if self.map_targets is None:
            labels = self._class_labels(data)
            wanted = {label: number for number, label in enumerate(labels)}
            names = tuple(map(str, labels))
        lookup, _ = label_transform(data.name, data.classes, wanted)
        return replace(data, targets=transform_rows(data.targets, lookup), classes=names)

    def _class_labels(self, data: Dataset) -> tuple[Label, ...]:
        if isinstance(self.classes, tuple):
            return self.classes
        if data.classes:
            return data.classes
        found = find_labels(data.targets, f"data {data.name!r}: the array of targets")
        return tuple(int(x) if x == math.floor(x) else float(x) for x in found)


def _flatten_targets(data: Dataset, key: str) -> Dataset:
    """Return the data with targets of shape (N,)."""
    if data.targets.ndim == 2 and data.targets.shape[1] == 1:
        return replace(data, targets=transform_rows(data.targets, SqueezeColumn()))
    if data.targets.ndim != 1:
        raise DataError(
            f"data {data.name!r}: {key} takes one label for each row, but the targets have the "
            f"shape {data.targets.shape}."
        )
    return data


def _to_one_hot(data: Dataset, classes: int | None) -> Dataset:
    """Return the data with one-hot targets; as it is where nobody knows how many classes."""
    if classes is None:
        return data
    if classes < 2:
        raise DataError(
            f"data {data.name!r}: one_hot: true takes the number of classes from the network, "
            "which has 1 output. Write the number of classes."
        )
    data = _flatten_targets(data, "one_hot")
    targets = data.targets
    if targets.dtype.kind == "f":
        targets = transform_rows(targets, CastToInteger(data.name))
    if data.classes and len(data.classes) > classes:
        raise DataError(
            f"data {data.name!r} have the {len(data.classes)} labels {shortlist(data.classes)}, "
            f"but one_hot has {classes} classes: write one_hot: {len(data.classes)}, and give the "
            "network as many outputs."
        )
    return replace(data, targets=transform_rows(targets, OneHot(data.name, classes)))


class _Flatten:
    """A change: each input becomes one row of numbers."""

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        return rows.reshape(len(rows), math.prod(rows.shape[1:]))


@dataclass(frozen=True)
class _Scale:
    """A change: numbers are divided, whole ones in float32."""

    by: float

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        dtype = rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float32)
        divided: NDArray = rows.astype(dtype) / dtype.type(self.by)
        return divided
