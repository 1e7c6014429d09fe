"""Row shape: inputs and outputs of a kernel of rows, and the number of rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Up to so many columns rows are turned. More would take long to compile, and gain little.
FEW_COLUMNS = 64

# Elements of a strip of turned rows, and of a chunk of a long row.
ELEMENTS = 1024

# Rows of a strip are a multiple of this: as many floats as the widest registers hold.
_LANES = 16

# The order in which NumPy adds up a row: by halves and eight running sums where its elements
# lie beside each other, and one column after the other where rows do.
SumOrder: TypeAlias = Literal["pairwise", "columns"]


@dataclass(frozen=True)
class RowShape:
    """The inputs and outputs of a kernel of rows.

    Attributes
    ----------
    inputs : tuple of str
        One or two arrays of rows; the second may be numbers of columns, one for each row.
    by_index : bool
        Whether it is.
    columns : int
    losses, slopes : bool
        Whether the first output has one number for each row, and whether the last has one for
        each element.
    order : {"pairwise", "columns"}
        The order of sums of few columns.
    checked : bool
        Whether the last output tells with 1 which rows lie outside of the domain. The kernel
        tells whether there are any.
    """

    inputs: tuple[str, ...]
    by_index: bool
    columns: int
    losses: bool
    slopes: bool
    order: SumOrder
    checked: bool = False

    @property
    def turned(self) -> bool:
        """Whether rows are turned."""
        return self.columns <= FEW_COLUMNS

    @property
    def rows(self) -> int:
        """The rows of a strip."""
        return max(_LANES, ELEMENTS // self.columns // _LANES * _LANES) if self.turned else 1

    @property
    def wide(self) -> tuple[str, ...]:
        """The inputs that are rows."""
        return self.inputs[:1] if self.by_index else self.inputs
