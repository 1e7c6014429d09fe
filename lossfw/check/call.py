"""Checks of the call: shapes, layouts, NaN, and the class index.

Every loss is held to these, whatever it claims.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.plain import DTYPES, alike, cast, many_classes
from lossfw.check.points import Points, counting, simplest
from lossfw.check.search import (
    Check,
    NotApplicable,
    Refuted,
    Search,
    ordinary,
    outputs,
    result_of,
)
from lossfw.check.subject import Subject, call
from lossfw.errors import LossfwError

# Shapes of rows are tried with up to so many of them.
_MOST = 10

# So many rows for a wrong label that is not among the first ones.
_MANY_ROWS = 300

# What stands beside a NaN in a row.
_BOUNDS = {"LOGITS": (-np.inf, np.inf), "UNIT": (0.0, 1.0), "SIMPLEX": (0.0, 1.0)}


def check_result_shape(subject: Subject, search: Search) -> int:
    """An unreduced loss has the prediction's shape, or one axis less for rows."""
    points = ordinary(subject, search, "shape:result", 6)
    tried = 0
    for y, t in _shapes(subject, points, search):
        for name, function in outputs(subject):
            wanted = y.shape[:-1] if subject.rows and name == "value" else y.shape
            result = result_of(function, name, y, t, "shape:result")
            tried += 1
            if np.shape(result) != wanted:
                raise Refuted(
                    f"{name} of predictions of shape {y.shape} and targets of shape {t.shape} has "
                    f"shape {np.shape(result)}; wanted {wanted}.",
                    f"{name}(y, t).shape",
                    y=y,
                    t=t,
                )
    return tried


def _shapes(subject: Subject, points: Points, search: Search) -> list[tuple[Any, Any]]:
    y, t = points.y, points.t
    found = [(y[:n], t[:n]) for n in (len(points), 1, 0)]
    if subject.rows:
        # As many rows as columns, and one more, in every number of columns.
        for some in (*search.points(subject, "float64"), *many_classes(subject, search)):
            columns = some.y.shape[-1]
            few = counting(subject, some)
            found += [(few.y[:n], few.t[:n]) for n in (1, columns, columns + 1) if n <= _MOST]
        return found
    pairs = len(points) // 2 * 2
    found += [(y[:pairs].reshape(shape), t[:pairs].reshape(shape)) for shape in ((2, -1), (-1, 1))]
    cube = np.resize(np.arange(len(points)), (2, 3, 4))
    found += [(y[cube], t[cube]), (y[cube[:1, :1]], t[cube[:1, :1]])]
    found += [(y[:0].reshape(shape), t[:0].reshape(shape)) for shape in ((0, 3), (3, 0))]
    return found


def check_broadcast(subject: Subject, search: Search) -> int:
    """Prediction and target that do not fit raise; nothing is broadcast."""
    points = ordinary(subject, search, "shape:broadcast", 3)
    if len(points) < 3:
        raise NotApplicable("too few ordinary points")
    wrong = _misfits_of_rows(points) if subject.rows else _misfits(points)
    tried = 0
    for a, b in wrong:
        for name, function in outputs(subject):
            tried += 1
            try:
                result = call(function, a, b)
            except Exception:  # noqa: S112  # any error is a refusal
                continue
            raise Refuted(
                f"{name} takes predictions of shape {np.shape(a)} with targets of shape "
                f"{np.shape(b)} and returns shape {np.shape(result)}; it should refuse.",
                f"{name}(y, t)",
                y=a,
                t=b,
            )
    return tried


def _misfits(points: Points) -> list[tuple[Any, Any]]:
    """Return predictions and targets of elements that do not fit, some with as many elements."""
    y, t = points.y, points.t
    found = [(y, t[:, None]), (y[:, None], t), (y, t[:2]), (y, t[:1]), (y[:1], t), (y, t[0])]
    found += [(y, t[None]), (y[None], t)]
    six = np.resize(np.arange(len(points)), 6)
    y, t = y[six], t[six]
    for one, other in (((6,), (2, 3)), ((2, 3), (3, 2)), ((2, 3), (1, 2, 3)), ((2, 3), (2, 3, 1))):
        found += [(y.reshape(a), t.reshape(b)) for a, b in ((one, other), (other, one))]
    return found


def _misfits_of_rows(points: Points) -> list[tuple[Any, Any]]:
    y, t = points.y, points.t
    found = [(y, t[:2]), (y, t[:1]), (y[:1], t)]
    if t.ndim != 2:
        return [*found, (y, t[:, None]), (y, t[None])]
    found += [(y, t[:, :2]), (y, t[0]), (y, t[:, :1]), (y, t.ravel()), (y, t[None])]
    return [*found, (y[:2], t[:2].T)] if t.shape[-1] > 2 else found


def check_layout(subject: Subject, search: Search) -> int:
    """Strided, reversed and Fortran-ordered arrays give the same results."""
    points = ordinary(subject, search, "shape:layout", 12)
    tried = 0
    for name, function in outputs(subject):
        for text, y, t, base_y, base_t in _layouts(subject, points):
            wanted = np.asarray(result_of(function, name, base_y, base_t, "shape:layout"))
            result = np.asarray(result_of(function, name, y, t, "shape:layout"))
            tried += 1
            if result.shape != wanted.shape or not alike(result, wanted).all():
                raise Refuted(
                    f"{name} of {text} differs from that of the same numbers in C order.",
                    f"{name}({text.split(': ')[-1]}), {name}(y, t)",
                    y=base_y,
                    t=base_t,
                )
    return tried


def _layouts(subject: Subject, points: Points) -> list[tuple[str, Any, Any, Any, Any]]:
    y, t = points.y, points.t
    found = [
        ("reversed arrays: y[::-1], t[::-1]", y[::-1], t[::-1], y[::-1].copy(), t[::-1].copy()),
        ("strided arrays: y[::2], t[::2]", y[::2], t[::2], y[::2].copy(), t[::2].copy()),
        ("a reversed prediction: y[::-1], t", y[::-1], t, y[::-1].copy(), t),
        ("a repeated prediction: np.broadcast_to(y[:1], y.shape), t",
         np.broadcast_to(y[:1], y.shape), t, np.repeat(y[:1], len(y), 0), t),
        ("a repeated target: y, np.broadcast_to(t[:1], t.shape)",
         y, np.broadcast_to(t[:1], t.shape), y, np.repeat(t[:1], len(t), 0)),
    ]  # fmt: skip
    if subject.rows:
        flipped = t[:, ::-1] if t.ndim == 2 else t
        text = f"reversed columns: y[:, ::-1], {'t[:, ::-1]' if t.ndim == 2 else 't'}"
        found.append((text, y[:, ::-1], flipped, y[:, ::-1].copy(), flipped.copy()))
    if not subject.rows:
        n = len(points) // 2 * 2
        y, t = y[:n].reshape(2, -1), t[:n].reshape(2, -1)
    f = np.asfortranarray
    found.append(("a Fortran-ordered prediction: np.asfortranarray(y), t", f(y), t, y, t))
    if t.ndim == 2:
        found.append(("a Fortran-ordered target: y, np.asfortranarray(t)", y, f(t), y, t))
        found.append(("both: np.asfortranarray(y), np.asfortranarray(t)", f(y), f(t), y, t))
    return found


def check_nan(subject: Subject, search: Search) -> int:
    """NaN in a prediction makes that result NaN, and no other."""
    ordinary_ones = counting(subject, ordinary(subject, search, "nan", 9))
    tried = 0
    for dtype in DTYPES:
        # In float32 a target may be what a mask leaves out.
        points = counting(subject, cast(subject, ordinary_ones, dtype))
        for spoilt in _with_nan(subject, points, every=dtype == "float64"):
            wanted = np.isnan(spoilt.y).reshape(len(spoilt), -1).any(-1)
            for name, function in outputs(subject):
                result = np.asarray(result_of(function, name, spoilt.y, spoilt.t, "nan"))
                rows = np.isnan(result).reshape(len(spoilt), -1).any(-1)
                tried += 1
                swallowed, spread = wanted & ~rows, rows & ~wanted
                if swallowed.any() or spread.any():
                    what = "is swallowed" if swallowed.any() else "spreads to other rows"
                    first = int(np.argmax(swallowed))
                    one = slice(first, first + 1) if swallowed.any() else slice(None)
                    raise Refuted(
                        f"a NaN in the prediction {what}: {name} is {result[one]!r}.",
                        f"{name}(y, t)",
                        y=spoilt.y[one],
                        t=spoilt.t[one],
                    )
    return tried


def _with_nan(subject: Subject, points: Points, *, every: bool) -> list[Points]:
    """Return the points with NaN: one in each place (or in three), two, all, all but one."""
    count = len(points)
    places = range(count) if every else sorted({0, count // 2, count - 1})
    rows = [[row] for row in places]
    rows += [[0, count // 2], list(range(count)), list(range(1, count))] if count > 2 else []
    columns = range(points.y.shape[-1]) if subject.rows else [None]
    found = [_spoilt(points, [0]), _spoilt(points, np.resize(np.arange(count), _MANY_ROWS))]
    for column in columns:
        for row in rows:
            y = points.y.copy()
            y[row if column is None else (row, column)] = np.nan
            found.append(Points(y, points.t))
        if column is not None:
            found += _beside_edges(subject, points, column)
    return found


def _spoilt(points: Points, which: Any) -> Points:
    """Return some of the points, of which the one in the middle has a NaN."""
    some = points.take(np.asarray(which))
    some.y[(len(some) // 2, *[0] * (some.y.ndim - 1))] = np.nan
    return some


def _beside_edges(subject: Subject, points: Points, column: int) -> list[Points]:
    """Return the points with NaN in one column, and the bounds of the space in the others."""
    low, high = _BOUNDS.get(subject.prediction.name, (None, None))
    found = []
    for edge in (low, high):
        if edge is not None:
            y = np.full_like(points.y, edge)
            y[:, column] = np.nan
            found.append(Points(y, points.t))
    return found


def check_class_index(subject: Subject, search: Search) -> int:
    """A class index below 0 or above K - 1 raises."""
    if not subject.by_index:
        raise NotApplicable("targets are no class indices")
    points = ordinary(subject, search, "domain:class_index", 3)
    tried = 0
    for y, index in _wrong_labels(subject, points):
        for name, function in outputs(subject):
            tried += 1
            try:
                result = call(function, y, index)
            except Exception:  # noqa: S112  # any error is a refusal
                continue
            wrong = int(index[(index < 0) | (index >= y.shape[-1])][0])
            raise Refuted(
                f"{name} takes class {wrong} of {y.shape[-1]} classes and returns {result!r}.",
                f"{name}(y, t)",
                y=y,
                t=index,
            )
    return tried


def _wrong_labels(subject: Subject, points: Points) -> list[tuple[Any, Any]]:
    """Return rows with labels of which one is no class: first, last, inside, and far inside."""
    columns = points.y.shape[-1]
    beyond = [-1, columns, -columns, columns + 5]
    # Some become classes in fewer bits.
    beyond += [sign * 2**bits for bits in (7, 8, 16, 31, 32) for sign in (1, -1)]
    beyond += [2**bits + columns - 1 for bits in (8, 16, 32)]
    found = []
    for wrong in beyond:
        if _is_masked(subject, wrong) or 0 <= wrong < columns:
            continue
        for place in range(len(points)):
            index = np.arange(len(points)) % columns
            index[place] = wrong
            found.append((points.y, index))
    found += [(y, index.astype("int8")) for y, index in found[: len(points)]]
    many = points.y[np.resize(np.arange(len(points)), _MANY_ROWS)]
    if not _is_masked(subject, columns):
        index = np.arange(_MANY_ROWS) % columns
        index[_MANY_ROWS - len(points)] = columns
        found.append((many, index))
    return found


def _is_masked(subject: Subject, index: int) -> bool:
    """Tell whether a loss has a mask for just this index, so that it is no class."""
    if subject.component is None:
        return False
    try:
        where, _ = subject.component.chosen(np, np.array([index]), True)
    except (LossfwError, IndexError):
        return False
    return where is not None and not bool(np.asarray(where)[0])


def check_negative_zero(subject: Subject, search: Search) -> int:
    """No loss is -0.0."""
    tried = 0
    for dtype in DTYPES:
        for points in search.points(subject, dtype):
            result = np.asarray(result_of(subject.value, "value", points.y, points.t))
            bad = (result == 0) & np.signbit(result)
            tried += len(points)
            if bad.any():
                one = simplest(points, bad)
                raise Refuted(
                    "the loss is -0.0.", y=points.y[one : one + 1], t=points.t[one : one + 1]
                )
    return tried


CHECKS: dict[str, Check] = {
    "shape:result": check_result_shape,
    "shape:broadcast": check_broadcast,
    "shape:layout": check_layout,
    "nan": check_nan,
    "domain:class_index": check_class_index,
    "value:negative_zero": check_negative_zero,
}
