"""Groups of rows, from the ids of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.numerics.arrays import NDArray, as_numpy, has_values

# The shape of the rows: (N,), or (G, n) for groups of one size.
Lead: TypeAlias = tuple[int, ...]

# NumPy's kinds of ids: numbers, texts, dates, and objects, which may be texts.
_IDS = "iufbUSMO"

_SORT = "Sort the rows, for example by np.argsort(group, kind='stable')."


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of rows, in the order of their first rows.

    Attributes
    ----------
    rows : ndarray of int
        Numbers of the rows that count; the rows of a group are adjacent.
    sizes : ndarray of int, (G,)
        The number of such rows in each group; 0 for a group that is left out.
    """

    rows: NDArray
    sizes: NDArray

    @classmethod
    def of_equal_size(cls, count: int, size: int) -> Groups:
        """Return a number of groups of the same size."""
        return cls(np.arange(count * size), np.full(count, size))

    @property
    def count(self) -> int:
        """The number of groups, including those that are left out."""
        return len(self.sizes)

    @property
    def starts(self) -> NDArray:
        """Where each group begins in `rows`."""
        return np.cumsum(self.sizes) - self.sizes

    @property
    def numbers(self) -> NDArray:
        """The group of each of `rows`."""
        return np.repeat(np.arange(self.count), self.sizes)

    def select(self, mask: NDArray) -> Groups:
        """Return the groups of the rows in a mask of `rows`."""
        return Groups(self.rows[mask], np.bincount(self.numbers[mask], minlength=self.count))

    def stacks(self, max_elements: int | None = None) -> Iterator[tuple[NDArray, NDArray]]:
        """Yield groups of one size: their numbers (g,) and their rows (g, n).

        `max_elements` is that of an array (g, n, n), which bodies of pairs have.
        """
        starts = self.starts
        for size in np.unique(self.sizes[self.sizes > 0]).tolist():
            which = np.flatnonzero(self.sizes == size)
            most = len(which) if max_elements is None else groups_per_stack(max_elements, size)
            for first in range(0, len(which), most):
                some = which[first : first + most]
                yield some, self.rows[starts[some][:, np.newaxis] + np.arange(size)]


def groups_per_stack(max_elements: int, size: int) -> int:
    """Return how many groups of a size fit into an array (g, n, n) with so many elements."""
    return max(1, max_elements // size**2)


def find_groups(group: Any, lead: Lead) -> tuple[Groups, NDArray]:
    """Return the groups of the rows with their ids."""
    if len(lead) == 2:
        return Groups.of_equal_size(*lead), np.arange(lead[0])
    (rows,) = lead
    if group is None:
        return Groups.of_equal_size(int(rows > 0), rows), np.zeros(int(rows > 0), int)
    ids = read_ids(group, rows)
    first = np.flatnonzero(np.append(True, ids[1:] != ids[:-1])) if rows else np.zeros(0, int)
    names = ids[first]
    _refuse_split_groups(names, first)
    return Groups(np.arange(rows), np.diff(np.append(first, rows))), names


def read_ids(group: Any, rows: int) -> NDArray:
    """Return the group of each row as a NumPy array; raise if it is not one id per row."""
    if not has_values(group):
        raise ArgumentError(
            "group is traced by JAX, but the groups must be known before the call: pass ids that "
            "are not an argument of the traced function, or predictions of shape (G, n) with where."
        )
    ids = as_numpy(group)
    if ids.dtype.kind == "O":
        ids = _to_text_or_numbers(ids)
    if ids.dtype.kind not in _IDS:
        raise ArgumentError(f"group has dtype {ids.dtype}; expected numbers or strings.")
    if ids.shape != (rows,):
        raise ShapeError(
            f"group has shape {ids.shape}; expected ({rows},), one id for each row."
            f"{_remedy(ids, rows)}"
        )
    missing = ids != ids
    if missing.any():
        raise DomainError(
            f"group[{int(np.argmax(missing))}] is {ids[np.argmax(missing)]}: every row needs the "
            "id of its group."
        )
    return ids


def _to_text_or_numbers(ids: NDArray) -> NDArray:
    """Return ids that are objects, as pandas has texts, as an array of texts or numbers."""
    for place, name in enumerate(ids.reshape(-1)):
        if name is None or not isinstance(name, str | int | np.integer):
            raise ArgumentError(
                f"group[{place}] is {name!r}; expected a number or a string for every row."
            )
    return np.asarray(ids.tolist())


def _remedy(ids: NDArray, rows: int) -> str:
    """Return what to write in place of sizes, or of a column; empty if it is something else."""
    if ids.ndim == 1 and ids.dtype.kind in "iu" and int(ids.sum()) == rows:
        return (
            " These are sizes: np.repeat(np.arange(len(group)), group) has the group of each row."
        )
    return " Pass group.squeeze(-1)." if ids.shape == (rows, 1) else ""


def _refuse_split_groups(names: NDArray, first: NDArray) -> None:
    """Raise `ArgumentError` if a group is in two places; `first` are its first rows."""
    if len(names) < 2 or (names.dtype.kind != "b" and (names[1:] > names[:-1]).all()):
        return
    order = np.argsort(names, kind="stable")
    again = np.flatnonzero(names[order][1:] == names[order][:-1])
    if again.size:
        before, after = first[order[again[0] : again[0] + 2]].tolist()
        name = names[order[again[0]]]
        raise ArgumentError(
            f"group[{before}] and group[{after}] are both {name.item()!r}, with rows of other "
            f"groups between them: the rows of a group have to be next to each other. {_SORT}"
        )
