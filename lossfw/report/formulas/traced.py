"""The functions of a component as graphs, with its parameters by name.

A parameter of type float is replaced by a number with its name. If a body converts it to a plain
number, as `math.sqrt` does, the name is lost. A second trace at another value detects this, and the
parameter is then called fixed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from lossfw.components.columns import Columns
from lossfw.components.component import Component
from lossfw.errors import ArgumentError, TraceError
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import Wrapper
from lossfw.nn.activation import Activation
from lossfw.nn.letters import argument_names
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.records import record_of
from lossfw.numerics.symbolic.formulas import Formulas
from lossfw.numerics.symbolic.graph import Graph
from lossfw.numerics.symbolic.named import NamedFloat
from lossfw.numerics.symbolic.namespace import Expressions, KernelExpressions
from lossfw.numerics.symbolic.trace import trace_on

# The functions of a component that an author writes.
Which: TypeAlias = Literal["value", "derivative", "second_derivative"]

_ORDERS: dict[Which, int] = {"value": 0, "derivative": 1, "second_derivative": 2}

_OF_WRAPPERS: dict[Which, str] = {
    "value": "_unreduced",
    "derivative": "_unreduced_gradient",
    "second_derivative": "_unreduced_hessian",
}

# A parameter is moved by this fraction of it, or by this much from 0, to see whether it is fixed.
_STEP = 1 / 16


@dataclass(frozen=True)
class Traced:
    """A function of a component as a graph.

    The names of the arguments are ``r``, ``m`` and ``x`` of functions of a residual, a margin and
    an activation's argument; ``y`` or, for logits, ``z``, and ``t``; with named columns the inputs
    of the graph are ``y.location`` and the like. `parameters` appear by name,
    and have their values in the component; of `fixed` ones only the value appears, as a number.
    """

    graph: Graph
    arguments: tuple[str, ...]
    parameters: dict[str, float]
    fixed: tuple[str, ...]


def trace_function(
    component: Component, which: Which = "value", *, textbook: bool = False
) -> Traced:
    """Return a function of a loss or an activation, or its derivative by the first argument.

    The `textbook` formula does not keep its digits, but fewer parameters are fixed. Components of
    rows only have graphs of their textbook formulas.

    Examples
    --------
    >>> import lossfw
    >>> found = trace_function(lossfw.loss("huber"))
    >>> found.arguments, found.parameters, found.fixed
    (('r',), {'delta': 1.0}, ())
    """
    if not isinstance(component, Loss | Activation):
        raise ArgumentError(
            f"{component.name} is not a loss or an activation, but a component of the kind "
            f"{component.kind}: it has no formula."
        )
    run = functools.partial(_trace, component, which, textbook)
    return trace_with_names(component, argument_names(component), run)


def trace_with_names(
    component: Component, arguments: tuple[str, ...], run: Callable[[dict[str, float]], Graph]
) -> Traced:
    """Return a graph in which parameters have their names, as far as possible."""
    numbers = {name: v for name, v in component.parameters.items() if type(v) is float}
    whole = run(numbers).structure_key()
    fixed = [name for name in numbers if _is_fixed(run, numbers, name, whole)]
    free = {name: value for name, value in numbers.items() if name not in fixed}
    graph = run(free)
    shown = {name: free[name] for name in free if name in graph.parameters()}
    return Traced(graph, arguments, shown, tuple(fixed))


def with_named_parameters(component: Component, named: dict[str, float]) -> Any:
    """Return a component whose parameters have these values with their names."""
    names = {name: NamedFloat(value, name) for name, value in named.items()}
    # Not validated: pydantic would make plain numbers of them.
    return type(component).model_construct(**{**component.parameters, **names})


def _is_fixed(
    run: Callable[[dict[str, float]], Graph],
    numbers: dict[str, float],
    name: str,
    reference_key: list[tuple[Any, ...]],
) -> bool:
    """Tell whether a graph changes with the value of a parameter."""
    value = numbers[name]
    moved = {**numbers, name: value * (1 + _STEP) if value else _STEP}
    try:
        return run(moved).structure_key() != reference_key
    except TraceError:
        return True


def _trace(
    component: Loss | Activation, which: Which, textbook: bool, named: dict[str, float]
) -> Graph:
    """Run a function of a component whose parameters have these values and their names."""
    twin = with_named_parameters(component, named)
    xp = Formulas() if textbook else KernelExpressions()
    inputs = [_input(xp, twin, name) for name in argument_names(component)]
    return trace_on(xp, _function(twin, which, textbook), inputs)


def _function(component: Any, which: Which, textbook: bool) -> Callable[..., Any]:
    """Return the author's function, or a derivative of the textbook formula."""
    if textbook:
        return derivative_of(textbook_formula(component), _ORDERS[which])
    name = _OF_WRAPPERS[which] if isinstance(component, Wrapper) else which
    return _author_function(component, name)


def textbook_formula(component: Any) -> Callable[..., Any]:
    """Return the textbook formula of a component, also if a loss has another body."""
    name = "_unreduced_formula" if isinstance(component, Wrapper) else "formula"
    return _author_function(component, name)


def _author_function(component: Any, name: str) -> Callable[..., Any]:
    """Return a function of a component; a loss that is not a wrapper has it in its body."""
    in_body = isinstance(component, Loss) and not isinstance(component, Wrapper)
    function: Callable[..., Any] = getattr(component.body if in_body else component, name)
    return function


def derivative_of(function: Callable[..., Any], order: int) -> Callable[..., Any]:
    """Return a derivative of a function by its first argument, or the function itself."""
    if order == 0:
        return function
    return lambda xp, *given: derivatives(function, xp, *given, order=order)[order]


def _input(xp: Expressions, component: Loss | Activation, name: str) -> Any:
    of_rows = component.takes_rows
    if isinstance(component, Loss):
        space = component.target_space if name == "t" else component.prediction_space
        if isinstance(space, Columns):
            return _input_record(xp, space, name)
        of_rows = component._takes_target_rows if name == "t" else component.takes_rows
        of_rows = of_rows or component.takes_groups
    if of_rows and not isinstance(xp, Formulas):
        raise TraceError("the body is of rows")
    return xp.row(name) if of_rows else xp.input(name, np.float64)


def _input_record(xp: Expressions, space: Columns, name: str) -> Any:
    """Return columns as a body gets them, called ``y.location`` and the like."""
    if not isinstance(xp, Formulas):
        raise TraceError("the body is of rows")
    columns = [f"{name}.{column}" for column in space.names]
    pairs = zip(columns, space.spaces, strict=True)
    return record_of(space.names)(
        *[xp.row(column) if of.axes else xp.input(column, np.float64) for column, of in pairs]
    )
