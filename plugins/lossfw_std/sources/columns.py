"""The columns of a table as the arrays of a data set, with categories and columns for slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from lossfw import DataError
from lossfw.data import (
    ChosenRows,
    ColumnError,
    DataColumn,
    Dataset,
    ExpandColumn,
    Group,
    Missing,
    MissingRules,
    NamedColumns,
    Table,
    TableOptions,
    category_column,
    concatenate_columns,
    select_rows,
    transform_rows,
)

# A column: its name, or its number from 0 on.
Key: TypeAlias = str | int

_WEIGHT = "sample_weight"
# What a user can do about a missing value in a table.
IF_MISSING = (
    "Write missing: drop to drop such rows, or missing: keep to keep missing inputs, for models "
    "that take missing values."
)
# Where the inputs are kept, another column lacks it.
_IF_NO_INPUT = (
    "lossfw keeps only missing inputs. Write missing: {inputs: keep, targets: drop} to drop rows "
    "without a target."
)
# Where rows without a target are left out, an input lacks it.
_IF_INPUT = (
    "Write missing: {inputs: keep, targets: drop} to keep such rows, or missing: drop to drop them."
)


class LoadedArrays(NamedTuple):
    """The arrays of one or several files, and how they were read."""

    arrays: dict[str, Any]
    classes: tuple[str, ...] = ()
    dropped: int = 0
    input_names: tuple[str, ...] = ()
    columns: Mapping[str, DataColumn] = {}
    categories: Mapping[str, DataColumn] = {}
    target_names: tuple[str, ...] = ()
    missing: bool = False
    # The places of the rows among the chosen ones, where some of these were left out.
    places: Any = None

    def merge(self, other: LoadedArrays) -> LoadedArrays:
        """Return these arrays and those of another file."""
        return LoadedArrays(
            {**self.arrays, **other.arrays},
            self.classes or other.classes,
            self.dropped + other.dropped,
            self.input_names or other.input_names,
            {**self.columns, **other.columns},
            self.categories or other.categories,
            self.target_names or other.target_names,
            self.missing or other.missing,
        )

    def select_rows(self, rows: ChosenRows | None) -> LoadedArrays:
        """Return the chosen rows of arrays that were read as a whole."""
        if rows is None:
            return self
        arrays = dict(self.arrays)
        for role, array in arrays.items():
            check_count(role, len(array), rows)
            arrays[role] = select_rows(array, rows.index)
        columns = {name: column.take(rows.index) for name, column in self.columns.items()}
        return self._replace(arrays=arrays, columns=columns)

    def dataset(self, name: str, digest: str) -> Dataset:
        """Return the data set with these arrays, and a note on the rows that were left out."""
        rows = "1 row is" if self.dropped == 1 else f"{self.dropped} rows are"
        notes = (f"{rows} dropped, because a value is missing.",) if self.dropped else ()
        known: dict[str, Any] = {
            "classes": self.classes,
            "columns": self.columns,
            "input_names": self.input_names,
            "categories": self.categories,
            "target_names": self.target_names,
            "missing": self.missing,
        }
        return Dataset(name, digest=digest, notes=notes, **known, **self.arrays)


def check_count(title: str, count: int, rows: ChosenRows) -> None:
    """Refuse arrays whose number of rows differs from that of the filter's columns."""
    if count != rows.count:
        raise DataError(
            f"{title} has {count} rows, but the columns of data.where have {rows.count}; expected "
            "equal numbers."
        )


def column_numbers(group: Group) -> list[int]:
    """Return the columns of a group, also of a single column."""
    return [group] if isinstance(group, int) else list(group)


def column_group(table: Table, key: Key | Sequence[Key] | NamedColumns) -> Group:
    """Return the columns that a key names: a number for one, a list for several."""
    if isinstance(key, str | int):
        return table.column(key)
    return [table.column(one) for one in (key.values() if isinstance(key, dict) else key)]


def array_groups(
    table: Table,
    targets: Group,
    *,
    weight: Key | None,
    inputs: Key | Sequence[Key] | None,
    exclude: Sequence[Key],
) -> dict[str, Group]:
    """Return the columns of each array in one table; `weight` and `inputs` are keys.

    Without a key, the weights are the column ``sample_weight``, if there is one, and the inputs are
    all remaining columns. An empty key means no inputs.
    """
    groups = {"targets": targets}
    if weight is not None or _WEIGHT in table.names:
        groups[_WEIGHT] = table.column(_WEIGHT if weight is None else weight)
    if inputs is None:
        left = columns_left(table, groups.values(), exclude)
    else:
        left = column_numbers(column_group(table, inputs))
    return {**groups, "inputs": left} if left else groups


def columns_left(table: Table, groups: Iterable[Group], exclude: Sequence[Key]) -> list[int]:
    """Return the columns that are in no group and not excluded."""
    out = {table.column(key) for key in exclude}.union(*map(column_numbers, groups))
    return [column for column in range(table.width) if column not in out]


def read_columns(
    table: Table,
    groups: dict[str, Group],
    names: Sequence[str],
    category_columns: Sequence[int],
    *,
    remedy: str,
    categories_may_be_numbers: bool = False,
    missing: Missing = "error",
    optional: frozenset[int] = frozenset(),
    rows: ChosenRows | None = None,
) -> LoadedArrays:
    """Read the arrays of a table, and the named columns, by which rows are sliced.

    The inputs `category_columns` hold categories; those that are numbers become inputs like others.
    Only the chosen `rows` are read.
    """
    inputs = given = column_numbers(groups.get("inputs", []))
    for number in category_columns:
        if number not in inputs:
            raise DataError(
                f"categories lists {table.title(number)}, which is not an input: add it to "
                "inputs_key, or remove it from exclude."
            )
    if category_columns:
        inputs = [number for number in inputs if number not in category_columns]
        groups = {role: group for role, group in groups.items() if role != "inputs"}
        groups |= {"inputs": inputs} if inputs else {}
    target = groups.get("targets")
    apart = {name: column_named(table, name) for name in names}
    # What is an array too is held to the rules of arrays.
    arrays_of = {number for group in groups.values() for number in column_numbers(group)}
    kept = frozenset(apart.values()) - arrays_of - frozenset(category_columns)
    labels = (
        frozenset([target] if isinstance(target, int) else []) | frozenset(category_columns) | kept
    )
    rule = MissingRules.parse(missing)
    keeps, strict = rule.inputs == "keep", frozenset[int]()
    if keeps:
        kept, remedy = kept | frozenset(given), _IF_NO_INPUT
    elif rule.inputs != rule.targets:
        strict = frozenset(given if rule.inputs == "error" else arrays_of.difference(given))
        remedy = _IF_INPUT if rule.inputs == "error" else remedy
    read = table.read_rows(
        [*groups.values(), *category_columns, *apart.values()],
        TableOptions(
            "drop" if rule.may_drop_rows else "error",
            labels,
            optional,
            kept,
            frozenset(category_columns),
            remedy,
            strict,
            rows,
        ),
    )
    if rows is not None:
        check_count(str(table.path), read.total, rows)
    count = len(groups) + len(category_columns)
    arrays = dict(zip(groups, read.arrays, strict=False))
    categories: dict[str, DataColumn] = {}
    numeric = {}
    for number, values in zip(category_columns, read.arrays[len(groups) : count], strict=True):
        title, texts = table.title(number), read.labels.get(number, ())
        if categories_may_be_numbers and not texts:
            numeric[number] = values
        elif title in categories:
            raise DataError(f"{table.path} has several category columns named {title!r}.")
        else:
            categories[title] = category_column(values, texts, title, missing=keeps)
    if numeric:
        arrays["inputs"] = concatenate_columns(
            [transform_rows(values, ExpandColumn()) for values in numeric.values()]
        )
    columns = {
        name: DataColumn.from_codes(values, read.labels.get(number, ()))
        for (name, number), values in zip(apart.items(), read.arrays[count:], strict=True)
    }
    return LoadedArrays(
        arrays,
        read.labels.get(target, ()) if isinstance(target, int) else (),
        read.dropped,
        tuple(table.names[number] for number in given) if table.names else (),
        columns,
        categories,
        missing=keeps,
        places=read.places,
    )


def compared_columns(table: Table, names: Sequence[str]) -> Mapping[str, DataColumn]:
    """Return columns of all rows by their names, in which a value may be missing."""
    return read_columns(table, {}, names, (), remedy="").columns


def labels_of_all(table: Table, group: Group) -> tuple[str, ...]:
    """Return the strings of a column in all rows, including those that a filter leaves out."""
    if not isinstance(group, int):
        return ()
    one = frozenset([group])
    read = table.read_rows([group], TableOptions(labels=one, kept=one))
    return tuple(label for label in read.labels.get(group, ()) if label)


def column_named(table: Table, name: str) -> int:
    """Return the column that a slice names, by number from 0 if columns have no names."""
    try:
        return table.column(int(name) if name.isdecimal() and not table.names else name)
    except DataError as error:
        raise ColumnError(name, str(error)) from None
