"""Source: a component that loads a data set, and the type of its file parameters."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BeforeValidator

from lossfw.components.component import Component
from lossfw.data.dataset import Dataset


class FileParameter:
    """Marks a parameter that names a file, in the metadata of its type."""


def _as_path(value: Any) -> Path:
    if isinstance(value, Path):
        return value
    if isinstance(value, str) and value:
        return Path(value)
    raise ValueError("the name of a file")


# A parameter that names a file. In a configuration it is relative to the file
# that writes it; `file_fields` tells which parameters of a class are such.
File: TypeAlias = Annotated[Path, BeforeValidator(_as_path), FileParameter()]


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
    return tuple(
        name
        for name, info in cls.model_fields.items()
        if any(isinstance(item, FileParameter) for item in info.metadata)
        or _mentions_file(info.annotation)
    )


def _mentions_file(annotation: Any) -> bool:
    """Look for the mark inside a union such as ``File | None``."""
    metadata = getattr(annotation, "__metadata__", ())
    if any(isinstance(item, FileParameter) for item in metadata):
        return True
    return any(_mentions_file(part) for part in getattr(annotation, "__args__", ()))


class Source(Component):
    """A data source: parameters that say where the rows are, and `load` that reads them.

    An author writes `load`. A source that ships files with its plugin, weights
    of a network for instance, says so in `bundled`.

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
            If a file cannot be used; the message names it, what was found in
            it, what was wanted, and how to mend it.
        """

    @classmethod
    def bundled(cls, name: str) -> Path | None:
        """Return the path of a file that comes with the source's plugin, None for no such file.

        A name in a configuration that is not found beside the configuration
        (nor in the folder that ``LOSSFW_DATA`` names) is asked for here: so
        ``weights: digits-mlp.npz`` finds the weights that come with the digits.

        Parameters
        ----------
        name : str
            A bare file name, without folders.
        """
        return None
