"""A data set of many Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import model_validator

from lossfw import DataError
from lossfw.data import (
    ChosenRows,
    Dataset,
    FilteredRows,
    Group,
    Location,
    Missing,
    NamedColumns,
    RowFilter,
    Selection,
    Source,
    open_dataset,
)
from lossfw_std.sources.columns import (
    IF_MISSING,
    LoadedArrays,
    array_groups,
    column_group,
    column_named,
    column_numbers,
    compared_columns,
    labels_of_all,
    read_columns,
)


class Parquet(Source):
    """A data set of Parquet files: a folder, a pattern, or an address such as ``s3://bucket/rows``.

    Rows are read as they are evaluated, in the order of the file names. Keys of folders
    (``year=2026/part-0.parquet``) are columns. Needs the extra ``tables`` (the library pyarrow),
    and for addresses fsspec with the library of the store.

    Use it when the rows are in many files, or at an address.

    Parameters
    ----------
    path : str
        A folder, which is searched for ``.parquet`` files at any depth; a file; a pattern
        with ``*``, ``?`` or ``**``; or any of them at an address that fsspec opens.
    targets_key : str, or a mapping of str to str
        The column of the targets; for a target of named columns, ``{time: months, event: died}``.
    inputs_key : str or list of str, optional
        The columns of the inputs; by default all remaining ones. A column may hold lists of numbers
        of one length, and must then be the only one. With ``inputs_key: []``, and by default for
        saved predictions, no inputs are read.
    sample_weight_key : str, optional
        The column of the weights; by default ``sample_weight``, if there is one.
    exclude : list of str
        Columns that are not inputs.
    categories : list of str, or "found"
        Input columns that hold categories, as strings or numbers: a network gets one-hot inputs.
        ``found`` means all columns of strings.
    missing : {"error", "drop", "keep"} or a mapping
        What happens to a row with a null or NaN in a column that is used. ``drop`` drops it, which
        reads the data once more. ``keep`` makes a missing input NaN, for models that accept missing
        values. ``{inputs: keep, targets: drop}`` treats inputs differently from targets and
        weights.

    Notes ----- Targets may be strings, in the files or in the names of folders
    (``kind=cat/part-0.parquet``): lossfw numbers their labels in ascending order, unless the
    configuration lists ``classes``.

    The digest covers the names, sizes and footers of the files, so the rows of a large data set are
    read only once, by the evaluation.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pyarrow, pyarrow.parquet
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pyarrow.table({"x": [0.5, 1.5], "y": [1.0, 3.0]})
    ...     pyarrow.parquet.write_table(table, pathlib.Path(folder, "rows.parquet"))
    ...     len(Parquet(path=folder, targets_key="y").load())
    2
    """

    path: Location
    targets_key: str | NamedColumns = "targets"
    inputs_key: str | tuple[str, ...] | None = None
    sample_weight_key: str | None = None
    exclude: tuple[str, ...] = ()
    categories: tuple[str, ...] | Literal["found"] = ()
    missing: Missing = "error"

    @model_validator(mode="after")
    def _require_one_way(self) -> Self:
        if self.exclude and self.inputs_key is not None:
            raise ValueError("either 'inputs_key' or 'exclude', not both")
        return self

    def load(self) -> Dataset:
        """Read the footers of the files.

        Raises
        ------
        DataError
            If there is no file, or the columns of a file differ from those of the first.
        """
        return self.load_with(())

    def load_with(self, columns: Sequence[str]) -> Dataset:
        """Read the footers, and the labels of these columns; see `Source.load_with`."""
        data = open_dataset(self.path)
        return self._to_dataset(data, self._read(data, columns))

    def load_selected(self, rows: RowFilter, columns: Sequence[str]) -> Selection:
        """Read the rows that fulfil a filter; see `Source.load_selected`."""
        data = open_dataset(self.path)
        choice = FilteredRows.select(rows, compared_columns(data, rows.columns))
        read = self._read(data, columns, choice.chosen)
        group = column_group(data, self.targets_key)
        labels = labels_of_all(data, group) if read.classes else ()
        return choice.to_selection(self._to_dataset(data, read), read.places, labels)

    def _to_dataset(self, data: Any, loaded: LoadedArrays) -> Dataset:
        if isinstance(self.targets_key, NamedColumns):
            loaded = loaded._replace(target_names=tuple(self.targets_key))
        return loaded.dataset(f"{self.name} ({self.path})", data.digest)

    def _read(
        self, data: Any, columns: Sequence[str], rows: ChosenRows | None = None
    ) -> LoadedArrays:
        for name in columns:
            column_named(data, name)
        groups = self._array_columns(data)
        held = [data.column(name) for name in self.categories if self.categories != "found"]
        if self.categories == "found":
            held = [n for n in column_numbers(groups.get("inputs", [])) if n in data.texts()]
        return read_columns(
            data,
            groups,
            columns,
            held,
            remedy=IF_MISSING,
            missing=self.missing,
            rows=rows,
        )

    def without_inputs(self) -> Source:
        """Return a source that reads no inputs, unless it names them; see `Source`."""
        if self.inputs_key is not None:
            return self
        return self.model_copy(update={"inputs_key": (), "exclude": (), "categories": ()})

    def without_input_column(self, column: str) -> Source:
        """Return a source without a column among the inputs; see `Source`."""
        if self.inputs_key is not None or column in self.exclude:
            return self
        return self.replace(exclude=(*self.exclude, column))

    def _array_columns(self, data: Any) -> dict[str, Group]:
        """Return the columns of each array."""
        groups = array_groups(
            data,
            column_group(data, self.targets_key),
            weight=self.sample_weight_key or None,
            inputs=self.inputs_key,
            exclude=self.exclude,
        )
        if self.inputs_key is None and self.categories != "found" and "inputs" in groups:
            texts = {data.names[n] for n in column_numbers(groups["inputs"]) if n in data.texts()}
            if listed := ", ".join(sorted(texts.difference(self.categories))):
                raise DataError(
                    f"{self.path} has strings in {listed}. Leave out columns that are not inputs "
                    f"with exclude: [{listed}]; categories: [{listed}] makes inputs of the strings."
                )
        return groups
