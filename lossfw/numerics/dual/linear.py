"""LinearPart: a recorded derivative, for one backward pass.

The rules of dual numbers multiply, add and choose parts. A `LinearPart` records these few
operations, and `lossfw.numerics.dual.pass_back` follows the record from the result to the row, so
the gradient of a row takes one pass for any number of classes. It uses only functions of the
namespace, so it can be traced.

An operation that is not recorded raises `UnrecordedError`.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, NDArray, column_numbers, device_of
from lossfw.numerics.dual.parts import UnrecordedError, broadcast, split_key
from lossfw.numerics.dual.pass_back import Cotangent, Link, PassBack, identity
from lossfw.numerics.dual.rules import REARRANGING

_numbers = itertools.count()


class LinearPart:
    """A part that is a linear function of the row, given by the parts that it depends on.

    `like` is any array with the dtype and device of the part.
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
        """The device for arrays to combine with the part."""
        return device_of(self.like)

    def _map_links(self, pull: Callable[[Cotangent], Cotangent], other: Any = None) -> LinearPart:
        shape = broadcast(self.shape, getattr(other, "shape", ()))
        return LinearPart(self.parts, shape, self.like, Link(self, pull))

    def __neg__(self) -> LinearPart:
        return self._map_links(lambda c: -c)

    def __add__(self, other: LinearPart) -> LinearPart:
        shape = broadcast(self.shape, other.shape)
        return LinearPart(self.parts, shape, self.like, Link(self), Link(other))

    def __sub__(self, other: LinearPart) -> LinearPart:
        return self + -other

    def __truediv__(self, divisor: Any) -> LinearPart:
        return self._map_links(lambda c: c / divisor, divisor)

    def __getitem__(self, key: Any) -> LinearPart:
        before, last = split_key(key)
        if before == "all":
            return self
        if before == "rows" and last is None and len(self.shape) == 1:
            link = Link(self, lambda c: _scatter_cotangent(c, (..., 0)), follow=lambda x: x[..., 0])
            return LinearPart(self.parts, (*self.shape, 1), self.like, link)
        if before == "rows" and isinstance(last, int) and len(self.shape) == 2:
            return self._element_of_each_row(last)
        return self.parts.rearrange(self, lambda x: x[key])

    def _element_of_each_row(self, at: int) -> LinearPart:
        """Return the element of each row at a place."""
        length = self.shape[-1]

        def expand(x: Cotangent) -> Cotangent:
            return _scatter_cotangent(x, (..., None))

        chosen = None
        if length != 1:
            chosen = column_numbers(self.parts.inner, self) == at % length, True
        return LinearPart(
            self.parts, self.shape[:-1], self.like, Link(self, expand, chosen, expand)
        )


class LinearParts:
    """The namespace of such parts over `inner`.

    Without care, products are those of the arrays: where infinity or NaN meets 0, the result is
    not finite.
    """

    def __init__(self, inner: Namespace, careful: bool) -> None:
        self.inner, self.careful = inner, careful
        self.pass_back = PassBack(inner, careful)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in REARRANGING:
            raise UnrecordedError(f"xp.{name} of a derivative")
        function = getattr(np, name)
        return lambda x, *args, **kwargs: self.rearrange(
            x, lambda places: function(places, *args, **kwargs)
        )

    # What the rules of dual numbers use.

    def scale(self, factor: Any, part: LinearPart | None) -> LinearPart | None:
        """Return ``factor * part``."""
        if part is None or factor is None:
            return None
        return part._map_links(lambda c: self.pass_back.product(c, factor), factor)

    def multiply_or_zero(self, factor: Any, part: LinearPart | None) -> LinearPart | None:
        """Return ``factor * part``, and 0 where the factor is 0, whatever the part is."""
        scaled = self.scale(factor, part)
        if scaled is None or not self.careful:
            return scaled
        return LinearPart(
            self, scaled.shape, scaled.like, Link(scaled, identity, (factor != 0, True))
        )

    def divide_by(self, part: LinearPart | None, divisor: Any, like: Array) -> LinearPart | None:
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
        links = [Link(x, identity, (condition, holds)) for x, holds in pairs if x is not None]
        return LinearPart(self, like.shape, like, *links)

    def expand_like(self, part: LinearPart | None, like: Array) -> LinearPart:
        """Return a part in the shape and dtype of `like`."""
        if part is None:
            return LinearPart(self, like.shape, like)
        if part.shape == tuple(like.shape) and part.like.dtype == like.dtype:
            return part
        return LinearPart(self, like.shape, like, Link(part))

    # Linear functions of arrays.

    def sum(self, x: LinearPart, axis: Any = None, keepdims: bool = False, **_: Any) -> LinearPart:
        """Return the sum along axes."""
        axes = _axes(axis, x.shape)
        kept = tuple(1 if n in axes else length for n, length in enumerate(x.shape))
        shape = kept if keepdims else tuple(x.shape[n] for n in range(len(kept)) if n not in axes)

        def expand(c: Cotangent) -> Cotangent:
            if keepdims or isinstance(c, float):
                return c
            c = c if c.ndim == len(shape) else self.inner.broadcast_to(c, shape)
            if axes == {len(kept) - 1}:
                # As it is written of symbols.
                return c[..., None]
            return c[tuple(None if n in axes else slice(None) for n in range(len(kept)))]

        return LinearPart(self, shape, x.like, Link(x, expand, None, expand))

    def mean(self, x: LinearPart, axis: Any = None, keepdims: bool = False) -> LinearPart:
        """Return the mean along axes."""
        lengths = [x.shape[n] for n in _axes(axis, x.shape)]
        if not all(isinstance(length, int) for length in lengths):
            raise UnrecordedError("a mean over rows")
        count: int = math.prod(lengths)
        return self.sum(x, axis=axis, keepdims=keepdims) / count

    def take_along_axis(self, x: LinearPart, index: Array, axis: int = -1) -> LinearPart:
        """Return elements of each row at the places in `index`."""
        if axis not in (-1, len(x.shape) - 1):
            raise UnrecordedError("xp.take_along_axis along another axis than the last")
        xp, number = self.inner, column_numbers(self.inner, x)
        if index.shape[-1] == 1:
            return LinearPart(self, index.shape, x.like, Link(x, identity, (number == index, True)))
        chosen = index[..., None] == number

        def pull_back(c: Array) -> Array:
            return xp.sum(xp.where(chosen, c[..., None], 0.0), axis=-2)

        taken = xp.any(chosen, axis=-2), True
        return LinearPart(self, index.shape, x.like, Link(x, pull_back, taken, None))

    def permute(self, x: LinearPart, order: Array, axis: int) -> LinearPart:
        """Return all elements in another order along an axis."""
        xp = self.inner

        def pull_back(c: Array) -> Array:
            return xp.take_along_axis(c, xp.argsort(order, axis=axis), axis=axis)

        return LinearPart(self, x.shape, x.like, Link(x, pull_back, None, None))

    def broadcast_to(self, x: LinearPart, shape: tuple[Any, ...]) -> LinearPart:
        """Return `x` in a shape."""
        return x if x.shape == tuple(shape) else LinearPart(self, shape, x.like, Link(x))

    def astype(self, x: LinearPart, dtype: Any, **options: Any) -> LinearPart:
        """Return `x` in another dtype."""
        xp, before = self.inner, x.like.dtype
        if before == dtype:
            return x

        def pull_back(c: Cotangent) -> Cotangent:
            return c if isinstance(c, float) else xp.astype(c, before)

        return LinearPart(self, x.shape, xp.astype(x.like, dtype), Link(x, pull_back))

    def cumulative_sum(self, x: LinearPart, axis: int = -1, **options: Any) -> LinearPart:
        """Return the running sum along an axis."""
        if options:
            raise UnrecordedError("xp.cumulative_sum with options")
        xp = self.inner

        def pull_back(c: Array) -> Array:
            return xp.flip(xp.cumulative_sum(xp.flip(c, axis=axis), axis=axis), axis=axis)

        return LinearPart(self, x.shape, x.like, Link(x, pull_back, None, None))

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

    def rearrange(self, x: LinearPart, function: Callable[[Any], Any]) -> LinearPart:
        """Return the elements of each row rearranged by `function`."""
        if not all(isinstance(length, int) for length in x.shape[1:]) or not x.shape:
            raise UnrecordedError("a part of rows of unknown length")
        # Of rows of unknown number two say where all of them go.
        rows, size = x.shape[0], math.prod(x.shape[1:])
        count = rows if isinstance(rows, int) else 2
        try:
            found = function(np.arange(count * size).reshape(count, *x.shape[1:]))
        except (TypeError, ValueError, IndexError) as error:
            # Such as a key that is an array of another library.
            raise UnrecordedError(str(error)) from error
        shape = (rows, *found.shape[1:])
        number = np.arange(count).reshape(-1, *[1] * (len(shape) - 1))
        if found.shape[:1] != (count,) or count == 0 or not (found // size == number).all():
            raise UnrecordedError("rows that are mixed")
        # The places in a row of the result at which each element is, the same in all rows.
        taken = found[0].ravel()
        if not taken.size:
            return LinearPart(self, shape, x.like)
        places = [np.flatnonzero(taken == k) for k in range(size)]
        most = max(map(len, places), default=0)
        xp, end = self.inner, len(taken)

        def array(places: NDArray) -> Array:
            return xp.asarray(places, device=x.device)

        # What is in no place has no part in the result, which is not the same as a cotangent of 0.
        is_taken = np.array([len(place) > 0 for place in places]).reshape(x.shape[1:])
        chosen = None if is_taken.all() else (array(is_taken), True)

        def pull_back(c: Array) -> Array:
            c = xp.reshape(c, (rows, end))
            c = xp.concat([c, xp.zeros_like(c[..., :1])], axis=-1)
            total = None
            for n in range(most):
                at = np.array([place[n] if n < len(place) else end for place in places])
                part = xp.take(c, array(at), axis=-1)
                total = part if total is None else total + part
            return xp.reshape(total, x.shape)

        return LinearPart(self, shape, x.like, Link(x, pull_back, chosen, None))


def _axes(axis: Any, shape: tuple[Any, ...]) -> set[int]:
    given = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return {n % len(shape) for n in given}


def _scatter_cotangent(c: Cotangent, key: Any) -> Cotangent:
    return c if isinstance(c, float) else c[key]
