"""Checks of the call: shapes, layouts, dtypes, purity, NaN, and the class index.

Every loss is held to these, whatever it claims.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.half import check_half_precision
from lossfw.check.points import Points, counting, simplest
from lossfw.check.search import (
    Check,
    NotApplicable,
    Refuted,
    Search,
    close,
    ordinary,
    outputs,
    result_of,
)
from lossfw.check.subject import Subject, call
from lossfw.errors import LossfwError
from lossfw.spaces import CLASS_INDEX, SIMPLEX, UNIT


def check_result_shape(subject: Subject, search: Search) -> int:
    """An unreduced loss has the prediction's shape, or one axis less for rows."""
    points = ordinary(subject, search, "shape:result", 6)
    tried = 0
    for y, t in _shapes(subject, points):
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


def _shapes(subject: Subject, points: Points) -> list[tuple[Any, Any]]:
    y, t = points.y, points.t
    found = [(y[:n], t[:n]) for n in (len(points), 1, 0)]
    if subject.rows:
        if 1 in subject.columns and subject.prediction in (SIMPLEX, UNIT):
            ones = np.ones((3, 1))
            target = np.zeros(3, int) if subject.target is CLASS_INDEX else np.ones((3, 1))
            found.append((ones, target))
        return found
    pairs = len(points) // 2 * 2
    found.append((y[:pairs].reshape(2, -1), t[:pairs].reshape(2, -1)))
    found.append((y[:0].reshape(0, 3), t[:0].reshape(0, 3)))
    return found


def check_broadcast(subject: Subject, search: Search) -> int:
    """Prediction and target that do not fit raise; nothing is broadcast."""
    points = ordinary(subject, search, "shape:broadcast", 3)
    y, t = points.y, points.t
    if len(points) < 3:
        raise NotApplicable("too few ordinary points")
    wrong: list[tuple[Any, Any]]
    if subject.rows:
        wrong = [(y, t[:2]), (y, t[:1]), (y[:1], t)]
        if t.ndim == 2:
            wrong += [(y, t[:, :2]), (y, t[0]), (y, t[:, :1])]
        else:
            wrong += [(y, t[:, None])]
    else:
        wrong = [(y, t[:, None]), (y[:, None], t), (y, t[:2]), (y, t[:1]), (y[:1], t), (y, t[0])]
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


def check_layout(subject: Subject, search: Search) -> int:
    """Strided, reversed and Fortran-ordered arrays give the same results."""
    points = ordinary(subject, search, "shape:layout", 12)
    tried = 0
    for name, function in outputs(subject):
        for text, y, t, base_y, base_t in _layouts(subject, points):
            wanted = np.asarray(result_of(function, name, base_y, base_t, "shape:layout"))
            result = np.asarray(result_of(function, name, y, t, "shape:layout"))
            tried += 1
            if result.shape != wanted.shape or not close(result, wanted).all():
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
    ]
    if not subject.rows:
        n = len(points) // 2 * 2
        y, t = y[:n].reshape(2, -1), t[:n].reshape(2, -1)
    f = np.asfortranarray
    found.append(("a Fortran-ordered prediction: np.asfortranarray(y), t", f(y), t, y, t))
    if t.ndim == 2:
        found.append(("a Fortran-ordered target: y, np.asfortranarray(t)", y, f(t), y, t))
        found.append(("both: np.asfortranarray(y), np.asfortranarray(t)", f(y), f(t), y, t))
    return found


def check_result_dtype(subject: Subject, search: Search) -> int:
    """Results have the prediction's dtype, whatever the target's."""
    points = ordinary(subject, search, "dtype:result", 6)
    tried = 0
    for dtype in ("float16", "float32", "float64"):
        for t in _target_dtypes(subject, points.t):
            y = _within(subject, points.y.astype(dtype))
            for name, function in outputs(subject):
                result = np.asarray(result_of(function, name, y, t, "dtype:result"))
                tried += 1
                if result.dtype != dtype:
                    raise Refuted(
                        f"{name} of {dtype} predictions and {t.dtype} targets is {result.dtype}.",
                        f"{name}(y, t).dtype",
                        y=y,
                        t=t,
                    )
    return tried


def _target_dtypes(subject: Subject, t: Any) -> list[Any]:
    if t.dtype.kind == "i":
        return [t, t.astype(np.int32)]
    whole = [t.astype(np.int64)] if (t == np.round(t)).all() and not subject.by_index else []
    return [t.astype(np.float64), t.astype(np.float32), t.astype(np.float16), *whole]


def _within(subject: Subject, y: Any) -> Any:
    """Rounding may have left the space: bring a probability back."""
    return np.clip(y, 0, 1) if subject.prediction in (UNIT, SIMPLEX) else y


def check_integer_prediction(subject: Subject, search: Search) -> int:
    """Whole predictions are computed as float64."""
    if subject.prediction in (UNIT, SIMPLEX):
        raise NotApplicable("predictions are probabilities")
    points = ordinary(subject, search, "dtype:integer", 12)
    y = np.round(points.y) + (subject.prediction.name != "REAL")
    y = np.where(np.abs(y) < 1, 1, np.abs(y)) if subject.prediction.name == "POSITIVE" else y
    if subject.prediction.outside(y) is not None:
        raise NotApplicable("this space has few whole numbers")
    for name, function in outputs(subject):
        wanted = np.asarray(result_of(function, name, y, points.t, "dtype:integer"))
        for kind in ("int64", "int32"):
            whole = y.astype(kind)
            result = np.asarray(result_of(function, name, whole, points.t, "dtype:integer"))
            if result.dtype != np.float64 or not close(result, wanted).all():
                bad = int(np.argmax(~close(result, wanted).reshape(len(y), -1).all(-1)))
                raise Refuted(
                    f"{name} of {kind} predictions is {result.dtype} and at the first difference "
                    f"{result[bad]!r}; the same numbers in float64 give {wanted[bad]!r}.",
                    f"{name}(y, t), {name}(y.astype(float), t)",
                    y=whole[bad : bad + 1],
                    t=points.t[bad : bad + 1],
                )
    return 2 * len(y)


def check_arguments_unchanged(subject: Subject, search: Search) -> int:
    """Arguments are not written to, and may be read-only."""
    points = ordinary(subject, search, "purity:arguments")
    for dtype in ("float64", "float32"):
        for name, function in outputs(subject):
            y, t = points.y.astype(dtype), points.t.copy()
            if t.dtype.kind == "f":
                t = t.astype(dtype)
            before = y.copy(), t.copy()
            y.flags.writeable = t.flags.writeable = False
            result_of(function, name, y, t, "purity:arguments", "read-only arguments")
            y, t = before[0].copy(), before[1].copy()
            result_of(function, name, y, t, "purity:arguments")
            if not (np.array_equal(y, before[0]) and np.array_equal(t, before[1])):
                raise Refuted(
                    f"{name} writes into its arguments.",
                    f"{name}(y, t), y, t",
                    y=before[0],
                    t=before[1],
                )
    return 2 * len(points)


def check_repeatable(subject: Subject, search: Search) -> int:
    """Equal arguments give equal results, whatever was called in between."""
    points = ordinary(subject, search, "purity:repeat")
    other = Points(points.y[::-1].copy(), points.t[::-1].copy())
    functions = outputs(subject)
    for name, function in functions:
        first = np.asarray(result_of(function, name, points.y, points.t))
        again = np.asarray(result_of(function, name, points.y, points.t))
        for other_name, between in functions:
            result_of(between, other_name, other.y, other.t)
        later = np.asarray(result_of(function, name, points.y, points.t))
        for result, text in ((again, "a second call"), (later, "a call after one elsewhere")):
            if not np.array_equal(first, result, equal_nan=True):
                raise Refuted(
                    f"{name} depends on what was called before: {text} with the same arguments "
                    "gives another result.",
                    f"{name}(y, t), value(y[::-1], t[::-1]), {name}(y, t)",
                    y=points.y,
                    t=points.t,
                )
    return 2 * len(points)


def check_companions(subject: Subject, search: Search) -> int:
    """An element or row does not depend on its companions, nor on their order."""
    points = ordinary(subject, search, "purity:companions", 16)
    order = search.rng("purity:companions order").permutation(len(points))
    for name, function in outputs(subject):
        whole = np.asarray(result_of(function, name, points.y, points.t))
        if whole.shape[:1] != (len(points),):
            raise NotApplicable("results have the wrong shape")
        mixed = np.asarray(result_of(function, name, points.y[order], points.t[order]))
        alone = np.stack(
            [
                np.asarray(
                    result_of(function, name, points.y[i : i + 1], points.t[i : i + 1])
                ).reshape(whole.shape[1:])
                for i in range(len(points))
            ]
        )
        for result, wanted, text in (
            (mixed, whole[order], "in another order"),
            (alone, whole, "one at a time"),
        ):
            if not close(result, wanted).all():
                raise Refuted(
                    f"{name} of the same rows {text} differs.",
                    f"{name}(y, t), {name}(y[:1], t[:1])",
                    y=points.y,
                    t=points.t,
                )
    return 2 * len(points)


def check_nan(subject: Subject, search: Search) -> int:
    """NaN in a prediction makes that result NaN, and no other."""
    points = counting(subject, ordinary(subject, search, "nan", 9))
    tried = 0
    for name, function in outputs(subject):
        columns = range(points.y.shape[-1]) if subject.rows else [None]
        for column in columns:
            for row in range(len(points)):
                y = points.y.copy()
                y[row if column is None else (row, column)] = np.nan
                result = np.asarray(result_of(function, name, y, points.t, "nan"))
                spoilt = np.isnan(result)
                rows = spoilt.reshape(len(y), -1).any(-1)
                tried += 1
                if not rows[row] or rows.sum() > 1:
                    what = "is swallowed" if not rows[row] else "spreads to other rows"
                    one = slice(row, row + 1) if not rows[row] else slice(None)
                    raise Refuted(
                        f"a NaN in the prediction {what}: {name} is {result[one]!r}.",
                        f"{name}(y, t)",
                        y=y[one],
                        t=points.t[one],
                    )
    return tried


def check_class_index(subject: Subject, search: Search) -> int:
    """A class index below 0 or above K - 1 raises."""
    if not subject.by_index:
        raise NotApplicable("targets are no class indices")
    points = ordinary(subject, search, "domain:class_index", 3)
    columns = points.y.shape[-1]
    tried = 0
    for wrong in (-1, columns, -columns, columns + 5):
        index = np.zeros(len(points), int)
        index[-1] = wrong
        if _is_masked(subject, wrong):
            continue
        for name, function in outputs(subject):
            tried += 1
            try:
                result = call(function, points.y, index)
            except Exception:  # noqa: S112  # any error is a refusal
                continue
            raise Refuted(
                f"{name} takes class {wrong} of {columns} and returns {np.asarray(result)[-1]!r}; "
                f"classes are 0 .. {columns - 1}.",
                f"{name}(y, t)",
                y=points.y,
                t=index,
            )
    return tried


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
    for dtype in ("float64", "float32"):
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
    "dtype:result": check_result_dtype,
    "dtype:integer": check_integer_prediction,
    "dtype:half": check_half_precision,
    "purity:arguments": check_arguments_unchanged,
    "purity:repeat": check_repeatable,
    "purity:companions": check_companions,
    "nan": check_nan,
    "domain:class_index": check_class_index,
    "value:negative_zero": check_negative_zero,
}
