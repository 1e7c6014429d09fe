"""GroupPartial: a mergeable sum of the losses of groups over a range of rows.

A partial that begins or ends inside a group holds the rows of that group until its neighbours
arrive. Sums over complete groups are exact. So merging is associative and commutative, and gives
the bits of the call for any split of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lossfw.errors import ArgumentError, DomainError
from lossfw.losses.base import LossDefinition
from lossfw.losses.engine import groups
from lossfw.losses.engine.closed_groups import ClosedGroups, keys_from_ids
from lossfw.losses.engine.exact_sum import ExactSum
from lossfw.losses.engine.execute import RowSums
from lossfw.losses.engine.packing import pack_parts, unpack_part
from lossfw.losses.engine.partial import Partial
from lossfw.losses.engine.reduction import Sums
from lossfw.losses.engine.row_ranges import PartialOrigin, RowRanges
from lossfw.losses.group_inputs import GroupArguments
from lossfw.losses.inputs import result_dtype, work_dtype
from lossfw.losses.row_groups import Groups
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Rows `start` to `stop` of one group that may have more of them elsewhere."""

    key: int  # see `lossfw.losses.engine.closed_groups.keys_from_ids`
    start: int
    stop: int
    # Predictions and targets that count; each pair is more than twice as long as the next.
    blocks: tuple[tuple[NDArray, NDArray], ...]
    counted: bool  # whether a row counts, also with weight 0
    weight: float
    loss: float | None = None  # of these rows alone, where it has been computed

    def join(self, other: OpenGroup) -> OpenGroup:
        """Return these rows and those that follow."""
        if self.counted and other.counted and self.weight != other.weight:
            raise DomainError(
                f"sample_weight is {self.weight:g} before row {other.start} and {other.weight:g} "
                "from there on, within one group: all rows of a group have the same weight."
            )
        blocks = [*self.blocks, *other.blocks]
        while len(blocks) > 1 and len(blocks[-2][0]) <= 2 * len(blocks[-1][0]):
            last = blocks.pop()
            y, t = (np.concatenate(pair) for pair in zip(blocks.pop(), last, strict=True))
            blocks.append((y, t))
        counted = self.counted or other.counted
        weight = self.weight if self.counted else other.weight
        return OpenGroup(self.key, self.start, other.stop, tuple(blocks), counted, weight)

    def rows(self) -> tuple[NDArray, NDArray]:
        """Return predictions and targets of the rows that count."""
        y, t = (np.concatenate(arrays) for arrays in zip(*self.blocks, strict=True))
        return y, t

    def pack(self) -> dict[str, NDArray]:
        """Return the group as plain arrays, for `unpack`."""
        y, t = self.rows()
        numbers = np.array([self.key, self.start, self.stop, self.counted], np.int64)
        return {"numbers": numbers, "weight": np.array(self.weight), "y": y, "t": t}

    @classmethod
    def unpack(cls, arrays: Mapping[str, NDArray]) -> OpenGroup:
        """Return the group that was packed."""
        key, start, stop, counted = map(int, arrays["numbers"])
        rows = (arrays["y"], arrays["t"])
        return cls(key, start, stop, (rows,), bool(counted), float(arrays["weight"]))


@dataclass(frozen=True, slots=True)
class _Range:
    """Consecutive rows: those of the first group, and of the last if it is another one."""

    head: OpenGroup
    tail: OpenGroup | None = None

    @property
    def last(self) -> OpenGroup:
        return self.tail or self.head

    @property
    def groups(self) -> tuple[OpenGroup, ...]:
        return (self.head,) if self.tail is None else (self.head, self.tail)


@dataclass(frozen=True, slots=True)
class GroupPartial(Partial):
    """A mergeable sum of the losses of groups over a range of rows.

    It stores the rows of the first and the last group of each range, because these groups may
    continue in another partial. So it needs memory for two groups, or for all rows if they are one
    group.

    Attributes
    ----------
    loss : Loss
        The loss, which is computed for a group once all its rows are there.
    closed : ClosedGroups
        The groups that are complete. `total`, `weight`, `count` and `masked` are about them, and
        there are no blocks.
    ranges : tuple
        The groups that may have more rows in another partial.

    Examples
    --------
    >>> import lossfw
    >>> class Spread(lossfw.GroupLoss):
    ...     "The largest residual of a group less the least."
    ...     def value(self, xp, y, t):
    ...         return xp.max(y - t, axis=-1) - xp.min(y - t, axis=-1)
    >>> loss, y, t, ids = Spread(), [1.0, 4.0, 2.0, 2.5], [0.0] * 4, [7, 7, 7, 9]
    >>> first = loss.partial(y[:2], t[:2], group=ids[:2])
    >>> rest = loss.partial(y[2:], t[2:], group=ids[2:], start=2)
    >>> rest.merge(first).mean() == loss(y, t, group=ids)
    True
    """

    block: int = 0
    loss: LossDefinition = field(kw_only=True)
    closed: ClosedGroups = field(default_factory=ClosedGroups)
    ranges: tuple[_Range, ...] = ()

    def merge(self, other: Partial) -> GroupPartial:
        """Return the merged partial, for the rows of both.

        Raises
        ------
        ArgumentError
            If the partials are of different losses or parameters, share rows, or have rows of one
            group with others between them.
        """
        origin = self.origin.merge(other.origin)
        if not isinstance(other, GroupPartial):
            raise ArgumentError("a partial of groups and a partial of rows cannot be merged.")
        merged = replace(
            self,
            total=self.total.merge(other.total),
            weight=self.weight.merge(other.weight),
            count=self.count + other.count,
            masked=self.masked + other.masked,
            closed=self.closed.merge(other.closed),
            origin=origin,
        )
        ranges: list[_Range] = []
        complete: list[OpenGroup] = []
        for part in sorted((*self.ranges, *other.ranges), key=lambda part: part.head.start):
            if ranges and ranges[-1].last.stop == part.head.start:
                joined, closed = _join_ranges(ranges.pop(), part)
                complete += closed
                ranges.append(joined)
            else:
                ranges.append(part)
        return replace(merged._add_complete(complete), ranges=tuple(ranges))

    def _add_complete(self, complete: list[OpenGroup]) -> GroupPartial:
        """Return the partial with the losses of groups of which all rows are there."""
        if not complete:
            return self
        losses = np.array([_loss_of(self.loss, group) for group in complete])
        counted = np.array([group.counted for group in complete])
        weights = np.array([group.weight for group in complete])
        keys = np.array([group.key for group in complete])
        rows = np.array([group.start for group in complete])
        return self._add(losses, np.where(counted, weights, 0.0), counted, keys, rows)

    def _add(
        self, losses: NDArray, weights: NDArray, counted: NDArray, keys: NDArray, rows: NDArray
    ) -> GroupPartial:
        """Return the partial with more groups, of their losses, weights, keys and first rows."""
        some = weights > 0
        return replace(
            self,
            total=self.total.add_array(losses[some] * weights[some]),
            weight=self.weight.add_array(weights[some]),
            count=self.count + int(counted.sum()),
            masked=self.masked + int((~counted).sum()),
            closed=self.closed.add(keys, rows),
        )

    def pack(self) -> dict[str, NDArray]:
        """Return the partial as plain arrays, for `Loss._unpack_partial`."""
        tails = [int(part.tail is not None) for part in self.ranges]
        held = {f"open{n}": group for n, group in enumerate(self._open_groups())}
        parts = pack_parts(total=self.total, weight=self.weight, origin=self.origin, **held)
        numbers = np.array([self.count, self.masked, *tails], np.int64)
        return {"group_numbers": numbers, "closed": self.closed.pack()} | parts

    @classmethod
    def unpack_for(cls, loss: LossDefinition, arrays: Mapping[str, NDArray]) -> GroupPartial:
        """Return the partial of `loss` from packed arrays."""
        count, masked, *tails = map(int, arrays["group_numbers"])
        total, weight = (ExactSum.unpack(unpack_part(name, arrays)) for name in ("total", "weight"))
        closed = ClosedGroups.unpack(arrays["closed"])
        origin = PartialOrigin.unpack(unpack_part("origin", arrays))
        held = (
            OpenGroup.unpack(unpack_part(f"open{n}", arrays))
            for n in range(len(tails) + sum(tails))
        )
        ranges = tuple(_Range(next(held), next(held) if tail else None) for tail in tails)
        return cls(
            0, total, weight, count, masked, (), origin, closed=closed, ranges=ranges, loss=loss
        )

    def _open_groups(self) -> Iterator[OpenGroup]:
        for part in self.ranges:
            yield from part.groups

    def sums(self) -> Sums:
        """Return the sums of w l and w over all groups, complete or not, and their number."""
        whole = self._add_complete(list(self._open_groups()))
        return Sums(whole.total.round_to_float(), whole.weight.round_to_float(), whole.count)


def _join_ranges(a: _Range, b: _Range) -> tuple[_Range, list[OpenGroup]]:
    """Return two neighbours as one range, and the groups that are complete now."""
    if a.last.key != b.head.key:
        between = [group for group in (a.tail, b.head if b.tail else None) if group is not None]
        return _Range(a.head, b.tail or b.head), between
    middle = a.last.join(b.head)
    if a.tail is None:
        return _Range(middle, b.tail), []
    return (_Range(a.head, b.tail), [middle]) if b.tail else (_Range(a.head, middle), [])


def _loss_of(loss: LossDefinition, group: OpenGroup) -> float:
    """Return the loss of a group of which all rows are there, 0 if none counts."""
    if group.loss is not None:
        return group.loss
    y, t = group.rows()
    dtype = result_dtype(y)
    rows = Groups.of_equal_size(int(len(y) > 0), len(y))
    call = GroupArguments(y, t, dtype, work_dtype(np, dtype), (rows.count,), y.shape, groups=rows)
    return float(groups.group_losses(loss, call).sum())


def partial(
    loss: LossDefinition, call: GroupArguments, *, rows: bool, origin: str
) -> tuple[GroupPartial, RowSums | None]:
    """Return the partial of a call.

    `rows` receives the sums of each group, as far as its rows are there.
    `origin` is the loss with its parameters.
    """
    number = len(call.sizes)
    counted = call.counts if call.counts is not None else np.ones(number, bool)
    weights = np.where(counted, 1.0 if call.weight is None else call.weight, 0.0)
    if call.is_flat:
        keys, first = keys_from_ids(call.ids), call.start + np.cumsum(call.sizes) - call.sizes
        stop = call.start + int(call.sizes.sum())
        ends = sorted({0, number - 1}) if number else []
    else:
        # Each line is a whole group, and has a row's number.
        keys = first = call.start + np.arange(number)
        stop, ends = call.start + number, []
    inner = np.ones(number, bool)
    inner[ends] = False
    losses = groups.group_losses(loss, call if rows else call.select_groups(inner)).astype(
        np.float64
    )
    held = [
        OpenGroup(
            int(keys[k]),
            int(first[k]),
            int(first[k] + call.sizes[k]),
            (call.rows_of_group(k),),
            bool(counted[k]),
            float(weights[k]),
            float(losses[k]) if rows else None,
        )
        for k in ends
    ]
    seen = PartialOrigin(origin, RowRanges.single(call.start, stop))
    found = GroupPartial(loss=loss, ranges=(_Range(*held),) if held else (), origin=seen)
    found = found._add(losses[inner], weights[inner], counted[inner], keys[inner], first[inner])
    return found, RowSums(losses * weights, weights, 1) if rows else None
