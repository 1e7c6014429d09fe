"""Functions of rows as graphs of numbers, along the line of a curve: it leads through rows of two.

A function of rows has no JavaScript of its own; these graphs have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import Wrapper
from lossfw.nn.activation import Activation
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.symbolic.formulas import Formulas
from lossfw.numerics.symbolic.graph import Graph
from lossfw.numerics.symbolic.trace import trace_on
from lossfw.report.formulas.columns import COLUMNS, Columns, ColumnsNamespace
from lossfw.report.formulas.traced import Traced, by_name, twin_of


def row_traced(component: Loss | Activation, order: int) -> Traced:
    """Return the formula of a function of rows of two, or a derivative by the first column.

    Of an activation it is the first column of the result.

    Parameters
    ----------
    component : Loss or Activation
        Of rows.
    order : int
        Of the derivative: 0, 1 or 2.

    Raises
    ------
    TraceError
        If the formula cannot be run on rows of two.

    Examples
    --------
    >>> import lossfw
    >>> row_traced(lossfw.loss("brier"), 0).arguments
    ('y0', 'y1', 't0', 't1')
    """
    names = _arguments(component)

    def graph(named: dict[str, float]) -> Graph:
        xp = Formulas()
        inputs = [xp.input(name, np.float64) for name in names]
        return trace_on(xp, _derived(_first_result(twin_of(component, named)), order), inputs)

    return by_name(component, names, graph)


def _arguments(component: Loss | Activation) -> tuple[str, ...]:
    row = tuple(f"y{place}" for place in range(COLUMNS))
    if not isinstance(component, Loss):
        return row
    return (*row, "t") if component.target_per_row else (*row, "t0", "t1")


def _first_result(component: Any) -> Callable[..., Any]:
    """Return the formula as a function of numbers: the columns of the row, then of the target."""
    body: Any = component.body if isinstance(component, Loss) else component
    wrapper = isinstance(component, Wrapper)
    formula = component.unreduced_formula if wrapper else body.formula

    def function(xp: Any, *given: Any) -> Any:
        space = ColumnsNamespace(xp)
        arrays = [Columns(space, given[:COLUMNS], row=True)]
        if len(given) > COLUMNS:
            target = given[COLUMNS:]
            arrays.append(Columns(space, target, row=len(target) > 1))
        return formula(space, *arrays).items[0]

    return function


def _derived(function: Callable[..., Any], order: int) -> Callable[..., Any]:
    if order == 0:
        return function
    return lambda xp, *given: derivatives(function, xp, *given, order=order)[order]
