"""SpreadPart: the derivatives of rows by all of their columns at once, for one pass forward.

An array of rows u has the derivatives ``d[j]`` of u[j] by y[j], and ``p[i] q[j]`` of u[i] by y[j]
for another i, a sum of a few such products. A number per row has one derivative by each y[j], its
`Covector`. Sums, extremes and elements of rows make covectors, which become products when such a
number is combined with the rows again.

So gradient and diagonal of the Hessian take one pass for any number of columns, if the body
consists of elements and a few numbers per row. The diagonal includes what the products have at i =
j, so it is computed as with dual numbers, to the same accuracy: no 1 - p of a nearly certain class
is lost in a difference. Other operations, such as a sort or a shift, raise `UnrecordedError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from lossfw.numerics.arrays import Array, Namespace, column_numbers
from lossfw.numerics.dual.parts import (
    ArrayParts,
    UnrecordedError,
    add,
    broadcast,
    is_one,
    scale,
    split_key,
)

# Numbers of rows, or a float for all of them, or None for 0.
Derivative: TypeAlias = Any


class Covector:
    """The derivatives of one number per row by the columns; equal only to itself."""

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array


class SpreadPart:
    """Derivatives of rows, or of one number per row, in their shape.

    `own` are the derivatives of elements by their own columns, or those of a number by all
    columns, and `products` those of elements by other columns.
    """

    __slots__ = ("own", "parts", "products", "shape")

    # With this NumPy leaves ``array * part`` to Python, which refuses it.
    __array_ufunc__ = None

    def __init__(
        self,
        parts: SpreadParts,
        shape: Sequence[Any],
        own: Derivative,
        products: dict[Covector, Derivative] | None = None,
    ) -> None:
        self.parts, self.shape, self.own = parts, tuple(shape), own
        self.products = {q: p for q, p in (products or {}).items() if p is not None}

    @property
    def is_of_rows(self) -> bool:
        """Whether these are the derivatives of rows."""
        return self.shape == self.parts.shape

    def _map(self, function: Callable[[Derivative], Derivative]) -> SpreadPart:
        products = {q: function(p) for q, p in self.products.items()}
        own = None if self.own is None else function(self.own)
        return SpreadPart(self.parts, self.shape, own, products)

    def __neg__(self) -> SpreadPart:
        return self._map(lambda x: -x)

    def __add__(self, other: SpreadPart) -> SpreadPart:
        a, b = self.parts.to_common_shape(self, other)
        products = dict(a.products)
        for q, p in b.products.items():
            products[q] = add(products.get(q), p)
        return SpreadPart(self.parts, a.shape, add(a.own, b.own), products)

    def __sub__(self, other: SpreadPart) -> SpreadPart:
        return self + -other

    def __mul__(self, other: SpreadPart) -> SpreadPart:
        return self.parts.product(self, other)

    def __truediv__(self, divisor: Any) -> SpreadPart:
        part, divisor = self.parts.match_factor(self, divisor)
        return part._map(lambda x: x / divisor)

    def __getitem__(self, key: Any) -> SpreadPart:
        before, last = split_key(key)
        if before == "all":
            return self
        rows = self.parts.shape[:1]
        if before == "rows" and last is None and self.shape == rows:
            return SpreadPart(self.parts, (*rows, 1), self.own)
        if before != "rows" or not isinstance(last, int):
            raise UnrecordedError(f"a part of a derivative, by [{key!r}]")
        if self.is_of_rows:
            at = last % self.shape[-1]
            chosen = column_numbers(self.parts.inner, self.parts.like) == at
            return self.parts.select_element(self, chosen, lambda p: p[..., at : at + 1], rows)
        if self.shape == (*rows, 1):
            return SpreadPart(self.parts, rows, self.own)
        raise UnrecordedError("an element of a number")


class SpreadParts:
    """The namespace of such parts over `inner`, for rows like an array."""

    def __init__(self, inner: Namespace, like: Array, careful: bool) -> None:
        self.inner, self.like, self.careful = inner, like, careful
        self.shape = tuple(like.shape)
        self._covectors: dict[Any, Covector] = {}

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnrecordedError(f"xp.{name} of a derivative")

    # Shapes.

    def expand_to_rows(self, part: SpreadPart) -> SpreadPart:
        """Return derivatives of one number per row as those of rows of equal numbers."""
        if part.is_of_rows or part.own is None:
            return SpreadPart(self, self.shape, part.own, part.products)
        return SpreadPart(self, self.shape, part.own, {self._covector(part.own): 1.0})

    def _covector(self, array: Array) -> Covector:
        # A covector keeps its array, so that no other one gets its identity.
        return self._covectors.setdefault(id(array), Covector(array))

    def _product_of(self, q: Covector, s: Covector) -> Covector:
        key = frozenset((q, s))
        if key not in self._covectors:
            self._covectors[key] = Covector(self._times(q.array, s.array))
        return self._covectors[key]

    def to_common_shape(self, a: SpreadPart, b: SpreadPart) -> tuple[SpreadPart, SpreadPart]:
        """Return two parts in their common shape."""
        shape = broadcast(a.shape, b.shape)
        if shape == self.shape:
            return self.expand_to_rows(a), self.expand_to_rows(b)
        if a.shape != b.shape:
            raise UnrecordedError("numbers of rows with and without an axis")
        return a, b

    def match_factor(self, part: SpreadPart, factor: Any) -> tuple[SpreadPart, Any]:
        """Return a part in the shape of its product with a factor, and the factor."""
        shape = broadcast(part.shape, getattr(factor, "shape", ()))
        if shape == self.shape:
            return self.expand_to_rows(part), factor
        if shape != part.shape:
            raise UnrecordedError("a derivative in another shape")
        has_axis = len(shape) == len(self.shape) or not getattr(factor, "shape", ())
        return part, factor if has_axis else factor[..., None]

    # What the rules of dual numbers use.

    def _times(self, factor: Derivative, component: Derivative) -> Derivative:
        if factor is None or component is None:
            return None
        if type(component) is float and component == 1.0:
            return factor
        if self.careful or isinstance(component, float):
            return scale(self.inner, factor, component)
        return factor * component

    def scale(self, factor: Any, part: SpreadPart | None) -> SpreadPart | None:
        """Return ``factor * part``; the factor may also be a part."""
        if part is None or factor is None:
            return None
        if not isinstance(factor, SpreadPart):
            part, factor = self.match_factor(part, factor)
            return part._map(lambda x: self._times(factor, x))
        return self.product(factor, part)

    def product(self, a: SpreadPart, b: SpreadPart) -> SpreadPart:
        """Return the product of two derivatives by the same column."""
        a, b = self.to_common_shape(a, b)
        products: dict[Covector, Derivative] = {}
        for q, p in a.products.items():
            for s, r in b.products.items():
                both = self._product_of(q, s)
                products[both] = add(products.get(both), self._times(p, r))
        return SpreadPart(self, a.shape, self._times(a.own, b.own), products)

    def multiply_or_zero(self, factor: Any, part: SpreadPart | None) -> SpreadPart | None:
        """Return ``factor * part``, and 0 where the factor is 0, whatever the part is."""
        scaled = self.scale(factor, part)
        if scaled is None or not self.careful or isinstance(factor, SpreadPart):
            return scaled
        scaled, factor = self.match_factor(scaled, factor)
        return scaled._map(lambda x: self._choose_part(factor != 0, x, None))

    def divide_by(self, part: SpreadPart | None, divisor: Any, like: Array) -> SpreadPart | None:
        """Return ``part / divisor``; with care 0 where `part` is 0, even for a divisor of 0."""
        if part is None:
            return None
        part, divisor = self.match_factor(part, divisor)
        quotient = ArrayParts(self.inner, careful=self.careful).divide_by
        return part._map(lambda x: quotient(x, divisor, self.like))

    def choose(
        self, condition: Array, a: SpreadPart | None, b: SpreadPart | None, like: Array
    ) -> SpreadPart | None:
        """Return the part `a` where a condition holds and `b` elsewhere."""
        if a is b:
            return a
        a, b = self.expand_like(a, like), self.expand_like(b, like)
        if not a.is_of_rows and len(a.shape) < len(self.shape):
            condition = condition[..., None]
        products = {
            q: self._choose_part(condition, a.products.get(q), b.products.get(q))
            for q in {**a.products, **b.products}
        }
        return SpreadPart(self, a.shape, self._choose_part(condition, a.own, b.own), products)

    def _choose_part(self, condition: Array, a: Derivative, b: Derivative) -> Derivative:
        if a is b or (isinstance(a, float) and isinstance(b, float) and a == b):
            return a
        a, b = (0.0 if x is None else x for x in (a, b))
        if isinstance(a, float) and isinstance(b, float):
            a = self.inner.full_like(self.like, a)
        return self.inner.where(condition, a, b)

    def expand_like(self, part: SpreadPart | None, like: Array) -> SpreadPart:
        """Return a part in the shape of `like`."""
        if part is None:
            return SpreadPart(self, like.shape, None)
        return self.broadcast_to(part, like.shape)

    # Linear functions of arrays.

    def broadcast_to(self, x: SpreadPart, shape: tuple[Any, ...]) -> SpreadPart:
        """Return `x` in a shape."""
        if x.shape != tuple(shape) and tuple(shape) != self.shape:
            raise UnrecordedError("a derivative in another shape")
        return x if x.shape == tuple(shape) else self.expand_to_rows(x)

    def astype(self, x: SpreadPart, dtype: Any, **options: Any) -> SpreadPart:
        """Return `x` in another dtype."""

        def cast(a: Derivative) -> Derivative:
            return a if a is None or isinstance(a, float) else self.inner.astype(a, dtype)

        products = {self._covector(cast(q.array)): cast(p) for q, p in x.products.items()}
        return SpreadPart(self, x.shape, cast(x.own), products)

    def sum(self, x: SpreadPart, axis: Any = None, keepdims: bool = False, **_: Any) -> SpreadPart:
        """Return the sum of each row."""
        if not x.is_of_rows or axis not in (-1, len(self.shape) - 1):
            raise UnrecordedError("a sum along another axis than that of rows")
        total = self._expand(x.own)
        for q, p in x.products.items():
            total = add(total, self._times(self._sum_of_others(p), q.array))
        rows = self.shape[:-1]
        return SpreadPart(self, (*rows, 1) if keepdims else rows, total)

    def mean(self, x: SpreadPart, axis: Any = None, keepdims: bool = False) -> SpreadPart:
        """Return the mean of each row."""
        count: int = self.shape[-1]
        return self.sum(x, axis=axis, keepdims=keepdims) / count

    def _expand(self, own: Derivative) -> Array | None:
        return self.inner.full_like(self.like, own) if isinstance(own, float) else own

    def _sum_of_others(self, p: Derivative) -> Derivative:
        """Return for each column the sum of `p` over the others."""
        xp, count = self.inner, self.shape[-1]
        if isinstance(p, float) or is_one(p.shape[-1]):
            return p * float(count - 1)
        p = xp.broadcast_to(p, self.shape)
        # Exact numbers are computed anew where an infinite one makes NaN, as below.
        if count == 2 and p.dtype != object:
            return xp.where(column_numbers(xp, self.like) == 0, p[..., 1:2], p[..., 0:1])
        # The largest is kept apart: it would take the digits of the others.
        size = xp.abs(p)
        is_top = size == xp.max(size, axis=-1, keepdims=True)
        top = xp.where(is_top, p, 0.0)
        others = xp.sum(xp.where(is_top, 0.0, p), axis=-1, keepdims=True)
        return others + (xp.sum(top, axis=-1, keepdims=True) - p)

    def take_along_axis(self, x: SpreadPart, index: Array, axis: int = -1) -> SpreadPart:
        """Return one element of each row."""
        if not x.is_of_rows or axis not in (-1, len(x.shape) - 1) or not is_one(index.shape[-1]):
            raise UnrecordedError("xp.take_along_axis of several elements")
        xp = self.inner
        chosen = column_numbers(xp, self.like) == index
        return self.select_element(
            x, chosen, lambda p: xp.take_along_axis(p, index, axis=-1), (*self.shape[:-1], 1)
        )

    def select_element(
        self,
        x: SpreadPart,
        chosen: Array,
        pick: Callable[[Array], Array],
        shape: tuple[Any, ...],
    ) -> SpreadPart:
        """Return the element of each row at which `chosen` holds, and that `pick` returns."""
        other = None
        for q, p in x.products.items():
            if not isinstance(p, float) and not is_one(p.shape[-1]):
                p = pick(self.inner.broadcast_to(p, self.shape))
            other = add(other, self._times(p, q.array))
        return SpreadPart(self, shape, self._choose_part(chosen, self._expand(x.own), other))
