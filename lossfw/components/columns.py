"""Columns: rows whose columns have names and their own spaces."""

from __future__ import annotations

import functools
import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossfw.components.spaces import Draw, Space, first_true_index, format_count
from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.numerics.arrays import Array, Namespace, namespace_of
from lossfw.numerics.records import record_of


@dataclass(frozen=True)
class Columns(Space):
    """A space of rows with named columns, each with its own space.

    The columns are on the last axis of an array. Columns may be vectors. If all columns are vectors
    of length D, an array has the shape (..., columns, D); next to columns of single numbers, a
    vector takes D columns.

    Attributes
    ----------
    names : tuple of str
    spaces : tuple of Space
    is_ordered : bool
        Whether the columns must not decrease from left to right; see `ordered`.
    is_flat : bool
        Whether vectors are concatenated along one axis; see `flat`.

    Examples
    --------
    >>> from lossfw import POSITIVE, REAL
    >>> space = Columns.of(location=REAL, scale=POSITIVE)
    >>> row = space.to_record(np.asarray([[1.0, 2.0], [3.0, 4.0]]))
    >>> row.scale
    array([2., 4.])
    >>> space.from_record(np, {"scale": row.scale, "location": row.location})
    array([[1., 2.],
           [3., 4.]])
    >>> space.check(np.asarray([[1.0, -2.0]]), "prediction")
    Traceback (most recent call last):
        ...
    lossfw.errors.DomainError: prediction.scale[0] = -2 lies outside POSITIVE, the numbers above 0.
    """

    names: tuple[str, ...] = ()
    spaces: tuple[Space, ...] = ()
    is_ordered: bool = False
    is_flat: bool = False

    @classmethod
    def of(cls, **spaces: Space) -> Columns:
        """Return the space of rows with these columns in this order."""
        if not spaces:
            raise ArgumentError("Columns.of() has no columns; expected name=SPACE for each.")
        for name, space in spaces.items():
            if keyword.iskeyword(name) or name.startswith("_") or not name.isidentifier():
                raise ArgumentError(
                    f"{name!r} cannot name a column; expected a word that Python takes as an "
                    "attribute, without _ at its beginning."
                )
            if not isinstance(space, Space):
                raise ArgumentError(f"column {name} is {space!r}; expected a space such as REAL.")
            if isinstance(space, Columns):
                raise ArgumentError(
                    f"column {name} has columns itself: write them into the outer Columns, for "
                    f"example as {name}_{space.names[0]}."
                )
        listed = ", ".join(f"{name}={space}" for name, space in spaces.items())
        meaning = "the rows of " + ", ".join(
            f"{name} in {space.meaning}" for name, space in spaces.items()
        )
        return cls(f"Columns({listed})", meaning, tuple(spaces), tuple(spaces.values()))

    def ordered(self) -> Columns:
        """Return the space of rows whose columns (all numbers) do not decrease.

        Examples
        --------
        >>> from lossfw import REAL
        >>> ends = Columns.of(lower=REAL, upper=REAL).ordered()
        >>> ends.check(np.asarray([[1.0, 1.0], [3.0, 2.0]]), "target")
        Traceback (most recent call last):
            ...
        lossfw.errors.DomainError: target.lower[1] = 3 is above target.upper[1] = 2; expected \
lower <= upper.
        """
        in_order = " <= ".join(self.names)
        return replace(self, meaning=f"{self.meaning}, {in_order}", is_ordered=True)

    def flat(self) -> Columns:
        """Return the space of the same rows in one axis, if all columns are vectors too."""
        return replace(self, is_flat=True)

    # Both are asked for many times in a call.
    @functools.cached_property
    def axes(self) -> int:
        """2 if all columns are rows of one size, else 1."""
        rows_alone = not self.is_flat and all(space.axes for space in self.spaces)
        return 2 if rows_alone and len({space.size for space in self.spaces}) == 1 else 1

    @functools.cached_property
    def size(self) -> int | None:
        """The number of values in all columns; None if a column has an open size."""
        sizes = [space.size for space in self.spaces]
        return None if None in sizes else sum(size or 0 for size in sizes)

    def widths(self, size: int) -> tuple[int, ...]:
        """Return the number of values of each column in a flat row of `size` values."""
        known = [space.size for space in self.spaces]
        open_ended = known.count(None)
        rest = size - sum(width or 0 for width in known)
        share = rest // open_ended if open_ended else 0
        return tuple(share if width is None else width for width in known)

    def check_size(self, size: int, role: str) -> None:
        """Raise `ShapeError` if no row has `size` numbers; see `Space.check_size`."""
        widths = self.widths(size)
        if sum(widths) == size and min(widths) > 0:
            return
        names = ", ".join(self.names)
        if self.size is not None:
            expected = f"{self.size}: {names}"
        else:
            expected = f"those of {names}, where vectors without a size have equally many"
        raise ShapeError(f"{role} has {format_count(size, 'column')}; expected {expected}.")

    def flat_size(self, width: int) -> int:
        """Return the numbers of a row in which each open vector has `width` of them."""
        return sum(space.flat_size(width) for space in self.spaces)

    def space_of_each(self, size: int) -> list[Space]:
        """Return the spaces of all numbers, column by column; see `Space.space_of_each`."""
        pairs = zip(self.spaces, self.widths(size), strict=True)
        return [own for space, width in pairs for own in space.space_of_each(width)]

    def labels(self, size: int) -> list[str]:
        """Return the name of the column of each number, as in ``prediction.location``."""
        columns = zip(self.names, self.spaces, self.widths(size), strict=True)
        return [
            f".{name}{label}" for name, space, width in columns for label in space.labels(width)
        ]

    def generate_rows(self, size: int, draw: Draw) -> Array:
        """Return rows whose columns are generated one by one; see `Space.generate_rows`."""
        pairs = zip(self.spaces, self.widths(size), strict=True)
        rows = self.from_record(np, [space.generate_rows(width, draw) for space, width in pairs])
        return np.sort(rows, axis=-1) if self.is_ordered else rows

    def row_shape(self, size: int) -> tuple[int, ...]:
        """Return the shape of a member of `size` numbers; see `Space.row_shape`."""
        return (len(self.names), size // len(self.names)) if self.axes > 1 else (size,)

    def iter_columns(self, x: Array) -> Iterator[tuple[str, Space, Array]]:
        """Yield name, space and values of each column; single numbers lose the last axis."""
        first = 0
        for name, space, width in zip(
            self.names, self.spaces, self.widths(x.shape[-1]), strict=True
        ):
            yield name, space, x[..., first : first + width] if space.axes else x[..., first]
            first += width

    def outside_or_none(self, x: Array) -> Array | None:
        """Return a mask of rows with a value outside of its space; see `Space.outside_or_none`."""
        found = [space.outside_or_none(part) for _, space, part in self.iter_columns(x)]
        bad = [mask for mask in found if mask is not None]
        bad += [falls for _, falls in self._find_falling(x)]
        return functools.reduce(lambda a, b: a | b, bad) if bad else None

    def check(self, x: Array, role: str, *, start: int = 0) -> None:
        """Raise `DomainError` for the first member of the first column that lies outside."""
        for name, space, part in self.iter_columns(x):
            space.check(part, f"{role}.{name}", start=start)
        for k, falls in self._find_falling(x):
            first, second = self.names[k : k + 2]
            at = first_true_index(falls)
            place = ", ".join(str(i + start if axis == 0 else i) for axis, i in enumerate(at))
            low, high = float(x[(*at, k)]), float(x[(*at, k + 1)])
            raise DomainError(
                f"{role}.{first}[{place}] = {low:.9g} is above {role}.{second}[{place}] = "
                f"{high:.9g}; expected {first} <= {second}."
            )

    def _find_falling(self, x: Array) -> Iterator[tuple[int, Array]]:
        """Yield columns that lie above the next one in some rows, and in which."""
        for k in range(len(self.names) - 1 if self.is_ordered else 0):
            falls = x[..., k] > x[..., k + 1]
            if namespace_of(falls).any(falls):
                yield k, falls

    def to_record(self, x: Array) -> Any:
        """Return flat rows as a record of columns by name, a number without the last axis."""
        return record_of(self.names)(*(part for _, _, part in self.iter_columns(x)))

    def from_record(self, xp: Namespace, parts: Any) -> Array:
        """Return columns, as a mapping by name or in their order, as flat rows."""
        if isinstance(parts, Mapping):
            if set(parts) != set(self.names):
                raise ShapeError(
                    f"a function of the loss returned the columns {', '.join(map(str, parts))}; "
                    f"expected {', '.join(self.names)}."
                )
            parts = [parts[name] for name in self.names]
        elif not isinstance(parts, (tuple, list)):
            return parts  # rows already
        if len(parts) != len(self.names):
            raise ShapeError(
                f"a function of the loss returned {format_count(len(parts), 'column')}; expected "
                f"{len(self.names)}: {', '.join(self.names)}."
            )
        if not any(space.axes for space in self.spaces):
            return xp.stack(list(parts), axis=-1)
        rows = [
            part if space.axes else part[..., None]
            for space, part in zip(self.spaces, parts, strict=True)
        ]
        return xp.concat(rows, axis=-1)
