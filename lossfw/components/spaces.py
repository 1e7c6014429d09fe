"""Spaces: where predictions and targets live, and how membership is tested.

NaN belongs to every space: it has to reach the result, where it can be seen,
and is never mistaken for a value out of bounds. An interval without an upper
bound holds +inf, and likewise below. Rows of named columns are in
`lossfw.components.columns`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from lossfw.components.ranges import EXPONENTIATED, PromisedRange
from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.numerics.arrays import Array, Namespace, is_half, is_torch, namespace_of

# How far the sum of a distribution may be from 1: the square root of float32's
# rounding step, so that a softmax that was ever stored in float32 stays legal
# in float64 too; half precision has a coarser step.
_SUM_TOLERANCE = float(np.sqrt(np.finfo(np.float32).eps))
_SUM_TOLERANCE_HALF = float(np.sqrt(np.finfo(np.float16).eps))

# See `Space.fill`.
Draw: TypeAlias = Callable[["Space", tuple[int, ...]], Array]


@dataclass(frozen=True)
class Space(ABC):
    """A set of numbers or of rows.

    Attributes
    ----------
    name : str
        The word that stands in claims, documentation and messages.
    meaning : str
        The set in words, as an error prints it.
    """

    name: str
    meaning: str

    @property
    def axes(self) -> int:
        """The axes of a member: 0 for a number, 1 for a row, 2 for columns of vectors."""
        return 0

    @property
    def size(self) -> int | None:
        """How many numbers a member has; None if any number of them."""
        return None if self.axes else 1

    @property
    def of_rows(self) -> bool:
        """Whether a member is a row and not a single number."""
        return self.axes > 0

    def check_size(self, size: int, role: str) -> None:
        """Raise `ShapeError` if no member, as a flat row, has `size` numbers."""
        if self.size not in (None, size):
            raise ShapeError(f"{role} has {count_of(size, 'column')}; expected {self.size}.")

    def flat_size(self, width: int) -> int:
        """Return the numbers of a member in which each row without a size has `width` of them."""
        size = self.size
        return width if size is None else size

    def space_of_each(self, size: int) -> list[Space]:
        """Return the space of each number of a flat row; for a row that is one, its own."""
        return [self] * size

    def labels(self, size: int) -> list[str]:
        """Return what stands behind the role of an argument for each number of a flat row."""
        return [f"[{place}]" for place in range(size)] if self.axes else [""]

    def fill(self, size: int, draw: Draw) -> Array:
        """Return flat rows of `size` numbers, or numbers, that `draw` made.

        Parameters
        ----------
        size : int
        draw : callable
            ``draw(space, row)`` returns numbers of a space, in arrays ``(..., *row)``, or rows of a
            space whose numbers depend on each other.
        """
        return draw(self, (size,) if self.axes else ())

    def row_shape(self, size: int) -> tuple[int, ...]:
        """Return the shape of a member of `size` numbers."""
        return (size,) if self.axes else ()

    def has_shape(self, row: tuple[int, ...]) -> bool:
        """Tell whether a member may have a shape."""
        return row == self.row_shape(math.prod(row))

    def split(self, x: Array) -> Any:
        """Return members, as flat rows or numbers, in the form that a body gets."""
        return x

    def join(self, xp: Namespace, parts: Any) -> Array:
        """Return what a body made of its form of the members as flat rows or numbers."""
        return parts

    @abstractmethod
    def outside(self, x: Array) -> Array | None:
        """Tell which elements lie outside.

        Parameters
        ----------
        x : array
            Values; rows run along the last axis.

        Returns
        -------
        array of bool, or None
            One answer per element, or per row for a space of rows. None
            where everything is inside.
        """

    def check(self, x: Array, role: str, *, start: int = 0) -> None:
        """Raise `DomainError` for the first member of `x` that lies outside.

        Parameters
        ----------
        x : array
            Values to check.
        role : str
            What `x` is, for the message: ``"prediction"`` or ``"target"``.
        start : int
            Number of the first row of `x`, for the message.
        """
        bad = self.outside(x)
        if bad is None:
            return
        index = first_true(bad)
        value = x[(*index, ...)]
        where = ", ".join(str(i + start if axis == 0 else i) for axis, i in enumerate(index))
        address = f"{role}[{where}]" if where else role
        raise DomainError(f"{address} = {_show(value)} lies outside {self.name}, {self.meaning}.")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Interval(Space):
    """Numbers between two bounds.

    Attributes
    ----------
    low, high : float
    low_included, high_included : bool
        Whether a bound belongs to it.
    sizes : PromisedRange, optional
        The sizes for which a loss can promise results; see `PromisedRange`. They bound those
        that the loss names, so that each column has its own.

    Examples
    --------
    >>> Interval("LOG_RATE", "the logarithms of rates", sizes=PromisedRange(high=20.0)).sizes.high
    20.0
    """

    low: float = -np.inf
    high: float = np.inf
    low_included: bool = True
    high_included: bool = True
    sizes: PromisedRange | None = None

    def outside(self, x: Array) -> Array | None:
        """Tell which elements lie outside; see `Space.outside`."""
        if self.low == -np.inf and self.high == np.inf:
            return None
        # One pass for the usual case. A NaN makes both comparisons false.
        if isinstance(x, np.ndarray) and x.size:
            least, most, high = x.min(), x.max(), self.high
            above = least >= self.low if self.low_included else least > self.low
            if above and (most <= high if self.high_included or high == np.inf else most < high):
                return None
        elif isinstance(x, np.ndarray):
            return None
        bad = self.beyond(x)
        return bad if _any(bad) else None

    def beyond(self, x: Array) -> Array:
        """Tell of each element whether it lies outside."""
        return (x < self.low if self.low_included else x <= self.low) | (
            x > self.high if self.high_included else x >= self.high
        )


@dataclass(frozen=True)
class FiniteSpace(Space):
    """A few numbers, each of them listed."""

    members: tuple[float, ...] = ()

    def outside(self, x: Array) -> Array | None:
        """Tell which elements are none of the members; see `Space.outside`."""
        bad = self.beyond(x)
        return bad if _any(bad) else None

    def beyond(self, x: Array) -> Array:
        """Tell of each element whether it is none of the members."""
        bad = x == x  # NaN is let through
        for member in self.members:
            bad = bad & (x != member)
        return bad


@dataclass(frozen=True)
class Counts(Space):
    """0, 1, 2 and so on."""

    def outside(self, x: Array) -> Array | None:
        """Tell which elements are not whole numbers at or above 0; see `Space.outside`."""
        bad = (x < 0) | ((x % 1) > 0)
        return bad if _any(bad) else None


@dataclass(frozen=True)
class Simplex(Space):
    """Rows of non-negative numbers that sum to 1."""

    @property
    def axes(self) -> int:
        """Always 1: a distribution is a row."""
        return 1

    def outside(self, x: Array) -> Array | None:
        """Tell which rows are not distributions; see `Space.outside`."""
        xp = namespace_of(x)
        if isinstance(x, np.ndarray) and x.dtype.kind in "iu":
            # A sum of integers may leave their range.
            x = x.astype(np.float64)
        if isinstance(x, np.ndarray):
            if not x.size:
                return None
            if x.min() >= 0 and not self._far_from_one(np, x).any():
                return None
        bad = self.beyond(xp, x)
        return bad if _any(bad) else None

    def beyond(self, xp: Namespace, x: Array) -> Array:
        """Tell for each row whether it is not a distribution."""
        return xp.any(x < 0, axis=-1) | self._far_from_one(xp, x)

    def _far_from_one(self, xp: Namespace, x: Array) -> Array:
        tolerance = _SUM_TOLERANCE_HALF if is_half(x.dtype) else _SUM_TOLERANCE
        return xp.abs(xp.sum(x, axis=-1) - 1) > tolerance


@dataclass(frozen=True)
class ClassIndex(Space):
    """Integers 0 .. K-1; K is the number of columns of the prediction."""

    def outside(self, x: Array) -> Array | None:
        """Tell which indices are negative; the upper bound depends on the prediction."""
        bad = x < 0
        return bad if _any(bad) else None

    def check_below(self, index: Array, classes: int, *, start: int = 0) -> None:
        """Raise `DomainError` for the first index that is not in 0 .. `classes` - 1."""
        if isinstance(index, np.ndarray) and (
            not index.size or (index.min() >= 0 and index.max() < classes)
        ):
            return
        if is_torch(index) and index.numel():
            # A quarter of the operations below.
            least, most = index.aminmax()
            if int(least) >= 0 and int(most) < classes:
                return
        bad = (index < 0) | (index >= classes)
        if not _any(bad):
            return
        at = first_true(bad)
        row = ", ".join(str(i + start if axis == 0 else i) for axis, i in enumerate(at))
        address = f"target[{row}]" if row else "target"
        number = float(index[at])
        told = int(index[at]) if number.is_integer() else f"{number:.17g}"
        raise DomainError(
            f"{address} = {told} is not a class: the prediction has {classes} "
            f"column{'s, so classes are 0 .. ' if classes > 1 else ', so the only class is '}"
            f"{classes - 1}."
        )


@dataclass(frozen=True)
class Vector(Space):
    """Rows without names: numbers, such as an embedding or quantiles; or vectors, such as a sample.

    Attributes
    ----------
    of_numbers : Space
        The space of each number; or `VECTOR`, for rows (n, D) of any number of vectors. A body
        gets these flat, (..., n D).
    size : int or None
        How many numbers a row has; None if any number of them.

    Examples
    --------
    >>> Vector.of(REAL, size=3)
    Vector(name='Vector(REAL, size=3)', ...)
    >>> VECTOR.size is None, Vector.of(VECTOR).axes
    (True, 2)
    """

    of_numbers: Space = field(kw_only=True)
    size: int | None = None

    @classmethod
    def of(cls, space: Space, *, size: int | None = None) -> Vector:
        """Return the space of rows of `size` numbers of `space`."""
        if space.axes and (space != VECTOR or size is not None):
            raise ArgumentError(
                f"a Vector holds numbers, or any number of vectors; {space} is a space of rows."
            )
        if size is not None and size < 1:
            raise ArgumentError(f"size of a Vector is {size}; expected 1 or more, or None.")
        name = f"Vector({space})" if size is None else f"Vector({space}, size={size})"
        length = "" if size is None else f"{size} "
        what = "numbers, each of" if not space.axes else "vectors,"
        meaning = f"the rows of {length}{what} {space.meaning}"
        return cls(name, meaning, of_numbers=space, size=size)

    @property
    def axes(self) -> int:
        """1 for a row of numbers, 2 for a row of vectors."""
        return 1 + self.of_numbers.axes

    def outside(self, x: Array) -> Array | None:
        """Tell which rows hold a number that lies outside; see `Space.outside`."""
        bad = self.of_numbers.outside(x)
        if bad is None or self.axes > 1:
            return bad
        return namespace_of(bad).any(bad, axis=-1)

    def fill(self, size: int, draw: Draw) -> Array:
        """Return rows of numbers; see `Space.fill`."""
        return draw(self.of_numbers, (size,))

    def space_of_each(self, size: int) -> list[Space]:
        """Return the space of the numbers, also of those of vectors; see `Space.space_of_each`."""
        return self.of_numbers.space_of_each(size)

    def has_shape(self, row: tuple[int, ...]) -> bool:
        """Tell whether a member may have a shape; see `Space.has_shape`."""
        return len(row) == self.axes and min(row) > 0

    def check(self, x: Array, role: str, *, start: int = 0) -> None:
        """Raise `DomainError` for the first number that lies outside; see `Space.check`."""
        self.of_numbers.check(x, role, start=start)


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, in the singular or the plural."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _any(mask: Array) -> bool:
    return bool(namespace_of(mask).any(mask))


def first_true(mask: Array) -> tuple[int, ...]:
    """Return the index of the first True of a mask, in C order."""
    # What `torch.func` wraps a tensor in cannot be made an array of NumPy.
    first = mask.flatten().int().argmax() if is_torch(mask) else np.argmax(np.asarray(mask))
    return tuple(int(i) for i in np.unravel_index(int(first), tuple(mask.shape)))


def _show(value: Array) -> str:
    """Show a number, or a row with its sum, shortly."""
    # PyTorch warns of a conversion that would leave its graph.
    value = value.detach() if hasattr(value, "detach") else value
    if value.ndim == 0:
        return f"{float(value):.9g}"
    # Number by number: NumPy cannot convert the bfloat16 of other libraries.
    dense = np.array([float(value[i]) for i in range(value.shape[0])])
    head = ", ".join(f"{float(v):.6g}" for v in dense[:6])
    more = f", ... {dense.size} values" if dense.size > 6 else ""
    return f"[{head}{more}] (sum {float(dense.sum()):.9g})"


REAL = Interval("REAL", "the real numbers")
LOGITS = Interval("LOGITS", "the real numbers, infinite ones included")
LOG = Interval("LOG", "the logarithms of numbers above 0", sizes=EXPONENTIATED)
POSITIVE = Interval("POSITIVE", "the numbers above 0", low=0.0, low_included=False)
NONNEGATIVE = Interval("NONNEGATIVE", "the numbers at or above 0", low=0.0)
UNIT = Interval("UNIT", "the interval [0, 1]", low=0.0, high=1.0)
SIMPLEX = Simplex("SIMPLEX", "the rows of non-negative numbers that sum to 1")
SIGN = FiniteSpace("SIGN", "the set {-1, +1}", members=(-1.0, 1.0))
BINARY = FiniteSpace("BINARY", "the set {0, 1}", members=(0.0, 1.0))
CLASS_INDEX = ClassIndex("CLASS_INDEX", "the integers 0 .. K-1")
COUNT = Counts("COUNT", "the counts 0, 1, 2, ...")
VECTOR = Vector.of(REAL)

SPACES: dict[str, Space] = {
    space.name: space
    for space in (
        REAL,
        LOGITS,
        LOG,
        POSITIVE,
        NONNEGATIVE,
        UNIT,
        SIMPLEX,
        SIGN,
        BINARY,
        CLASS_INDEX,
        COUNT,
    )
}
