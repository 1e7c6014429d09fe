"""Reference values of a textbook formula and of its derivatives, with 60 digits.

The formula is run on exact numbers (`lossfw.numerics.exact.truth`), and its derivatives
are finite differences (`lossfw.numerics.exact.differences`). The author's stable forms and
derivatives are not used, so the result can judge them. python-flint is imported on use.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import Array

# The order of a derivative.
DerivativeOrder: TypeAlias = Literal[0, 1, 2]


def check_order(order: DerivativeOrder) -> None:
    """Raise `ArgumentError` for a derivative that is not computed."""
    if order not in (0, 1, 2):
        raise ArgumentError(f"derivative={order!r}: expected 0, 1 or 2.")


def reference(
    formula: Any, arrays: tuple[Array, ...], order: DerivativeOrder, *, rows: bool
) -> Array:
    """Return a formula of arrays, or its derivative by the first one, with 60 digits."""
    from lossfw.numerics.exact.differences import derivative
    from lossfw.numerics.exact.truth import evaluate

    if order == 0:
        return evaluate(formula, *arrays, rows=rows)
    return derivative(formula, *arrays, order=order, rows=rows)


def exact(x: Array) -> Array:
    """Return an array of floats as one of exact numbers."""
    from lossfw.numerics.exact.namespace import exact_array

    return exact_array(np.asarray(x))
