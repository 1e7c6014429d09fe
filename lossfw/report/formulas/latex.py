"""The textbook formula of a component in LaTeX, for KaTeX, MathJax and LaTeX itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from lossfw.components.component import Component
from lossfw.components.docstrings import latex_problem
from lossfw.components.spaces import Counts, FiniteSpace
from lossfw.errors import ArgumentError
from lossfw.losses.loss import Loss
from lossfw.numerics.symbolic.formulas import ELEMENT
from lossfw.numerics.symbolic.graph import CLASSES, CONSTANT, INPUT, PARAMETER, Graph
from lossfw.report.formulas.names import number_text, parameter_text
from lossfw.report.formulas.simplify import PlainGraph, row_nodes
from lossfw.report.formulas.traced import trace_function

# How tightly a text holds together, from a sum to a single sign.
SUM, PRODUCT, SIGNED, POWER, ATOM = range(1, 6)

# Functions with a name of LaTeX, and with one of their own.
_FUNCTIONS = {
    **{name: rf"\{name}" for name in ("log", "sinh", "cosh", "tanh", "sin", "cos", "tan")},
    **{name: rf"\operatorname{{{name}}}" for name in ("erf", "erfc", "sign", "round", "trunc")},
    "lgamma": r"\log\Gamma",
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "asinh": r"\operatorname{arsinh}",
    "acosh": r"\operatorname{arcosh}",
    "atanh": r"\operatorname{artanh}",
    "log2": r"\log_{2}",
    "log10": r"\log_{10}",
    "maximum": r"\max",
    "minimum": r"\min",
}
# The text of an operation with {0} and {1} in place of its arguments, and how tightly it holds.
_FORMS = {
    "abs": (r"\left|{0}\right|", ATOM),
    "floor": (r"\left\lfloor {0} \right\rfloor", ATOM),
    "ceil": (r"\left\lceil {0} \right\rceil", ATOM),
    "sqrt": (r"\sqrt{{{0}}}", ATOM),
    "reciprocal": (r"\frac{{1}}{{{0}}}", ATOM),
    "exp2": ("2^{{{0}}}", POWER),
    "less": ("{0} < {1}", SUM),
    "less_equal": (r"{0} \le {1}", SUM),
    "greater": ("{0} > {1}", SUM),
    "greater_equal": (r"{0} \ge {1}", SUM),
    "equal": ("{0} = {1}", SUM),
    "not_equal": (r"{0} \ne {1}", SUM),
    "logical_and": (r"{0}\text{{ and }}{1}", SUM),
    "logical_or": (r"{0}\text{{ or }}{1}", SUM),
    "logical_not": (r"\text{{not }} {0}", SUM),
}
_OVER_ROW = {"sum": r"\sum", "max": r"\max", "min": r"\min", "mean": r"\tfrac{1}{K} \sum"}

# Indices of the elements of rows, the outermost first.
_INDICES = "kji"

# A longer exponent is written behind exp.
_LONG_EXPONENT = 24

# Longer factors follow a fraction, and are not above its line.
_LONG_FACTOR = 40


class Text(NamedTuple):
    """A part of a formula, and how tightly it holds together."""

    text: str
    level: int


class _Printer(PlainGraph):
    """The parts of a graph as LaTeX."""

    def __init__(self, graph: Graph, whole: Collection[str] = ()) -> None:
        super().__init__(graph, whole)
        self.rows = row_nodes(graph)
        # The number of indices that are bound; a result that is a row has a free one.
        self.depth = int(graph.outputs[0] in self.rows)
        self._found: dict[tuple[int, int, frozenset[tuple[int, bool]]], Text] = {}

    def node_text(self, number: int) -> Text:
        """Return the text of a node."""
        place = (self.simplified_id(number), self.depth, frozenset(self.known.items()))
        if place not in self._found:
            self._found[place] = self._make_text(number)
        return self._found[place]

    def _make_text(self, number: int) -> Text:
        node = self.node(number)
        own: Callable[[tuple[int, ...]], Text] | None = getattr(self, f"_{node.op}", None)
        if own is not None:
            return own(node.args)
        if node.op in _FORMS:
            form, level = _FORMS[node.op]
            return Text(form.format(*map(self.text, node.args)), level)
        if node.op in _OVER_ROW:
            return self._reduce_row(node.op, node.args[0])
        if node.args and node.op != ELEMENT:
            return self._call(node.op, node.args)
        return self._leaf(number)

    def text(self, number: int, level: int = 0) -> str:
        """Return the text of a node, in brackets unless it holds together so tightly."""
        text, own = self.node_text(number)
        return text if own >= level else rf"\left({text}\right)"

    # Leaves.

    def _leaf(self, number: int) -> Text:
        node = self.node(number)
        if node.op == INPUT:
            row = self.simplified_id(number) in self.rows
            # A column has its own name alone.
            letter = parameter_text(node.value.rpartition(".")[2])
            return Text(f"{letter}_{{{_INDICES[self.depth - 1]}}}" if row else letter, ATOM)
        if node.op == ELEMENT:
            # Counted from 1, as in print.
            return Text(f"{self.node(node.args[0]).value}_{{{node.value + 1}}}", ATOM)
        if node.op == PARAMETER:
            return Text(parameter_text(node.value), ATOM)
        if node.op == CLASSES:
            return Text(node.value, ATOM)
        if node.op == CONSTANT and node.dtype.kind == "b":
            return Text(r"\text{always}" if node.value else r"\text{never}", ATOM)
        text = number_text(float(node.value))
        return Text(text, _level_of_number(text))

    # Sums and products.

    def _negative(self, args: tuple[int, ...]) -> Text:
        inner = self.find_negated(args[0])
        if inner is not None:
            return self.node_text(inner)
        text, level = self.node_text(args[0])
        if level == SIGNED and text.startswith("-"):
            return Text(text[1:], PRODUCT)
        return Text("-" + (text if level >= PRODUCT else rf"\left({text}\right)"), SIGNED)

    def _add(self, args: tuple[int, ...]) -> Text:
        a, b = args
        if self._is_negative(a) and not self._is_negative(b):
            a, b = b, a
        return self._join_terms(a, b, "+")

    def _subtract(self, args: tuple[int, ...]) -> Text:
        a, b = args
        if self.number(a) == 0:
            return self._negative((b,))
        return self._join_terms(a, b, "-")

    def _is_negative(self, number: int) -> bool:
        return self.node_text(number).level == SIGNED

    def _join_terms(self, a: int, b: int, sign: str) -> Text:
        text, level = self.node_text(b)
        if level == SIGNED:
            sign, text = "-" if sign == "+" else "+", text[1:]
        elif level == SUM and sign == "-":
            text = rf"\left({text}\right)"
        return Text(f"{self.text(a)} {sign} {text}", SUM)

    def _multiply(self, args: tuple[int, ...]) -> Text:
        factors = _Factors()
        for arg in args:
            self._collect(arg, factors, is_below=False)
        return self._product(factors)

    def _divide(self, args: tuple[int, ...]) -> Text:
        a, b = args
        products = ("multiply", "divide")
        if self.node(a).op in (*products, "negative") or self.node(b).op in products:
            factors = _Factors()
            self._collect(a, factors, is_below=False)
            self._collect(b, factors, is_below=True)
            return self._product(factors)
        return Text(rf"\frac{{{self.text(a)}}}{{{self.text(b)}}}", ATOM)

    def _collect(self, number: int, factors: _Factors, *, is_below: bool) -> None:
        """Take a product apart into a number, and factors above and below a line."""
        node, plain = self.node(number), self.simplified_id(number)
        if node.op == "multiply":
            for arg in node.args:
                self._collect(arg, factors, is_below=is_below)
        elif node.op == "divide":
            self._collect(node.args[0], factors, is_below=is_below)
            self._collect(node.args[1], factors, is_below=not is_below)
        elif node.op == "negative":
            factors.number = -factors.number
            self._collect(node.args[0], factors, is_below=is_below)
        elif node.op == CONSTANT and node.value and math.isfinite(node.value):
            value = Fraction(node.value)
            factors.number *= 1 / value if is_below else value
        else:
            (factors.below if is_below else factors.above).append(plain)

    def _product(self, factors: _Factors) -> Text:
        sign = "-" if factors.number < 0 else ""
        number = abs(factors.number)
        numerator, denominator = _fraction_texts(number)
        # A lone factor above or below a line needs no brackets.
        line = bool(factors.below) or denominator != "1"
        above = self._powers(factors.above, line and numerator == "1")
        below = self._powers(factors.below, denominator == "1")
        if numerator != "1" or not above:
            above.insert(0, numerator)
        if denominator != "1":
            below.insert(0, denominator)
        level = SIGNED if sign else PRODUCT
        if not below:
            return Text(sign + _join_factors(above), level)
        # Sums and choices follow the fraction.
        short = [text for text in above if len(text) < _LONG_FACTOR and "cases" not in text]
        long = [text for text in above if text not in short]
        head = rf"\frac{{{_join_factors(short) or '1'}}}{{{_join_factors(below)}}}"
        return Text(sign + _join_factors([head, *long]), level)

    def _powers(self, numbers: list[int], without_brackets: bool) -> list[str]:
        """Return factors as texts, equal ones as a power, parameters first.

        With `without_brackets` a lone factor gets no brackets.
        """
        if without_brackets and len(numbers) == 1:
            return [self.text(numbers[0])]
        counts: dict[int, int] = {}
        for number in numbers:
            counts[number] = counts.get(number, 0) + 1
        ordered = sorted(counts, key=lambda number: self.node(number).op != PARAMETER)
        return [
            self.text(n, PRODUCT) if counts[n] == 1 else self._raise_power(n, str(counts[n]))
            for n in ordered
        ]

    # Powers and functions.

    def _square(self, args: tuple[int, ...]) -> Text:
        return Text(self._raise_power(args[0], "2"), POWER)

    def _pow(self, args: tuple[int, ...]) -> Text:
        return Text(self._raise_power(args[0], self.text(args[1])), POWER)

    def _raise_power(self, number: int, exponent: str) -> str:
        text, level = self.node_text(number)
        # Functions and fractions have no place for an exponent of their own.
        bare = level == ATOM and not text.startswith((r"\frac", r"\begin", r"\log", r"\sum"))
        return f"{text}^{{{exponent}}}" if bare else rf"\left({text}\right)^{{{exponent}}}"

    def _exp(self, args: tuple[int, ...]) -> Text:
        text = self.text(args[0])
        if "frac" in text or len(text) > _LONG_EXPONENT:
            return Text(rf"\exp\!\left({text}\right)", ATOM)
        return Text(f"e^{{{text}}}", POWER)

    def _expm1(self, args: tuple[int, ...]) -> Text:
        return Text(f"{self._exp(args).text} - 1", SUM)

    def _log1p(self, args: tuple[int, ...]) -> Text:
        text, level = self.node_text(args[0])
        inner = f"1 - {text[1:]}" if level == SIGNED else f"1 + {text}"
        return Text(rf"\log\!\left({inner}\right)", ATOM)

    def _call(self, op: str, args: tuple[int, ...]) -> Text:
        name = _FUNCTIONS.get(op, rf"\operatorname{{{op}}}".replace("_", r"\_"))
        if len(args) == 1:
            text, level = self.node_text(args[0])
            if level == ATOM and len(text) <= len("y_{k}"):
                return Text(f"{name} {text}", ATOM)
            return Text(rf"{name}\!\left({text}\right)", ATOM)
        # Numbers first: max(0, x).
        ordered = sorted(args, key=lambda arg: self.number(arg) is None)
        listed = r",\, ".join(map(self.text, ordered))
        return Text(rf"{name}\!\left({listed}\right)", ATOM)

    def _reduce_row(self, op: str, number: int) -> Text:
        self.depth += 1
        index = _INDICES[self.depth - 1]
        text, level = self.node_text(number)
        self.depth -= 1
        if level == SIGNED and op == "sum":
            return Text(rf"-\sum_{{{index}}} {text[1:]}", SIGNED)
        inner = text if level >= PRODUCT else rf"\left({text}\right)"
        return Text(rf"{_OVER_ROW[op]}_{{{index}}} {inner}", PRODUCT)

    # Choices.

    def _where(self, args: tuple[int, ...]) -> Text:
        if self._is_absolute_value(args):
            return Text(rf"\left|{self.text(args[2])}\right|", ATOM)
        rows, before = [], dict(self.known)
        condition, yes, no = args
        while True:
            told = self.text(condition)
            self.known[condition] = True
            rows.append(rf"{self.text(yes)} & \text{{if }} {told}")
            self.known[condition] = False
            node = self.node(no)
            if node.op != "where" or self._is_absolute_value(node.args):
                break
            condition, yes, no = node.args
        rows.append(rf"{self.text(no)} & \text{{otherwise}}")
        self.known = before
        listed = r" \\ ".join(rows)
        return Text(rf"\begin{{cases}} {listed} \end{{cases}}", ATOM)

    def _is_absolute_value(self, args: tuple[int, ...]) -> bool:
        """Tell whether a choice is an absolute value, where(x < 0, -x, x)."""
        condition, yes, no = self.graph.nodes[args[0]], args[1], self.simplified_id(args[2])
        return (
            condition.op == "less"
            and self.number(condition.args[1]) == 0
            and self.simplified_id(condition.args[0]) == no == self.find_negated(yes)
        )


def _level_of_number(text: str) -> int:
    """Return how tightly the text of a number holds together."""
    if text.startswith("-"):
        return SIGNED
    if r"\cdot" in text or text == r"2\pi":
        return PRODUCT
    return POWER if "^" in text else ATOM


def _join_factors(factors: list[str]) -> str:
    return r"\,".join(factors)


@dataclass
class _Factors:
    """The factors of a product: a number, and nodes above and below a line."""

    number: Fraction = Fraction(1)
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)


def _fraction_texts(number: Fraction) -> tuple[str, str]:
    """Return numerator and denominator as texts; any number but a short fraction as a whole."""
    short = number.limit_denominator(1000)
    if float(short) == float(number):
        return str(short.numerator), str(short.denominator)
    return number_text(float(number)), "1"


def latex(component: Component) -> str:
    r"""Return the textbook formula of a loss or an activation, its right side, as LaTeX.

    Parameters have their names. An author's own text, the class attribute `latex`, comes
    first. For the names of the arguments see `lossfw.report.formulas.traced.Traced`.

    Examples
    --------
    >>> import lossfw
    >>> print(latex(lossfw.loss("squared_error", factor=0.5)))
    \mathrm{factor}\,r^{2}
    """
    if component.latex is not None:
        problem = latex_problem(component.latex)
        if problem:
            raise ArgumentError(
                f"the LaTeX of {component.name}, {component.latex!r}, {problem}: fix the class "
                "attribute latex."
            )
        return component.latex
    graph = trace_function(component, textbook=True).graph
    is_whole = isinstance(component, Loss) and isinstance(
        component.target_space, Counts | FiniteSpace
    )
    return _Printer(graph, ("t",) if is_whole else ()).node_text(graph.outputs[0]).text
