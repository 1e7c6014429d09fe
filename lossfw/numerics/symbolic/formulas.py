"""Formulas: expressions of textbook formulas, of numbers and of rows.

A row is a symbol of two axes. Sums, largest and smallest elements are taken along the row.
"""

from __future__ import annotations

from typing import Any

from lossfw.errors import TraceError
from lossfw.numerics.arrays import TextbookNamespace
from lossfw.numerics.symbolic.graph import CLASSES, INPUT
from lossfw.numerics.symbolic.named import NamedFloat
from lossfw.numerics.symbolic.namespace import FLOAT64, Expressions
from lossfw.numerics.symbolic.symbol import ELEMENTS, Length, Symbol

# Functions of a row with one result; and the element of a row at a fixed place.
OVER_ROW = ("sum", "max", "min", "mean")
ELEMENT = "element"


class RowLength(Length):
    """The number of elements of a row. A formula may divide by it."""

    def __init__(self, space: Formulas) -> None:
        super().__init__("K")
        self.space = space

    def __rtruediv__(self, other: Any) -> Any:  # other lengths refuse
        return self.space.operation("divide", other, self.symbol())

    def symbol(self) -> Symbol:
        """Return the number as a symbol."""
        return Symbol(self.space, self.space.graph.add(CLASSES, (), FLOAT64, "K"))


class Formulas(Expressions, TextbookNamespace):
    """The array namespace on which primitives are their textbook formulas.

    There is only one dtype, so nothing is converted.
    """

    float32 = FLOAT64

    def __init__(self) -> None:
        super().__init__()
        for name in ("erf", "erfc", "lgamma"):
            setattr(self, name, self._function(name))
        for name in OVER_ROW:
            setattr(self, name, self._row_function(name))

    def row(self, name: str) -> Symbol:
        """Return an argument of the body that is a row."""
        shape = (ELEMENTS, RowLength(self))
        return Symbol(self, self.graph.add(INPUT, (), FLOAT64, name), shape)

    def operation(self, op: str, *arguments: Any) -> Any:
        """Return the result of a function, also of the number of elements of a row."""
        return super().operation(
            op, *[x.symbol() if isinstance(x, RowLength) else x for x in arguments]
        )

    def power(self, x: Any, exponent: Any) -> Any:
        """Return ``x**exponent``."""
        is_plain = isinstance(exponent, int | float) and not isinstance(exponent, NamedFloat)
        return x if is_plain and exponent == 1 else self.operation("pow", x, exponent)

    def element(self, x: Symbol, key: Any) -> Symbol:
        """Return a new axis as no change, and one element of a row."""
        *before, last = key if isinstance(key, tuple) else (key,)
        if before == [Ellipsis] and last is None:
            return x
        if before == [Ellipsis] and isinstance(last, int) and x.ndim == 2:
            number = self.graph.add(ELEMENT, (x.node,), x.dtype, last)
            return Symbol(self, number)
        raise TraceError("the formula takes a part of a row")

    def _row_function(self, op: str) -> Any:
        def function(x: Symbol, *, axis: Any = None, **_: Any) -> Symbol:
            if axis != -1:
                raise TraceError(f"the formula uses xp.{op} along another axis than the last")
            return Symbol(self, self.graph.add(op, (x.node,), x.dtype))

        return function
