"""Parts of a formula as functions of the values of its letters, on any numbers."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from lossfw.numerics.factorial import log_factorial


@dataclass(frozen=True)
class Scope:
    """The values of the names of a formula at a place in it."""

    xp: Any
    names: dict
    rows: dict
    columns: int = 0
    indices: dict = field(default_factory=dict)

    def number(self, value):
        return self.xp.full((), value)[()]

    def at(self, index, place):
        return replace(self, indices={**self.indices, index: place})

    def knowing(self, name, value):
        return replace(self, names={**self.names, name: value})

    def letter(self, name, sub):
        if joined(name, sub) in self.names:
            return self.names[joined(name, sub)]
        if not sub:
            return self.number(self.indices[name] + 1.0)
        return self.rows[name][..., int(sub) - 1 if sub.isdigit() else self.indices[sub]]


class Phrase(NamedTuple):
    """A part of a formula: its value in a scope, and its letters with their subscripts."""

    compute: Callable
    letters: frozenset = frozenset()
    is_letter: bool = False


def joined(name, sub):
    return f"{name}_{sub}" if sub else name


def apply(function, *parts):
    """Return a phrase of a function ``function(xp, *values)``."""
    letters = frozenset().union(*(part.letters for part in parts))
    return Phrase(
        lambda scope: function(scope.xp, *(part.compute(scope) for part in parts)), letters
    )


def call(name, *parts):
    """Return a phrase of a function of the array API."""
    return apply(lambda xp, *values: getattr(xp, name)(*values), *parts)


def constant(value):
    return Phrase(lambda scope: scope.number(value))


def product(xp, a, b):
    return xp.where(xp.logical_or(a == 0, b == 0), xp.full((), 0.0)[()], a * b)


def cases(xp, *values):
    """Return the first case that holds; conditions and values come in turn."""
    result = xp.full((), float("nan"))[()]
    for k in range(len(values) - 2, -1, -2):
        result = xp.where(values[k], values[k + 1], result)
    return result


def factorial(xp, n):
    # A number by itself is not an array yet.
    return xp.exp(log_factorial(xp, xp.asarray(n)))


ARITHMETIC = {
    "add": lambda xp, a, b: a + b,
    "subtract": lambda xp, a, b: a - b,
    "divide": lambda xp, a, b: a / b,
    "pow": lambda xp, a, b: a**b,
}

# How terms are joined, and what no term at all is.
OVER = {
    r"\sum": (lambda xp, a, b: a + b, 0.0),
    r"\prod": (lambda xp, a, b: a * b, 1.0),
    r"\max": (lambda xp, a, b: xp.maximum(a, b), float("-inf")),
    r"\min": (lambda xp, a, b: xp.minimum(a, b), float("inf")),
}


def over(sign, letter, left_out, first, last, term):
    """Return the sum, product, minimum or maximum of a term over an index."""
    join, empty = OVER[sign]

    def compute(scope):
        start = int(first.compute(scope)) if first else 1
        stop = int(last.compute(scope)) if last else scope.columns
        skipped = scope.indices[left_out] if left_out else None
        values = [term.compute(scope.at(letter, k)) for k in range(start - 1, stop) if k != skipped]
        return functools.reduce(functools.partial(join, scope.xp), values, scope.number(empty))

    limits = frozenset().union(*(limit.letters for limit in (first, last) if limit))
    return Phrase(compute, limits | {(n, sub) for n, sub in term.letters if sub != letter})


# An equation is solved by bisection, from an interval that is doubled until it holds the
# solution.
_DOUBLINGS = 64
_HALVINGS = 160


def define(scope, left, right, shape):
    """Return the scope with the one name that an equation explains."""
    letters = left.letters | right.letters
    (unknown,) = {joined(*x) for x in letters if x[0] not in scope.rows} - set(scope.names)
    if left.is_letter and joined(*next(iter(left.letters))) == unknown:
        return scope.knowing(unknown, right.compute(scope))
    return scope.knowing(unknown, _solve(scope, left, right, unknown, shape))


def _solve(scope, left, right, name, shape):
    """Return where both sides are equal; their difference has one change of sign."""
    xp = scope.xp

    def is_above(x):
        inner = scope.knowing(name, x)
        return left.compute(inner) > right.compute(inner)

    low, high = -xp.ones(shape), xp.ones(shape)
    for _ in range(_DOUBLINGS):
        same = xp.equal(is_above(low), is_above(high))
        if not xp.any(same):
            break
        low, high = xp.where(same, 2 * low, low), xp.where(same, 2 * high, high)
    at_low = is_above(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        same = xp.equal(is_above(middle), at_low)
        low, high = xp.where(same, middle, low), xp.where(same, high, middle)
    return (low + high) / 2
