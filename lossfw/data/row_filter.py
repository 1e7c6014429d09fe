"""A filter of rows: an expression over columns of the data, such as ``column.age >= 18``.

The grammar, in which ``and`` binds more than ``or``, and ``not`` more than both::

    either     = both {"or" both}
    both       = not {"and" not}
    not        = "not" not | "(" either ")" | comparison
    comparison = column ("==" | "!=" | "<" | "<=" | ">" | ">=") value
               | column ["not"] "in" "[" value {"," value} "]"
    column     = "column." (name | text in quotes)
    value      = name | number | text in quotes

Nothing of it is executed: it is read into records, which compare arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from lossfw.components.naming import did_you_mean, shortlist
from lossfw.data.columns import DataColumn
from lossfw.data.comparisons import ColumnComparison, ComparisonOperator
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
    | (?P<word>[^\s()\[\],<>=!"']+)
    )""",
    re.VERBOSE,
)
_KEYWORDS = ("and", "or", "not", "in")


class FilterError(ParameterError):
    """An expression that is not a filter of rows."""


class Condition(Protocol):
    """Protocol: a condition that a row fulfils or not."""

    def comparisons(self) -> Iterator[ColumnComparison]:
        """Yield its comparisons."""

    def mask(self, fulfilled: Mapping[ColumnComparison, NDArray]) -> NDArray:
        """Return whether each row fulfils it, from what is known of each comparison."""


@dataclass(frozen=True)
class _All:
    """Conditions that have to hold together, or one of which has to hold."""

    parts: tuple[Condition, ...]
    word: str

    def comparisons(self) -> Iterator[ColumnComparison]:
        for part in self.parts:
            yield from part.comparisons()

    def mask(self, fulfilled: Mapping[ColumnComparison, NDArray]) -> NDArray:
        join = np.logical_and if self.word == "and" else np.logical_or
        found: NDArray = join.reduce([part.mask(fulfilled) for part in self.parts])
        return found

    def __str__(self) -> str:
        inner = (f"({p})" if isinstance(p, _All) else str(p) for p in self.parts)
        return f" {self.word} ".join(inner)


@dataclass(frozen=True)
class _Not:
    """A condition that must not hold."""

    part: Condition

    def comparisons(self) -> Iterator[ColumnComparison]:
        yield from self.part.comparisons()

    def mask(self, fulfilled: Mapping[ColumnComparison, NDArray]) -> NDArray:
        return ~self.part.mask(fulfilled)

    def __str__(self) -> str:
        return f"not ({self.part})"


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

    condition: Condition

    @classmethod
    def read(cls, text: str) -> RowFilter:
        """Return the filter that an expression describes."""
        if len(text) > MAX_CHARACTERS:
            raise FilterError(
                f"an expression of at most {MAX_CHARACTERS} characters, got {len(text)}"
            )
        reader = _Reader(text, list(_tokens(text)))
        condition = reader.either(0)
        reader.expect_end()
        return cls(condition)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that it compares."""
        return tuple(dict.fromkeys(one.column for one in self.condition.comparisons()))

    def masks(
        self, columns: Mapping[str, DataColumn], pieces: Iterable[Mapping[str, NDArray]]
    ) -> Iterator[NDArray]:
        """Yield for each piece of the data, values by column, whether its rows fulfil the filter.

        Labels of `columns` are compared once.
        """
        tests = {one: one.test(columns[one.column]) for one in self.condition.comparisons()}
        for values in pieces:
            yield self.condition.mask(
                {one: test(values[one.column]) for one, test in tests.items()}
            )

    def unknown_labels(self, columns: Mapping[str, DataColumn]) -> Iterator[str]:
        """Yield a sentence for each text of the expression that its column does not have."""
        for one in self.condition.comparisons():
            column = columns[one.column]
            for value in one.unknown(column):
                labels = [label for label in column.known if label is not None]
                guess = did_you_mean(value, labels)
                listed = shortlist(labels, near=value)
                told = f"{COLUMN}{one.column} has no {value!r}; it has {listed}. {guess}"
                yield told.strip()

    def __str__(self) -> str:
        return str(self.condition)


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            at = len(text) - len(text[place:].lstrip())
            hint = ": equal is ==" if text[at] == "=" else ""
            raise FilterError(f"{text[at]!r} at character {at + 1} of {text!r} means nothing{hint}")
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind))
        place = found.end()


@dataclass
class _Reader:
    """Reads tokens from left to right."""

    text: str
    tokens: Sequence[_Token]
    next: int = field(default=0)

    def either(self, depth: int) -> Condition:
        return self._joined("or", depth)

    def _joined(self, word: str, depth: int) -> Condition:
        parts = []
        while True:
            parts.append(self._joined("and", depth) if word == "or" else self._single(depth))
            if not self._take("word", word):
                return parts[0] if len(parts) == 1 else _All(tuple(parts), word)

    def _single(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise FilterError(f"an expression with at most {MAX_DEPTH} levels of parentheses")
        if self._take("word", "not"):
            return _Not(self._single(depth + 1))
        if self._take("mark", "("):
            inner = self.either(depth + 1)
            self._need("mark", ")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        token = self._here()
        if token is None or token.kind != "column":
            raise self._wrong(f"a column, such as column.{_name_in(token)},")
        self.next += 1
        name = _unquoted(token.text.removeprefix(COLUMN))
        operator = self._here()
        if operator is not None and operator.kind == "operator":
            self.next += 1
            return ColumnComparison(name, ComparisonOperator(operator.text), (self._value(),))
        negated = self._take("word", "not")
        if not self._take("word", "in"):
            raise self._wrong("==, !=, <, <=, >, >=, in or not in")
        self._need("mark", "[")
        values = [self._value()]
        while self._take("mark", ","):
            values.append(self._value())
        self._need("mark", "]")
        found = ColumnComparison(name, ComparisonOperator.IN, tuple(values))
        return _Not(found) if negated else found

    def _value(self) -> str:
        token = self._here()
        if token is None or token.kind not in ("word", "text") or token.text in _KEYWORDS:
            raise self._wrong("a value")
        self.next += 1
        return _unquoted(token.text)

    def expect_end(self) -> None:
        if self._here() is not None:
            raise self._wrong("and, or, or nothing more")

    def _here(self) -> _Token | None:
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def _take(self, kind: str, text: str) -> bool:
        token = self._here()
        found = token is not None and (token.kind, token.text) == (kind, text)
        self.next += found
        return found

    def _need(self, kind: str, text: str) -> None:
        if not self._take(kind, text):
            raise self._wrong(text)

    def _wrong(self, expected: str) -> FilterError:
        token = self._here()
        where = "the end" if token is None else f"{token.text!r}, character {token.place + 1}"
        return FilterError(f"expected {expected} at {where} of {self.text!r}")


def _name_in(token: _Token | None) -> str:
    """Return a name for an example: the word that stands where a column should."""
    word = token is not None and token.kind == "word" and token.text not in _KEYWORDS
    return token.text if word and token is not None else "region"


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in ('"', "'") else text
