"""JavaScript of the functions of components, for pictures in a browser.

::

    javascript(component, "value")              loss(r, delta), from the author's body
    javascript(component, "derivative")
    javascript(component, "second_derivative")

JavaScript numbers are float64, so results differ from NumPy's only by the browser's elementary
functions.
"""

from __future__ import annotations

import json
import math
import re
from typing import NamedTuple

from lossfw.components.component import Component
from lossfw.errors import ArgumentError, TraceError
from lossfw.numerics.symbolic.graph import (
    CAST,
    CONSTANT,
    INPUT,
    LOOK_UP,
    PARAMETER,
    Graph,
    Operation,
)
from lossfw.report.formulas.traced import Traced, Which, trace_function

# Text with {0}, {1} and so on in place of the arguments.
_OPERATORS = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "divide": "({0} / {1})",
    "negative": "(-{0})",
    "square": "({0} * {0})",
    "reciprocal": "(1 / {0})",
    "exp2": "Math.pow(2, {0})",
    "less": "({0} < {1})",
    "less_equal": "({0} <= {1})",
    "greater": "({0} > {1})",
    "greater_equal": "({0} >= {1})",
    "equal": "({0} === {1})",
    "not_equal": "({0} !== {1})",
    "logical_and": "({0} && {1})",
    "logical_or": "({0} || {1})",
    "logical_xor": "({0} !== {1})",
    "logical_not": "(!{0})",
    "where": "({0} ? {1} : {2})",
    "isnan": "({0} !== {0})",
    "isinf": "(Math.abs({0}) === Infinity)",
    "isfinite": "(Math.abs({0}) < Infinity)",
    "maximum": "Math.max({0}, {1})",
    "minimum": "Math.min({0}, {1})",
}
_MATH = {
    *("abs", "sqrt", "floor", "ceil", "trunc", "exp", "expm1", "log", "log1p", "log2", "log10"),
    *("sinh", "cosh", "tanh", "sin", "cos", "tan", "asin", "acos", "atan", "asinh", "acosh"),
    *("atanh", "atan2", "hypot", "pow"),
}

# Functions that Math does not have, or that differ from NumPy's.
_HELPERS = {
    "round": "x => { const n = Math.floor(x), d = x - n; "
    "return d < 0.5 || (d === 0.5 && n % 2 === 0) ? n : n + 1; }",
    "sign": "x => x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : NaN",
    "signbit": "x => x < 0 || Object.is(x, -0)",
    "copysign": "(x, s) => (s < 0 || Object.is(s, -0)) === (x < 0 || Object.is(x, -0)) ? x : -x",
    "remainder": "(x, y) => x - y * Math.floor(x / y)",
    "logaddexp": "(x, y) => x === y ? x + Math.LN2 : "
    "Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)))",
    "exponent": "x => { const v = new DataView(new ArrayBuffer(8)); v.setFloat64(0, x); "
    "let e = v.getUint32(0) >>> 20 & 2047, less = 0; "
    "if (e === 0 && x !== 0) { v.setFloat64(0, x * 2 ** 64); less = 64; "
    "e = v.getUint32(0) >>> 20 & 2047; } "
    "return x === 0 || e === 2047 ? 0 : e - 1022 - less; }",
    "fraction": "x => { if (x === 0 || !Number.isFinite(x)) return x; "
    "const v = new DataView(new ArrayBuffer(8)); v.setFloat64(0, x); "
    "if ((v.getUint32(0) >>> 20 & 2047) === 0) v.setFloat64(0, x * 2 ** 64); "
    "v.setUint32(0, v.getUint32(0) & 0x800fffff | 1022 << 20); return v.getFloat64(0); }",
}

# The longest source of a stable form. Logarithms of two words take 18,000 characters.
_LONGEST = 4000

_NAME = re.compile(r"[A-Za-z_$][\w$]*\Z")


class Script(NamedTuple):
    """A function of JavaScript: ``function NAME(ARGUMENTS, PARAMETERS) { ... }``.

    It takes the arguments and the parameters of `trace_function`, in their order; the source has
    the values of fixed parameters as numbers. A `textbook` source is the textbook formula, which
    loses digits near its ends: the stable form has fixed parameters, or is very long.
    `lossfw.numerics.symbolic.written.write` evaluates the graph in Python.
    """

    source: str
    traced: Traced
    textbook: bool


def javascript(component: Component, which: Which = "value", *, name: str | None = None) -> Script:
    """Return a function of a component as JavaScript.

    Examples
    --------
    >>> import lossfw
    >>> print(javascript(lossfw.loss("squared_hinge"), "derivative", name="gradient").source)
    function gradient(m, margin) {
      return (0.0 - (2.0 * Math.max((margin - m), 0.0)));
    }
    """
    called = which if name is None else name
    if not _NAME.match(called):
        raise ArgumentError(f"{called!r} is not a valid name of a JavaScript function.")
    if getattr(component, "takes_rows", False):
        raise TraceError(f"{component.name} is a function of rows: it has no JavaScript")
    found, textbook = _choose_form(component, which)
    source = javascript_function(found.graph, called, (*found.arguments, *found.parameters))
    return Script(source, found, textbook)


def _choose_form(component: Component, which: Which) -> tuple[Traced, bool]:
    """Return the stable form, or the textbook formula where that is freer or much shorter."""
    stable = trace_function(component, which)
    if not stable.fixed and len(javascript_function(stable.graph, which, ())) <= _LONGEST:
        return stable, False
    try:
        found = trace_function(component, which, textbook=True)
        javascript_function(found.graph, which, ())
    except TraceError:
        return stable, False
    return (found, True) if len(found.fixed) <= len(stable.fixed) else (stable, False)


def javascript_function(graph: Graph, name: str, arguments: tuple[str, ...]) -> str:
    """Return the first output of a graph as a function of JavaScript."""
    live = graph.live_nodes()
    uses = [arg for number in live for arg in graph.nodes[number].args]
    texts: dict[int, str] = {}
    lines: list[str] = []
    for number in live:
        node = graph.nodes[number]
        text = _expression(graph, node, [texts[arg] for arg in node.args])
        if node.args and node.op != CAST and uses.count(number) > 1:
            lines.append(f"  const v{number} = {text};")
            text = f"v{number}"
        texts[number] = text
    used = {graph.nodes[number].op for number in live}
    helpers = [f"  const {op} = {_HELPERS[op]};" for op in sorted(used & _HELPERS.keys())]
    body = [*helpers, *lines, f"  return {texts[graph.outputs[0]]};"]
    return "\n".join([f"function {name}({', '.join(arguments)}) {{", *body, "}"])


def _expression(graph: Graph, node: Operation, arguments: list[str]) -> str:
    """Return an operation as JavaScript."""
    if node.op in (INPUT, PARAMETER):
        return str(node.value)
    if node.op == CONSTANT:
        return str(node.value).lower() if node.dtype.kind == "b" else _number(node.value)
    if node.op == CAST:
        of_truth = graph.nodes[node.args[0]].dtype.kind == "b"
        return f"({arguments[0]} ? 1 : 0)" if of_truth else arguments[0]
    if node.op == LOOK_UP:
        return f"{json.dumps(node.value)}[{arguments[0]}]"
    if node.op in _OPERATORS:
        return _OPERATORS[node.op].format(*arguments)
    if node.op in _MATH or node.op in _HELPERS:
        prefix = "Math." if node.op in _MATH else ""
        return f"{prefix}{node.op}({', '.join(arguments)})"
    raise TraceError(f"JavaScript has no function {node.op}")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    text = "Infinity" if math.isinf(value) else repr(abs(value))
    return f"(-{text})" if math.copysign(1.0, value) < 0 else text
