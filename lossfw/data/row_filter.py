"""A filter of rows: an expression over columns of the data, such as ``column.age >= 18``.

A comparison is ``column.NAME``, one of ``== != < <= > >=`` and a value, or ``in`` or ``not in`` and
a list ``[a, b]``; names and values may be quoted. Comparisons are joined by ``and``, ``or``,
``not`` and parentheses as in Python: `ast` parses the expression, and nothing is executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lossfw.components.naming import did_you_mean, shortlist
from lossfw.data.columns import DataColumn
from lossfw.data.comparisons import ColumnComparison
from lossfw.errors import ParameterError
from lossfw.numerics.arrays import NDArray

# The beginning of a column in an expression.
COLUMN = "column."
# Longer expressions are refused before they are read ...
MAX_CHARACTERS = 10_000
# ... and deeper ones, long before Python's own limit.
MAX_DEPTH = 50

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<operator>==|!=|<=|>=|<|>)
    | (?P<mark>[()\[\],])
    | (?P<column>column\.(?:"[^"]*"|'[^']*'|[^\s()\[\],<>=!"']+))
    | (?P<text>"[^"]*"|'[^']*')
    | (?P<in>(?:not\s+)?in(?![^\s()\[\],<>=!"']))
    | (?P<word>[^\s()\[\],<>=!"']+)
    )""",
    re.VERBOSE,
)
_KEYWORDS = ("and", "or", "not")
# What may follow a kind of token, and how a message calls it.
_FOLLOWS: Mapping[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(
        ("start", "and", "or", "not", "("),
        (("column", "not", "("), "a column, such as column.{name},"),
    ),
    **dict.fromkeys(("value", "]", ")"), (("and", "or", ")", "end"), "and, or, or nothing more")),
    **dict.fromkeys(("operator", "[", ","), (("value",), "a value")),
    "column": (("operator", "in"), "==, !=, <, <=, >, >=, in or not in"),
    "in": (("[",), "["),
    "item": ((",", "]"), "]"),
}


class FilterError(ParameterError):
    """An expression that is not a filter of rows."""


@dataclass(frozen=True)
class RowFilter:
    """A filter of rows.

    Examples
    --------
    >>> rows = RowFilter.read("column.age>=18 and not column.region in [north, 'far west']")
    >>> str(rows), rows.columns
    ("column.age >= 18 and not (column.region in [north, 'far west'])", ('age', 'region'))
    >>> RowFilter.read("column.age >= ")
    Traceback (most recent call last):
    ...
    lossfw.data.row_filter.FilterError: expected a value at the end of 'column.age >= '
    """

    # Equal conditions have an equal text.
    text: str

    @classmethod
    def read(cls, text: str) -> RowFilter:
        """Return the filter that an expression describes."""
        if len(text) > MAX_CHARACTERS:
            raise FilterError(
                f"an expression of at most {MAX_CHARACTERS} characters, got {len(text)}"
            )
        tree, comparisons = _parse(text)
        return cls(_format_condition(tree, comparisons))

    @cached_property
    def _tree_and_comparisons(self) -> tuple[ast.expr, Mapping[str, ColumnComparison]]:
        return _parse(self.text)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the compared columns."""
        return tuple(dict.fromkeys(one.column for one in self._tree_and_comparisons[1].values()))

    def masks(
        self, columns: Mapping[str, DataColumn], pieces: Iterable[Mapping[str, NDArray]]
    ) -> Iterator[NDArray]:
        """Yield the mask of the rows that pass the filter for each piece (values by column).

        Labels of `columns` are compared once.
        """
        tree, comparisons = self._tree_and_comparisons
        tests = {name: one.predicate(columns[one.column]) for name, one in comparisons.items()}
        for values in pieces:
            yield _evaluate_condition(
                tree, {n: test(values[comparisons[n].column]) for n, test in tests.items()}
            )

    def unknown_labels(self, columns: Mapping[str, DataColumn]) -> Iterator[str]:
        """Yield a sentence for each string in the expression that does not occur in its column."""
        for one in self._tree_and_comparisons[1].values():
            column = columns[one.column]
            for value in one.unknown_values(column):
                labels = [label for label in column.labels_or_none if label is not None]
                guess = did_you_mean(value, labels)
                listed = shortlist(labels, close_to=value)
                told = f"{COLUMN}{one.column} has no {value!r}; it has {listed}. {guess}"
                yield told.strip()

    def __str__(self) -> str:
        return self.text


class _Token(NamedTuple):
    # A key of `_FOLLOWS`, or "end".
    kind: str
    text: str
    place: int

    @property
    def unquoted(self) -> str:
        """The text without quotes."""
        text = self.text.removeprefix(COLUMN) if self.kind == "column" else self.text
        return text[1:-1] if text[:1] in ('"', "'") else text


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            at = len(text) - len(text[place:].lstrip())
            hint = ": equal is ==" if text[at] == "=" else ""
            raise FilterError(f"{text[at]!r} at character {at + 1} of {text!r} means nothing{hint}")
        kind, place = str(found.lastgroup), found.end()
        word = found[kind]
        own = kind == "mark" or (kind == "word" and word in _KEYWORDS)
        named = word if own else "value" if kind in ("word", "text") else kind
        yield _Token(named, word, found.start(kind))
    yield _Token("end", "", len(text))


def _parse(text: str) -> tuple[ast.expr, dict[str, ColumnComparison]]:
    """Return the tree of an expression, in which names stand for the comparisons."""
    comparisons: dict[str, ColumnComparison] = {}
    # What Python reads; the parentheses and the negations, by their first letter, that are open.
    source, levels = [], ""
    kind, column, operator = "start", "", [""]
    values: list[str] = []
    for token in _tokens(text):
        expected, words = _FOLLOWS[kind]
        if token.kind not in expected or (token.kind == ")" and "(" not in levels):
            raise _syntax_error(words, token, text)
        kind = token.kind
        if kind == "column":
            column, values = token.unquoted, []
        elif kind in ("operator", "in"):
            operator = token.text.split()
        elif kind == "value":
            values.append(token.unquoted)
            kind = "item" if operator[-1] == "in" else kind
        elif kind in ("not", "("):
            levels += kind[0]
            if len(levels) > MAX_DEPTH:
                raise FilterError(f"an expression with at most {MAX_DEPTH} levels of parentheses")
        elif kind == ")":
            levels = levels[: levels.rindex("(")]
        if kind in ("value", "]"):
            *negated, word = operator
            comparisons[name := f"c{len(comparisons)}"] = ColumnComparison(
                column, word, tuple(values)
            )
            source += [*negated, name]
        elif kind in ("and", "or", "not", "(", ")"):
            source.append(kind)
        if kind in ("value", "]", ")"):
            levels = levels.rstrip("n")
    if levels:
        raise _syntax_error(")", token, text)
    return ast.parse(" ".join(source), mode="eval").body, comparisons


def _syntax_error(expected_text: str, token: _Token, text: str) -> FilterError:
    # A word that stands where a column should is the name in the example.
    word = token.kind == "value" and token.text == token.unquoted
    expected = expected_text.format(name=token.text if word else "region")
    where = "the end" if token.kind == "end" else f"{token.text!r}, character {token.place + 1}"
    return FilterError(f"expected {expected} at {where} of {text!r}")


def _evaluate_condition(node: ast.AST, fulfilled: Mapping[str, NDArray]) -> NDArray:
    """Return whether rows fulfil a condition, from what is known of each comparison."""
    match node:
        case ast.BoolOp(op=op, values=parts):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            found: NDArray = join.reduce([_evaluate_condition(part, fulfilled) for part in parts])
            return found
        case ast.UnaryOp(operand=part):
            return ~_evaluate_condition(part, fulfilled)
    assert isinstance(node, ast.Name)
    return fulfilled[node.id]


def _format_condition(node: ast.AST, comparisons: Mapping[str, ColumnComparison]) -> str:
    """Return a condition in one form for equal ones."""
    match node:
        case ast.BoolOp(op=op, values=parts):
            inner = [(_format_condition(part, comparisons), part) for part in parts]
            word = " and " if isinstance(op, ast.And) else " or "
            return word.join(f"({x})" if isinstance(p, ast.BoolOp) else x for x, p in inner)
        case ast.UnaryOp(operand=part):
            return f"not ({_format_condition(part, comparisons)})"
    assert isinstance(node, ast.Name)
    return str(comparisons[node.id])
