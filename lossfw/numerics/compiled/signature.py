"""The signature of a kernel: its inputs and outputs, and how much it computes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from lossfw.numerics.arrays import FEW_COLUMNS

# Elements of a strip of elements, whose arrays, 2 to 4 KiB each, fit the first-level cache, and
# records of a strip of transposed ones, whose arrays do.
STRIP, _RECORDS = 512, 128

# LLVM loads the same number of several records at once where they have at most so many numbers.
# Longer ones are transposed, which takes a third to a half of the time.
_MOST_LOADED_AT_ONCE = 8

# Elements of a strip of transposed rows, and of a chunk of a long row.
ELEMENTS = 1024

# Rows of a strip are a multiple of this: as many floats as the widest registers hold.
_LANES = 16

# The order in which NumPy adds up a row: by halves and eight running sums where its elements
# lie next to each other, and one column after the other where rows do.
SumOrder: TypeAlias = Literal["pairwise", "columns"]

# Nothing lies outside of it; the caller has to look; or the last output is 1 for each element or
# row outside, else 0, and the kernel reports whether there are any.
Domain: TypeAlias = Literal["unbounded", "unchecked", "checked"]


@dataclass(frozen=True)
class KernelSignature:
    """The inputs and outputs of a kernel of elements or of rows."""

    inputs: tuple[str, ...]  # one or two arrays of the kernel's dtype
    # The first output has one number for each element, or for each row, and the next has one for
    # each element.
    values: bool
    derivatives: bool
    domain: Domain = "unbounded"
    # Of elements only: it multiplies by weights, and sums values without writing them; it sums
    # values.
    weighted: bool = False
    summed: bool = True
    columns: int | None = None  # the length of a row
    by_index: bool = False  # the second input is a column for each row, in int64
    order: SumOrder = "pairwise"  # of sums of few columns
    # Of records of columns, whose graph is one of elements with an input for each number, such as
    # ``y.0``: how many numbers of a record lie next to each other in each input. There is a
    # derivative for each number of the first.
    widths: tuple[int, ...] = ()

    @property
    def is_checked(self) -> bool:
        """Whether the last output marks what is outside of the domain."""
        return self.domain == "checked"

    @property
    def has_sum(self) -> bool:
        """Whether the kernel returns the sum of values."""
        return self.values and self.summed and self.columns is None

    def width(self, name: str) -> int:
        """Return how many numbers an input, or the derivatives, have per element."""
        place = 0 if name == "derivatives" else self.inputs.index(name)
        return self.widths[place] if self.widths else 1

    @property
    def transposed(self) -> bool:
        """Whether the kernel transposes rows."""
        return self.columns is not None and self.columns <= FEW_COLUMNS

    def is_transposed(self, name: str) -> bool:
        """Return whether the kernel transposes an input, or the derivatives, strip by strip."""
        return self.transposed or self.width(name) > _MOST_LOADED_AT_ONCE

    @property
    def row_length(self) -> int:
        """The columns of a row; a strip of elements is a row by itself."""
        if self.columns is not None:
            return self.columns
        return _RECORDS if any(map(self.is_transposed, self.inputs)) else STRIP

    @property
    def strip_rows(self) -> int:
        """The rows of a strip."""
        return max(_LANES, ELEMENTS // self.row_length // _LANES * _LANES) if self.transposed else 1

    @property
    def row_inputs(self) -> tuple[str, ...]:
        """The inputs that are rows, or elements."""
        return self.inputs[:1] if self.by_index else self.inputs
