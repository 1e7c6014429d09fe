"""Smoothness of rows: partial derivatives that jump at ties or elsewhere."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.draw import rows
from lossfw.check.core.points import Points, first, inside
from lossfw.check.core.session import NotApplicable, Refuted, Search
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# How many rows are looked at for each number of columns, one for so many examples, how
# far to each side of them, and the change of a partial derivative over that distance that
# is a jump, relative to its size or to a hundredth.
_ROWS, _FOR_EACH, _SIDE, _ROW_JUMP, _ROW_SIZE = (6, 24), 8, 2.0**-36, 1e-6, 1e-2

_NAMES = {1: "derivative", 2: "second derivative"}
_CODES = {1: "gradient(y, t)", 2: "hessian(y, t)"}


def check_rows(subject: Subject, search: Search, order: int) -> None:
    """Look for partial derivatives that jump at rows with ties and other inner rows."""
    if subject.truth is None:
        raise NotApplicable("without a formula nothing is known about rows")
    for columns in subject.several[:2]:
        some = _inner_rows(subject, search, columns)
        for column in range(columns):
            for degree, jump in enumerate(_jumps(subject, search, some, column)[:order], 1):
                if jump.any():
                    text = f"the partial {_NAMES[degree]} in column {column} jumps at y."
                    raise Refuted.at(some, first(jump), text, _CODES[degree])


def _inner_rows(subject: Subject, search: Search, columns: int) -> Points:
    drawn = rows(subject, columns, "float64", search.rng("rows"), search.examples)
    points = inside(subject, drawn)
    inner = np.isfinite(points.y) & (np.abs(points.y) < 100)
    if subject.prediction in (UNIT, SIMPLEX):
        inner &= (points.y > 1e-3) & (points.y < 1 - 1e-3)
    most = int(np.clip(search.examples // _FOR_EACH, *_ROWS))
    return points.take(np.flatnonzero(inner.all(-1))[:most])


def _jumps(subject: Subject, search: Search, points: Points, column: int) -> list[NDArray]:
    """Tell where the first and the second partial derivative differ on the two sides of a row."""

    def looked_for() -> list[NDArray]:
        search.count(2 * len(points))
        order = 2 if subject.claims.get("twice_smooth") else 1
        sides = []
        for sign in (-1, 1):
            y = points.y.copy()
            y[:, column] += sign * _SIDE * np.maximum(np.abs(y[:, column]), _SIDE)
            sides.append([to_float(x) for x in subject.exact.partials(column, order, y, points.t)])
        return [_differ(*pair) for pair in zip(*sides, strict=True)]

    return search.once(("row jumps", points.y.shape[-1], column), looked_for)


def _differ(left: NDArray, right: NDArray) -> NDArray:
    size = np.maximum(np.abs(left), np.abs(right))
    return np.asarray(np.abs(right - left) > _ROW_JUMP * np.maximum(size, _ROW_SIZE))
