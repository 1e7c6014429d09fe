"""LinearPart: a derivative that is recorded, for one pass back.

The rules of dual numbers multiply, add and choose parts. For a `LinearPart` these few operations
are recorded, and the pass back goes through the record from the result to the row: so the gradient
of a row takes one pass for any number of classes. It consists of functions of the namespace only,
so it can be traced.

The pass back carries cotangents, the derivatives of the result by what was recorded:

- A choice sends a cotangent on unchanged, with the condition next to it. Conditions are applied
  where cotangents are added up: two branches of one choice become ``where(c, from_a, from_b)``,
  and no NaN comes from the branch that was not taken.
- With care, a factor that is 0 makes a cotangent 0. It is the mirror image of the rule of arrays,
  by which a derivative that is 0 stays 0 for any factor: dual numbers multiply from the argument
  to the result, and the pass back from the result to the argument.

An operation that is not recorded raises `UnrecordedError`.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, columns, device_of
from lossfw.numerics.dual.parts import UnrecordedError, broadcast, is_one
from lossfw.numerics.dual.rules import REARRANGING

# An array that can be broadcast to the shape of a part, or a float for all of its elements.
Cotangent: TypeAlias = Any

# What has to hold, or not to hold, where a cotangent counts; the outermost choice first.
Conditions: TypeAlias = tuple[tuple[Array, bool], ...]

_numbers = itertools.count()


def _same(x: Any) -> Any:
    return x


class Link(NamedTuple):
    """How a part depends on another one.

    Attributes
    ----------
    parent : LinearPart
    pull : callable
        The cotangent of `parent` from that of the part.
    condition : tuple, optional
        Where the part depends on `parent`.
    follow : callable, optional
        What makes conditions of `parent` from those of the part. Without it they are applied first.
    """

    parent: LinearPart
    pull: Callable[[Cotangent], Cotangent] = _same
    condition: tuple[Array, bool] | None = None
    follow: Callable[[Array], Array] | None = _same


class LinearPart:
    """A part: a linear function of the row, by the parts that it depends on.

    `like` is any array with the dtype and on the device of the part.
    """

    __slots__ = ("like", "links", "number", "parts", "shape")

    # With this NumPy leaves ``array * part`` to Python, which refuses it.
    __array_ufunc__ = None

    def __init__(self, parts: LinearParts, shape: Sequence[Any], like: Array, *links: Link) -> None:
        self.parts, self.shape, self.like, self.links = parts, tuple(shape), like, links
        # Later parts depend on earlier ones.
        self.number = next(_numbers)

    @property
    def device(self) -> Any:
        """Where arrays must be made to meet the part."""
        return device_of(self.like)

    def _each(self, pull: Callable[[Cotangent], Cotangent], other: Any = None) -> LinearPart:
        shape = broadcast(self.shape, getattr(other, "shape", ()))
        return LinearPart(self.parts, shape, self.like, Link(self, pull))

    def __neg__(self) -> LinearPart:
        return self._each(lambda c: -c)

    def __add__(self, other: LinearPart) -> LinearPart:
        shape = broadcast(self.shape, other.shape)
        return LinearPart(self.parts, shape, self.like, Link(self), Link(other))

    def __sub__(self, other: LinearPart) -> LinearPart:
        return self + -other

    def __truediv__(self, divisor: Any) -> LinearPart:
        return self._each(lambda c: c / divisor, divisor)

    def __getitem__(self, key: Any) -> LinearPart:
        keys = key if isinstance(key, tuple) else (key,)
        if keys in ((), (Ellipsis,)):
            return self
        if keys in ((Ellipsis, None), (slice(None), None)) and len(self.shape) == len(keys) - 1:
            link = Link(self, lambda c: _indexed(c, (..., 0)), follow=lambda x: x[..., 0])
            return LinearPart(self.parts, (*self.shape, 1), self.like, link)
        if len(keys) == 2 and keys[0] in (Ellipsis, slice(None)) and isinstance(keys[1], int):
            return self._element(keys[1])
        return self.parts.rearranged(self, lambda x: x[key])

    def _element(self, at: int) -> LinearPart:
        """Return the element of each row at a place."""
        length = self.shape[-1]

        def wide(x: Cotangent) -> Cotangent:
            return _indexed(x, (..., None))

        chosen = None
        if length != 1:
            chosen = columns(self.parts.inner, self) == at % length, True
        return LinearPart(self.parts, self.shape[:-1], self.like, Link(self, wide, chosen, wide))


class LinearParts:
    """The namespace of such parts over `inner`.

    Without care, products are those of the arrays: where infinity or NaN meets 0, the result is
    not finite.
    """

    def __init__(self, inner: Namespace, careful: bool) -> None:
        self.inner, self.careful = inner, careful

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in REARRANGING:
            raise UnrecordedError(f"xp.{name} of a derivative")
        function = getattr(np, name)
        return lambda x, *args, **kwargs: self.rearranged(
            x, lambda places: function(places, *args, **kwargs)
        )

    # What the rules of dual numbers use.

    def scale(self, factor: Any, part: LinearPart | None) -> LinearPart | None:
        """Return ``factor * part``."""
        if part is None or factor is None:
            return None
        return part._each(lambda c: self._product(c, factor), factor)

    def multiply_or_zero(self, factor: Any, part: LinearPart | None) -> LinearPart | None:
        """Return ``factor * part``, and 0 where the factor is 0, whatever the part is."""
        scaled = self.scale(factor, part)
        if scaled is None or not self.careful:
            return scaled
        return LinearPart(self, scaled.shape, scaled.like, Link(scaled, _same, (factor != 0, True)))

    def over(self, part: LinearPart | None, divisor: Any, like: Array) -> LinearPart | None:
        """Return ``part / divisor``."""
        if isinstance(divisor, int | float) and not divisor:
            raise UnrecordedError("a quotient by the number 0")
        return None if part is None else part / divisor

    def choose(
        self, condition: Array, a: LinearPart | None, b: LinearPart | None, like: Array
    ) -> LinearPart | None:
        """Return the part `a` where a condition holds and `b` elsewhere."""
        if a is b:
            return a
        pairs = ((a, True), (b, False))
        links = [Link(x, _same, (condition, holds)) for x, holds in pairs if x is not None]
        return LinearPart(self, like.shape, like, *links)

    def dense(self, part: LinearPart | None, like: Array) -> LinearPart:
        """Return a part in the shape and dtype of `like`."""
        if part is None:
            return LinearPart(self, like.shape, like)
        if part.shape == tuple(like.shape) and part.like.dtype == like.dtype:
            return part
        return LinearPart(self, like.shape, like, Link(part))

    # Linear functions of arrays.

    def sum(
        self, x: LinearPart, *, axis: Any = None, keepdims: bool = False, **_: Any
    ) -> LinearPart:
        """Return the sum along axes."""
        axes = _axes(axis, x.shape)
        kept = tuple(1 if n in axes else length for n, length in enumerate(x.shape))
        shape = kept if keepdims else tuple(x.shape[n] for n in range(len(kept)) if n not in axes)

        def wide(c: Cotangent) -> Cotangent:
            if keepdims or isinstance(c, float):
                return c
            c = c if c.ndim == len(shape) else self.inner.broadcast_to(c, shape)
            if axes == {len(kept) - 1}:
                # As it is written of symbols.
                return c[..., None]
            return c[tuple(None if n in axes else slice(None) for n in range(len(kept)))]

        return LinearPart(self, shape, x.like, Link(x, wide, None, wide))

    def mean(self, x: LinearPart, *, axis: Any = None, keepdims: bool = False) -> LinearPart:
        """Return the mean along axes."""
        lengths = [x.shape[n] for n in _axes(axis, x.shape)]
        if not all(isinstance(length, int) for length in lengths):
            raise UnrecordedError("a mean over rows")
        count: int = math.prod(lengths)
        return self.sum(x, axis=axis, keepdims=keepdims) / count

    def take_along_axis(self, x: LinearPart, index: Array, *, axis: int = -1) -> LinearPart:
        """Return elements along the last axis, one of each row or all in another order."""
        if axis not in (-1, len(x.shape) - 1):
            raise UnrecordedError("xp.take_along_axis along another axis than the last")
        if index.shape[-1] == 1:
            chosen = columns(self.inner, x) == index
            return LinearPart(self, index.shape, x.like, Link(x, _same, (chosen, True)))
        if tuple(index.shape) != x.shape:
            raise UnrecordedError("xp.take_along_axis of several elements")

        def back(c: Array) -> Array:
            return self.inner.take_along_axis(c, self.inner.argsort(index, axis=-1), axis=-1)

        return LinearPart(self, x.shape, x.like, Link(x, back, None, None))

    def broadcast_to(self, x: LinearPart, shape: tuple[Any, ...]) -> LinearPart:
        """Return `x` in a shape."""
        return x if x.shape == tuple(shape) else LinearPart(self, shape, x.like, Link(x))

    def astype(self, x: LinearPart, dtype: Any, **options: Any) -> LinearPart:
        """Return `x` in another dtype."""
        xp, before = self.inner, x.like.dtype
        if before == dtype:
            return x

        def back(c: Cotangent) -> Cotangent:
            return c if isinstance(c, float) else xp.astype(c, before)

        return LinearPart(self, x.shape, xp.astype(x.like, dtype), Link(x, back))

    def cumulative_sum(self, x: LinearPart, *, axis: int = -1) -> LinearPart:
        """Return the running sum along an axis."""
        xp = self.inner

        def back(c: Array) -> Array:
            return xp.flip(xp.cumulative_sum(xp.flip(c, axis=axis), axis=axis), axis=axis)

        return LinearPart(self, x.shape, x.like, Link(x, back, None, None))

    def concat(self, arrays: Sequence[LinearPart], *, axis: int = 0) -> LinearPart:
        """Join parts along the last axis."""
        first = arrays[0]
        if axis not in (-1, len(first.shape) - 1) or axis == 0:
            raise UnrecordedError("xp.concat along another axis than the last")
        ends = list(itertools.accumulate(x.shape[-1] for x in arrays))
        parts = [slice(end - x.shape[-1], end) for x, end in zip(arrays, ends, strict=True)]
        links = [
            Link(x, operator.itemgetter((..., part)), None, None)
            for x, part in zip(arrays, parts, strict=True)
        ]
        return LinearPart(self, (*first.shape[:-1], ends[-1]), first.like, *links)

    def stack(self, arrays: Sequence[LinearPart], *, axis: int = 0) -> LinearPart:
        """Join parts along a new axis."""
        place = axis % (len(arrays[0].shape) + 1)
        before = (slice(None),) * place
        shape = (*arrays[0].shape[:place], len(arrays), *arrays[0].shape[place:])
        links = [
            Link(x, operator.itemgetter((*before, k)), None, None) for k, x in enumerate(arrays)
        ]
        return LinearPart(self, shape, arrays[0].like, *links)

    def rearranged(self, x: LinearPart, function: Callable[[Any], Any]) -> LinearPart:
        """Return elements of each row in other places, as `function` of an array puts them."""
        if not all(isinstance(length, int) for length in x.shape) or not x.shape:
            raise UnrecordedError("a part of rows of unknown number")
        rows, size = x.shape[0], math.prod(x.shape[1:])
        found = function(np.arange(rows * size).reshape(x.shape))
        shape = found.shape
        number = np.arange(rows).reshape(-1, *[1] * (len(shape) - 1))
        if shape[:1] != (rows,) or rows == 0 or not (found // size == number).all():
            raise UnrecordedError("rows that are mixed")
        # The places in a row of the result at which each element is, the same in all rows.
        taken = found[0].ravel()
        if not taken.size:
            return LinearPart(self, shape, x.like)
        places = [np.flatnonzero(taken == k) for k in range(size)]
        most = max(map(len, places), default=0)
        xp, end = self.inner, len(taken)

        def back(c: Array) -> Array:
            c = xp.reshape(c, (rows, end))
            c = xp.concat([c, xp.zeros_like(c[..., :1])], axis=-1)
            total = None
            for n in range(most):
                at = np.array([place[n] if n < len(place) else end for place in places])
                index = xp.asarray(at, device=x.device) if x.device is not None else xp.asarray(at)
                part = xp.take(c, index, axis=-1)
                total = part if total is None else total + part
            return xp.reshape(total, x.shape)

        return LinearPart(self, shape, x.like, Link(x, back, None, None))

    # The pass back.

    def gradient(self, part: LinearPart, seed: LinearPart, start: Cotangent) -> Cotangent:
        """Return the cotangent of `seed`, the row, from the one of a part."""
        nodes = {part.number: part}
        waiting: dict[int, list[tuple[Cotangent, Conditions]]] = {part.number: [(start, ())]}
        order = [-part.number]
        while order:
            number = -heapq.heappop(order)
            node = nodes.pop(number)
            c, conditions = self._joined(waiting.pop(number), node.like)
            if node is seed:
                return self._masked(c, conditions, node.like)
            for link in node.links:
                parent = link.parent
                if parent.number not in nodes:
                    nodes[parent.number] = parent
                    waiting[parent.number] = []
                    heapq.heappush(order, -parent.number)
                waiting[parent.number].append(self._pulled(node, link, c, conditions))
        return 0.0

    def _pulled(
        self, node: LinearPart, link: Link, c: Cotangent, conditions: Conditions
    ) -> tuple[Cotangent, Conditions]:
        """Return the cotangent that a part sends to another one."""
        if link.follow is None:
            c = self._whole(self._masked(c, conditions, node.like), node.shape, node.like)
            return link.pull(c), ()
        if link.follow is not _same:
            if self.careful:
                conditions = tuple((link.follow(x), holds) for x, holds in conditions)
            else:
                # Before there are more elements than conditions.
                c, conditions = self._masked(c, conditions, node.like), ()
        c = link.pull(c)
        if link.condition is not None:
            conditions = (*conditions, link.condition)
        shape, parent = node.shape, link.parent.shape
        if shape != parent and link.follow is _same and broadcast(shape, parent) != parent:
            c, conditions = self._masked(c, conditions, node.like), ()
            c = self._narrow(c, shape, parent)
        return c, conditions

    def _product(self, c: Cotangent, factor: Any) -> Cotangent:
        if type(c) is float and c == 1.0:
            return factor if not isinstance(factor, int) else float(factor)
        product = c * factor
        if not self.careful or isinstance(product, float) or isinstance(factor, int | float):
            return product
        return self.inner.where(factor == 0, 0.0, product)

    def _joined(
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
            sums = _sums((key, c) for key, c, _ in keyed if len(key) == depth)
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
                    chosen = self._chosen(condition, yes, no, like)
                    outer.append((key[:-1], chosen, conditions[:-1]))
            keyed = outer
        (c,) = _sums((key, c) for key, c, _ in keyed).values()
        conditions = keyed[0][2]
        if self.careful and one_sided and () not in before:
            # Elsewhere nothing is known, which is not 0: the next factor may be infinite.
            conditions = ((self._any([self._all(each) for each in before]), True),)
        return c, conditions

    def _masked(self, c: Cotangent, conditions: Conditions, like: Array) -> Cotangent:
        """Return a cotangent where its conditions hold, and 0 elsewhere."""
        for condition, holds in reversed(conditions):
            yes, no = (c, None) if holds else (None, c)
            c = self._chosen(condition, yes, no, like)
        return c

    def _chosen(self, condition: Array, a: Cotangent, b: Cotangent, like: Array) -> Array:
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

    def _whole(self, c: Cotangent, shape: tuple[int, ...], like: Array) -> Array:
        """Return a cotangent as an array of a shape."""
        xp, device = self.inner, device_of(like)
        if isinstance(c, float):
            where = {} if device is None else {"device": device}
            return xp.full(shape, c, dtype=like.dtype, **where)
        return xp.broadcast_to(c, shape)

    def _narrow(self, c: Cotangent, shape: tuple[Any, ...], parent: tuple[Any, ...]) -> Cotangent:
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


def _axes(axis: Any, shape: tuple[Any, ...]) -> set[int]:
    given = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return {n % len(shape) for n in given}


def _sums(terms: Iterable[tuple[Any, Cotangent]]) -> dict[Any, Cotangent]:
    found: dict[Any, Cotangent] = {}
    for key, c in terms:
        found[key] = found[key] + c if key in found else c
    return found


def _indexed(c: Cotangent, key: Any) -> Cotangent:
    return c if isinstance(c, float) else c[key]
