"""Source, a component that loads a data set, and File, the type of its file parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BeforeValidator

from lossfw.components.component import Component
from lossfw.components.naming import did_you_mean, shortlist
from lossfw.data.columns import ColumnError
from lossfw.data.dataset import Dataset
from lossfw.data.row_filter import RowFilter
from lossfw.data.selected_rows import Selection


class FileParameter:
    """Marks the type of a parameter that names a file."""


def _to_path(value: Any) -> Path:
    if isinstance(value, Path):
        return value
    if isinstance(value, str) and value:
        return Path(value)
    raise ValueError("a file name")


# A parameter that names a file. In a configuration it is relative to the
# configuration's own file.
File: TypeAlias = Annotated[Path, BeforeValidator(_to_path), FileParameter()]


class LocationParameter(FileParameter):
    """Marks the type of a parameter that names a file, a folder, a pattern or an address."""


# A parameter that names files in any of these ways. In a configuration a path is relative
# to the configuration's own file; an address is what has `://` in it.
Location: TypeAlias = Annotated[str, LocationParameter()]


def location_fields(cls: type[Component]) -> tuple[str, ...]:
    """Return the names of the parameters that are a `Location`."""
    return _marked_fields(cls, LocationParameter)


def file_fields(cls: type[Component]) -> tuple[str, ...]:
    """Return the names of the parameters that name a file, in the order of the class.

    Examples
    --------
    >>> class Lines(Source):
    ...     file: File
    ...     other: File | None = None
    ...     scale: float = 1.0
    >>> file_fields(Lines)
    ('file', 'other')
    """
    return _marked_fields(cls, FileParameter)


def _marked_fields(cls: type[Component], mark: type[FileParameter]) -> tuple[str, ...]:
    return tuple(
        name
        for name, info in cls.model_fields.items()
        if _has_mark(info.metadata, mark) or _mentions(info.annotation, mark)
    )


def _has_mark(metadata: Iterable[Any], mark: type[FileParameter]) -> bool:
    return any(isinstance(item, mark) for item in metadata)


def _mentions(annotation: Any, mark: type[FileParameter]) -> bool:
    """Tell whether an annotation has the mark, also inside a union such as ``File | None``."""
    return _has_mark(getattr(annotation, "__metadata__", ()), mark) or any(
        _mentions(part, mark) for part in getattr(annotation, "__args__", ())
    )


def column_error(owner: str, name: str, known: Sequence[str]) -> ColumnError:
    """Return the error for a column that `owner` does not have."""
    if not known:
        return ColumnError(name, f"{owner} has no columns to slice by.")
    guess = did_you_mean(name, known)
    listed = shortlist(known, close_to=name)
    return ColumnError(name, f"{owner} has no column {name!r}; it has {listed}. {guess}".strip())


class Source(Component):
    """A data source: parameters that say where the rows are, and `load`, which reads them.

    An author writes `load`, and `bundled_file` if the plugin ships files, such as weights.

    Examples
    --------
    >>> class Ramp(Source):
    ...     rows: int = 3
    ...
    ...     def load(self):
    ...         return Dataset(self.name, targets=np.arange(self.rows) / self.rows)
    >>> import numpy as np
    >>> len(Ramp(rows=5).load())
    5
    """

    kind: ClassVar[str] = "source"

    @abstractmethod
    def load(self) -> Dataset:
        """Read the rows.

        Raises
        ------
        DataError
            If a file cannot be used; the message names the file, what it holds, what was expected
            and the remedy.
        """

    def load_with(self, columns: Sequence[str]) -> Dataset:
        """Read the rows, and add at least these columns to `Dataset.columns`.

        A source that reads columns on request overrides it. By default, `load` puts every column by
        which rows may be sliced into its data set.

        Parameters
        ----------
        columns : sequence of str
            The columns that slices, row filters and the file of rows name.

        Raises
        ------
        ColumnError
            If there is no such column.
        """
        data = self.load()
        for name in columns:
            if name not in data.columns:
                raise column_error(f"the source {self.name}", name, list(data.columns))
        return data

    def load_selected(self, rows: RowFilter, columns: Sequence[str]) -> Selection | None:
        """Read only the rows that pass a filter, with these columns.

        A source that can read the filter's columns first overrides it, and then reads no value of
        the other rows. By default it returns None: lossfw then reads all rows and filters them.
        """
        return None

    def without_inputs(self) -> Source:
        """Return this source without the inputs, which saved predictions do not need.

        A source that can skip them overrides it. By default, it returns the source itself.
        """
        return self

    def without_input_column(self, column: str) -> Source:
        """Return this source without a column among its inputs, unless the inputs are named.

        A source whose inputs are all remaining columns overrides it, so that the group column is
        not an input. By default, it returns the source itself.
        """
        return self

    @classmethod
    def bundled_file(cls, name: str) -> Path | None:
        """Return the path of a file that comes with the source's plugin, or None.

        lossfw looks up a file name in a configuration next to the configuration, then in the folder
        ``LOSSFW_DATA``, then here: so ``weights: digits-mlp.npz`` finds the weights that come with
        the digits.

        Parameters
        ----------
        name : str
            A bare file name, without folders.
        """
        return None
