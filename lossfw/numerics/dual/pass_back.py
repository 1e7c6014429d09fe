"""PassBack: the backward pass from a result to its row, through the recorded operations.

The pass carries cotangents, the derivatives of the result by the recorded parts:

- A choice passes a cotangent on unchanged, with its condition. Conditions are applied where
  cotangents are added: two branches of one choice become ``where(c, from_a, from_b)``, and no NaN
  comes from the branch that was not taken.
- With care, a factor that is 0 makes a cotangent 0. It mirrors the rule of arrays, by which a
  derivative of 0 stays 0 for any factor: dual numbers multiply from the argument to the result,
  and the pass back from the result to the argument.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeAlias

from lossfw.numerics.arrays import Array, Namespace, device_of
from lossfw.numerics.dual.parts import UnrecordedError, broadcast, is_one

# An array that can be broadcast to the shape of a part, or a float for all of its elements.
Cotangent: TypeAlias = Any

# What has to hold, or not to hold, where a cotangent counts; the outermost choice first.
Conditions: TypeAlias = tuple[tuple[Array, bool], ...]


def identity(x: Any) -> Any:
    """Return what is given."""
    return x


class RecordedPart(Protocol):
    """Protocol: a part in the pass; see `lossfw.numerics.dual.linear`."""

    like: Array
    links: tuple[Link, ...]
    number: int
    shape: tuple[Any, ...]


class Link(NamedTuple):
    """How a part depends on another one, its parent."""

    parent: RecordedPart
    # The cotangent of the parent from that of the part.
    pull: Callable[[Cotangent], Cotangent] = identity
    # Where the part depends on it.
    condition: tuple[Array, bool] | None = None
    # Conditions of the parent from those of the part; without it they are applied first.
    follow: Callable[[Array], Array] | None = identity


class PassBack:
    """The pass back over a namespace, with or without care."""

    def __init__(self, inner: Namespace, careful: bool) -> None:
        self.inner, self.careful = inner, careful

    def gradient(self, part: RecordedPart, seed: RecordedPart, start: Cotangent) -> Cotangent:
        """Return the cotangent of `seed`, the row, from that of a part."""
        nodes = {part.number: part}
        waiting: dict[int, list[tuple[Cotangent, Conditions]]] = {part.number: [(start, ())]}
        order = [-part.number]
        while order:
            number = -heapq.heappop(order)
            node = nodes.pop(number)
            c, conditions = self._sum_cotangents(waiting.pop(number), node.like)
            if node is seed:
                return self._mask_cotangent(c, conditions, node.like)
            for link in node.links:
                parent = link.parent
                if parent.number not in nodes:
                    nodes[parent.number] = parent
                    waiting[parent.number] = []
                    heapq.heappush(order, -parent.number)
                waiting[parent.number].append(self._pull_cotangent(node, link, c, conditions))
        return 0.0

    def _pull_cotangent(
        self, node: RecordedPart, link: Link, c: Cotangent, conditions: Conditions
    ) -> tuple[Cotangent, Conditions]:
        """Return the cotangent that a part sends to another one."""
        if link.follow is None:
            c = self._expand_cotangent(
                self._mask_cotangent(c, conditions, node.like), node.shape, node.like
            )
            return link.pull(c), () if link.condition is None else (link.condition,)
        if link.follow is not identity:
            if self.careful:
                conditions = tuple((link.follow(x), holds) for x, holds in conditions)
            else:
                # Before there are more elements than conditions.
                c, conditions = self._mask_cotangent(c, conditions, node.like), ()
        c = link.pull(c)
        if link.condition is not None:
            conditions = (*conditions, link.condition)
        shape, parent = node.shape, link.parent.shape
        if shape != parent and link.follow is identity and broadcast(shape, parent) != parent:
            c, conditions = self._mask_cotangent(c, conditions, node.like), ()
            c = self._sum_over_repeats(c, shape, parent)
        return c, conditions

    def product(self, c: Cotangent, factor: Any) -> Cotangent:
        """Return a cotangent times a factor."""
        if type(c) is float and c == 1.0:
            return factor if not isinstance(factor, int) else float(factor)
        product = c * factor
        if not self.careful or isinstance(product, float) or isinstance(factor, int | float):
            return product
        return self.inner.where(factor == 0, 0.0, product)

    def _sum_cotangents(
        self, terms: list[tuple[Cotangent, Conditions]], like: Array
    ) -> tuple[Cotangent, Conditions]:
        """Return the sum of cotangents, and where it counts.

        They are added in their order, also those with conditions: with care there are more of
        these, and a sum has the same bits without.
        """
        if len(terms) == 1:
            return terms[0]
        keyed = [(tuple((id(x), holds) for x, holds in each), c, each) for c, each in terms]
        before, one_sided = list({key: each for key, _, each in keyed}.values()), False
        while len({key for key, _, _ in keyed}) > 1:
            # The innermost choices, of which mostly both branches are there.
            depth = max(len(key) for key, _, _ in keyed)
            sums = _sum_by_key((key, c) for key, c, _ in keyed if len(key) == depth)
            outer = []
            for key, c, conditions in keyed:
                if len(key) < depth:
                    outer.append((key, c, conditions))
                elif key in sums:
                    condition, holds = conditions[-1]
                    mine = sums.pop(key)
                    other = sums.pop((*key[:-1], (key[-1][0], not holds)), None)
                    one_sided = one_sided or other is None
                    yes, no = (mine, other) if holds else (other, mine)
                    chosen = self._choose_cotangent(condition, yes, no, like)
                    outer.append((key[:-1], chosen, conditions[:-1]))
            keyed = outer
        (c,) = _sum_by_key((key, c) for key, c, _ in keyed).values()
        conditions = keyed[0][2]
        if self.careful and one_sided and () not in before:
            # Elsewhere nothing is known, which is not 0: the next factor may be infinite.
            conditions = ((self._any([self._all(each) for each in before]), True),)
        return c, conditions

    def _mask_cotangent(self, c: Cotangent, conditions: Conditions, like: Array) -> Cotangent:
        """Return a cotangent where its conditions hold, and 0 elsewhere."""
        for condition, holds in reversed(conditions):
            yes, no = (c, None) if holds else (None, c)
            c = self._choose_cotangent(condition, yes, no, like)
        return c

    def _choose_cotangent(self, condition: Array, a: Cotangent, b: Cotangent, like: Array) -> Array:
        """Return `a` where a condition holds and `b` elsewhere; None is 0."""
        a, b = (0.0 if x is None else x for x in (a, b))
        if isinstance(a, float) and isinstance(b, float):
            a = self.inner.full_like(condition, a, dtype=like.dtype)
        return self.inner.where(condition, a, b)

    def _all(self, conditions: Conditions) -> Array:
        truths = [x if holds else self.inner.logical_not(x) for x, holds in conditions]
        return functools.reduce(self.inner.logical_and, truths)

    def _any(self, truths: list[Array]) -> Array:
        return functools.reduce(self.inner.logical_or, truths)

    def _expand_cotangent(self, c: Cotangent, shape: tuple[int, ...], like: Array) -> Array:
        """Return a cotangent as an array of a shape."""
        if isinstance(c, float):
            return self.inner.full(shape, c, dtype=like.dtype, device=device_of(like))
        return self.inner.broadcast_to(c, shape)

    def _sum_over_repeats(
        self, c: Cotangent, shape: tuple[Any, ...], parent: tuple[Any, ...]
    ) -> Cotangent:
        """Return the sum of a cotangent over the axes along which a part was repeated."""
        xp, lead = self.inner, len(shape) - len(parent)
        if not isinstance(c, float) and c.ndim < len(shape):
            c = xp.broadcast_to(c, shape)
        for n, length in enumerate(shape):
            if n >= lead and not (is_one(parent[n - lead]) and not is_one(length)):
                continue
            if isinstance(c, float) or is_one(c.shape[n]):
                if not isinstance(length, int):
                    raise UnrecordedError("a number that meets all rows")
                c = c * float(length)
            else:
                c = xp.sum(c, axis=n, keepdims=True)
        return c if isinstance(c, float) or not lead else c[(0,) * lead]


def _sum_by_key(terms: Iterable[tuple[Any, Cotangent]]) -> dict[Any, Cotangent]:
    found: dict[Any, Cotangent] = {}
    for key, c in terms:
        found[key] = found[key] + c if key in found else c
    return found
