"""The complete groups of a partial, so that a repeated one is refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray

# Bytes of the key of a group.
_KEY_BYTES = 8

_KEY, _ROW = 0, 1


@dataclass(frozen=True, slots=True)
class ClosedGroups:
    """The keys of groups with their first rows, 16 bytes per group.

    A level has pairs of them, sorted by key, and is more than twice as long as the next level,
    so that many merges cost little.

    Examples
    --------
    >>> closed = ClosedGroups().add(np.array([7, 3]), np.array([0, 4]))
    >>> closed.merge(ClosedGroups().add(np.array([3]), np.array([9])))
    Traceback (most recent call last):
        ...
    lossfw.errors.ArgumentError: rows 4 and 9 belong to one group, with rows of other groups ...
    """

    levels: tuple[NDArray, ...] = ()

    def add(self, keys: NDArray, rows: NDArray) -> ClosedGroups:
        """Return the groups with new ones; raise `ArgumentError` for a repeated group."""
        if not len(keys):
            return self
        pairs = np.stack([keys, rows], axis=1)[np.argsort(keys)]
        _refuse_shared(pairs[:-1], pairs[1:], same=pairs[:-1, _KEY] == pairs[1:, _KEY])
        return self.merge(ClosedGroups((pairs,)))

    def merge(self, other: ClosedGroups) -> ClosedGroups:
        """Return the groups of both; raise `ArgumentError` if they share one."""
        levels = list(self.levels)
        for pairs in other.levels:
            for level in levels:
                place = np.searchsorted(level[:, _KEY], pairs[:, _KEY])
                beside = level[np.minimum(place, len(level) - 1)]
                _refuse_shared(beside, pairs, same=beside[:, _KEY] == pairs[:, _KEY])
            levels.append(pairs)
            while len(levels) > 1 and len(levels[-2]) <= 2 * len(levels[-1]):
                joined = np.concatenate([levels.pop(), levels.pop()])
                levels.append(joined[np.argsort(joined[:, _KEY])])
        return ClosedGroups(tuple(levels))

    def pack(self) -> NDArray:
        """Return the groups as an array, for `unpack`."""
        return np.concatenate(self.levels) if self.levels else np.zeros((0, 2), np.int64)

    @classmethod
    def unpack(cls, pairs: NDArray) -> ClosedGroups:
        """Return the groups that were packed."""
        return cls((pairs[np.argsort(pairs[:, _KEY])],) if len(pairs) else ())


def _refuse_shared(a: NDArray, b: NDArray, *, same: NDArray) -> None:
    """Raise `ArgumentError` for the first pair of rows of the same group."""
    if same.any():
        first, second = sorted((int(a[same][0, _ROW]), int(b[same][0, _ROW])))
        raise ArgumentError(
            f"rows {first} and {second} belong to one group, with rows of other groups between "
            "them: the rows of a group have to be next to each other. Sort the rows by their "
            "group."
        )


def keys_from_ids(ids: NDArray) -> NDArray:
    """Return a 64-bit integer per id: the number itself, or a digest of a string.

    Examples
    --------
    >>> keys_from_ids(np.array([3.0, 5.0]))
    array([3, 5])
    >>> keys_from_ids(np.array(["a"])) == keys_from_ids(np.array(["a", "b"]))
    array([ True, False])
    """
    kind = ids.dtype.kind
    if kind in "iub" or (kind == "f" and (ids == np.floor(ids)).all()):
        return ids.astype(np.int64)
    digests = [
        hashlib.blake2b(repr(name).encode(), digest_size=_KEY_BYTES) for name in ids.tolist()
    ]
    return np.array([int.from_bytes(d.digest(), "little", signed=True) for d in digests], np.int64)
