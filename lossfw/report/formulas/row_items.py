"""Rows of a few numbers as a number system with one array per column.

A textbook formula of rows runs on them over any array namespace, including dual numbers and
expressions. So the curve of a function of rows, which runs through short rows, gets a script,
although a function of rows has no JavaScript itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lossfw.errors import TraceError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.nn.sample_curve import line_of
from lossfw.numerics.arrays import TextbookNamespace
from lossfw.numerics.symbolic.formulas import Formulas
from lossfw.numerics.symbolic.graph import Graph
from lossfw.numerics.symbolic.trace import trace_on
from lossfw.report.formulas.traced import (
    Traced,
    derivative_of,
    textbook_formula,
    trace_with_names,
    with_named_parameters,
)


class RowItems:
    """A row with one item per column, or one number per row.

    A row with one item has the same number in all columns.
    """

    # With this NumPy leaves operators to the methods below.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]  # as Python itself says it

    def __init__(self, space: RowItemsNamespace, items: Sequence[Any], *, row: bool) -> None:
        self.space = space
        self.items = list(items)
        self.row = row

    @property
    def dtype(self) -> Any:
        """The dtype of its items."""
        return self.items[0].dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def shape(self) -> tuple[Any, ...]:
        """The shape: rows, and columns."""
        rows = tuple(self.items[0].shape)
        return (*rows, len(self.items)) if self.row else rows

    def __getitem__(self, key: Any) -> RowItems:
        *before, last = key if isinstance(key, tuple) else (key,)
        if last is Ellipsis:
            return self
        if before == [Ellipsis] and last is None:
            if self.row:
                # Functions that compare all pairs of columns: an axis more would be needed.
                raise TraceError("the formula needs rows of rows")
            return RowItems(self.space, self.items, row=True)
        if before == [Ellipsis] and self.row and isinstance(last, int):
            return RowItems(self.space, [self.items[last]], row=False)
        if before == [Ellipsis] and self.row and isinstance(last, slice):
            return RowItems(self.space, self.items[last], row=True)
        raise TraceError(f"the formula takes a part of a row, by [{key!r}]")

    def __neg__(self) -> Any:
        return self.space.map_columns(operator.neg, self)

    def __abs__(self) -> Any:
        return self.space.map_columns(abs, self)

    def __invert__(self) -> Any:
        return self.space.map_columns(operator.invert, self)


def _operator(function: Callable[[Any, Any], Any]) -> Callable[[RowItems, Any], Any]:
    return lambda self, other: self.space.map_columns(function, self, other)


def _swap_arguments(function: Callable[[Any, Any], Any]) -> Callable[[RowItems, Any], Any]:
    return lambda self, other: self.space.map_columns(lambda a, b: function(b, a), self, other)


_COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
_ARITHMETIC = (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow)

for _function in (*_COMPARISONS, *_ARITHMETIC, operator.and_, operator.or_):
    setattr(RowItems, f"__{_function.__name__.rstrip('_')}__", _operator(_function))
for _function in _ARITHMETIC:
    setattr(RowItems, f"__r{_function.__name__}__", _swap_arguments(_function))


class RowItemsNamespace(TextbookNamespace):
    """The array namespace of columns over another one; see `RowItems`."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found) or isinstance(found, type):
            return found
        return lambda *arguments, **options: self.map_columns(
            lambda *items: found(*items, **options), *arguments
        )

    def map_columns(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return a function of each column; an argument without columns serves all of them."""
        given = [x for x in arguments if isinstance(x, RowItems)]
        if not given:
            return function(*arguments)
        row = any(x.row for x in given)
        width = max(len(x.items) for x in given if x.row) if row else 1

        def item(x: Any, arguments_at: int) -> Any:
            if not isinstance(x, RowItems):
                return x
            return x.items[arguments_at if len(x.items) > 1 else 0]

        items = [
            function(*(item(x, arguments_at) for x in arguments)) for arguments_at in range(width)
        ]
        return RowItems(self, items, row=row)

    # Reductions: over a row of one item nothing is to be done.

    def _reduce(self, join: Callable[[Any, Any], Any], x: RowItems, keepdims: bool) -> RowItems:
        if not x.row:
            raise TraceError("the formula reduces along another axis than the last")
        total = x.items[0]
        for other in x.items[1:]:
            total = join(total, other)
        return RowItems(self, [total], row=keepdims)

    def sum(self, x: RowItems, *, axis: int = -1, keepdims: bool = False, **_: Any) -> RowItems:
        """Return the sum of each row."""
        return self._reduce(operator.add, x, keepdims)

    def max(self, x: RowItems, *, axis: int = -1, keepdims: bool = False) -> RowItems:
        """Return the largest element of each row."""
        return self._reduce(self.inner.maximum, x, keepdims)

    def min(self, x: RowItems, *, axis: int = -1, keepdims: bool = False) -> RowItems:
        """Return the smallest element of each row."""
        return self._reduce(self.inner.minimum, x, keepdims)

    def mean(self, x: RowItems, *, axis: int = -1, keepdims: bool = False) -> Any:
        """Return the mean of each row."""
        return self.map_columns(lambda total: total / len(x.items), self.sum(x, keepdims=keepdims))

    def any(self, x: RowItems, *, axis: int = -1, keepdims: bool = False) -> RowItems:
        """Tell whether an element of each row is true."""
        return self._reduce(operator.or_, x, keepdims)

    def all(self, x: RowItems, *, axis: int = -1, keepdims: bool = False) -> RowItems:
        """Tell whether all elements of each row are true."""
        return self._reduce(operator.and_, x, keepdims)

    def sort(self, x: RowItems, *, axis: int = -1, descending: bool = False, **_: Any) -> RowItems:
        """Return each row of two in order."""
        low, high = self.min(x), self.max(x)
        pair = [high, low] if descending else [low, high]
        return RowItems(self, [one.items[0] for one in pair], row=True)

    def cumulative_sum(self, x: RowItems, *, axis: int = -1, **_: Any) -> RowItems:
        """Return the sums of the first elements of each row."""
        sums = [x.items[0]]
        for item in x.items[1:]:
            sums.append(sums[-1] + item)
        return RowItems(self, sums, row=True)

    def stack(self, parts: Sequence[RowItems], *, axis: int = -1) -> RowItems:
        """Return numbers of each row as a row."""
        return RowItems(self, [part.items[0] for part in parts], row=True)

    def concat(self, parts: Sequence[RowItems], *, axis: int = -1) -> RowItems:
        """Return rows next to each other."""
        return RowItems(self, [item for part in parts for item in part.items], row=True)

    def asarray(self, x: Any, **options: Any) -> Any:
        """Return a list of numbers, one for each column, as a row."""
        if isinstance(x, list | tuple):
            return RowItems(self, x, row=True)
        return x

    def broadcast_to(self, x: RowItems, shape: Any) -> RowItems:
        """Return `x` unchanged: one item counts for all columns."""
        return x

    def reshape(self, x: RowItems, shape: Any, **_: Any) -> RowItems:
        """Return `x` unchanged: there is only one shape."""
        return x


def trace_row_function(component: Loss | Activation, order: int) -> Traced:
    """Return the formula of a function of rows of a curve, or a derivative by the first column.

    Of an activation it is the first column of the result.

    Examples
    --------
    >>> import lossfw
    >>> trace_row_function(lossfw.loss("brier"), 0).arguments
    ('y0', 'y1', 't0', 't1')
    """
    widths = _widths(component)
    roles = zip("yt", widths, strict=False)
    names = tuple(f"{role}{k}" for role, width in roles for k in range(width))

    def trace(named: dict[str, float]) -> Graph:
        xp = Formulas()
        inputs = [xp.input(name, np.float64) for name in names]
        function = derivative_of(
            _first_result(with_named_parameters(component, named), widths[0]), order
        )
        return trace_on(xp, function, inputs)

    return trace_with_names(component, names, trace)


def _widths(component: Loss | Activation) -> tuple[int, ...]:
    """Return how many numbers prediction and target have along the curve; one-hot for a class."""
    y, *target = line_of(component).arguments_at(np.zeros(1))
    if not isinstance(component, Loss):
        return (y.size,)
    return y.size, y.size if component.takes_classes else target[0].size


def _first_result(component: Any, width: int) -> Callable[..., Any]:
    """Return the formula as a function of numbers: the columns of the row, then of the target."""
    columns = isinstance(component, Loss) and component.has_columns
    formula = component._unreduced_formula if columns else textbook_formula(component)

    def function(xp: Any, *given: Any) -> Any:
        space = RowItemsNamespace(xp)
        parts = [given[:width], given[width:]] if len(given) > width else [given]
        rows = [True, True]
        if isinstance(component, Loss):
            groups = component.takes_groups
            rows = [component.takes_rows or groups, component._takes_target_rows or groups]
        arrays = [RowItems(space, part, row=row) for part, row in zip(parts, rows, strict=False)]
        return formula(space, *arrays).items[0]

    return function
