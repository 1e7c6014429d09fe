"""Checks of shapes and layouts: those of results, refused ones, and layouts with equal results."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.core.exact_points import many_class_points, nearly_equal, require_nearly_equal
from lossfw.check.core.points import Points, drop_masked
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Output,
    Search,
    check,
    ordinary_points,
    outputs,
)
from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import CLASS_INDEX, SIMPLEX, Space
from lossfw.numerics.arrays import NDArray

# Shapes of rows are tried with up to so many of them.
_MOST = 10


@check("shape:result")
def check_result_shape(subject: Subject, search: Search) -> None:
    """An unreduced loss has the prediction's shape, or one axis less for rows."""
    _refuse_spaces(subject)
    points = ordinary_points(subject, search, "shape:result", 6)
    for function in outputs(subject):
        _refuse_useless(function, points)
    for y, t in _shapes(subject, points, search):
        for function in outputs(subject):
            expected = y.shape[:-1] if subject.rows and function.name == "value" else y.shape
            result = function(y, t)
            if result.shape != expected:
                text = (
                    f"{function} of predictions of shape {y.shape} and targets of shape {t.shape} "
                    f"has shape {result.shape}; expected {expected}."
                )
                raise Counterexample(text, f"{function}(y, t).shape", y=y, t=t)


def _refuse_spaces(subject: Subject) -> None:
    """Block all other checks where a loss of single numbers has a space of rows."""
    for role in ("prediction", "target"):
        space: Space = getattr(subject, role)
        if not subject.rows and space in (SIMPLEX, CLASS_INDEX):
            text = (
                f"the {role} space is {space}, {space.meaning}, which belongs to rows, but this "
                f"is a loss of single numbers. Write a CategoricalLoss, or declare another {role} "
                "space, such as UNIT or REAL."
            )
            raise Counterexample(text, "").as_blocking()


def _refuse_useless(function: Output, points: Points) -> None:
    """Block all other checks where ordinary points give an error or no results of their own."""
    try:
        result = function(points.y, points.t)
    except Counterexample as found:
        raise found.as_blocking() from found.__cause__
    code = f"{function}(y, t)"
    if result.dtype.kind not in "fiub":
        given = result.item() if result.size == 1 else result
        text = f"{function} returns {given!r}, which is not an array of numbers."
        raise Counterexample.with_points(points, text, code).as_blocking()
    if len(points) > 1 and result.size == 1:
        text = _single_number_message(function, points, float(result.item()))
        raise Counterexample.with_points(points, text, code).as_blocking()


def _single_number_message(function: Output, points: Points, result: float) -> str:
    """Return the message on one number for several points, which may be their mean or sum."""
    singles = [points.take(slice(i, i + 1)) for i in range(len(points))]
    each = np.array([float(np.sum(function(one.y, one.t))) for one in singles])
    what = {"mean": each.mean(), "sum": each.sum()}
    names = [name for name, value in what.items() if np.isclose(result, value, rtol=1e-6)]
    which = f", their {names[0]}" if names else ""
    expected = "one result for each row" if points.y.ndim > 1 else "one result for each element"
    return (
        f"{function} returns one number, {result:.9g}, for predictions of shape {points.y.shape}"
        f"{which}; expected the unreduced loss, {expected}."
    )


def _shapes(subject: Subject, points: Points, search: Search) -> list[tuple[Any, Any]]:
    y, t = points.y, points.t
    found = [(y[:n], t[:n]) for n in (len(points), 1, 0)]
    if subject.rows:
        # As many rows as columns, and one more, in every number of columns.
        for some in (*search.points(subject, "float64"), *many_class_points(subject, search)):
            columns = some.y.shape[-1]
            few = drop_masked(subject, some)
            found += [(few.y[:n], few.t[:n]) for n in (1, columns, columns + 1) if n <= _MOST]
        return found
    pairs = len(points) // 2 * 2
    found += [(y[:pairs].reshape(shape), t[:pairs].reshape(shape)) for shape in ((2, -1), (-1, 1))]
    cube = np.resize(np.arange(len(points)), (2, 3, 4))
    found += [(y[cube], t[cube]), (y[cube[:1, :1]], t[cube[:1, :1]])]
    found += [(y[:0].reshape(shape), t[:0].reshape(shape)) for shape in ((0, 3), (3, 0))]
    return found


@check("shape:broadcast")
def check_broadcast(subject: Subject, search: Search) -> None:
    """Prediction and target that do not fit raise; nothing is broadcast."""
    points = ordinary_points(subject, search, "shape:broadcast", 3)
    if len(points) < 3:
        raise NotApplicable("too few ordinary points")
    wrong = _misfitting_rows(subject, points) if subject.rows else _misfitting_pairs(points)
    for a, b in wrong:
        for function in outputs(subject):
            try:
                result = call(function.raw, a, b)
            except Exception:  # noqa: S112  # any error is a refusal
                continue
            text = (
                f"{function} takes predictions of shape {np.shape(a)} with targets of shape "
                f"{np.shape(b)} and returns shape {np.shape(result)}; expected an error."
            )
            raise Counterexample(text, f"{function}(y, t)", y=a, t=b)


def _misfitting_pairs(points: Points) -> list[tuple[Any, Any]]:
    """Return predictions and targets of elements that do not fit, some with as many elements."""
    y, t = points.y, points.t
    found = [(y, t[:, None]), (y[:, None], t), (y, t[:2]), (y, t[:1]), (y[:1], t), (y, t[0])]
    found += [(y, t[None]), (y[None], t)]
    six = np.resize(np.arange(len(points)), 6)
    y, t = y[six], t[six]
    for one, other in (((6,), (2, 3)), ((2, 3), (3, 2)), ((2, 3), (1, 2, 3)), ((2, 3), (2, 3, 1))):
        found += [(y.reshape(a), t.reshape(b)) for a, b in ((one, other), (other, one))]
    return found


def _misfitting_rows(subject: Subject, points: Points) -> list[tuple[Any, Any]]:
    y, t = points.y, points.t
    found = [(y, t[:2]), (y, t[:1]), (y[:1], t)]
    if t.ndim != 2:
        return [*found, (y, t[:, None]), (y, t[None])]
    found += [(y, t[0]), (y, t.ravel()), (y, t[None])]
    # A vector may have any number of columns, and fewer of two are one.
    if subject.has_columns and subject.target.size is None:
        return found
    found += [(y, t[:, :k]) for k in (1, 2) if k < t.shape[-1]]
    return [*found, (y[:2], t[:2].T)] if t.shape[-1] > 2 else found


@check("shape:layout")
def check_layout(subject: Subject, search: Search) -> None:
    """Elements in several axes, and strided, reversed and Fortran-ordered arrays are the same."""
    if not subject.rows:
        _check_axes(subject, search)
    _check_layouts(subject, search)


def _check_axes(subject: Subject, search: Search) -> None:
    points = ordinary_points(subject, search, "axes")
    points = points.take(np.resize(np.arange(len(points)), 24))
    for function in outputs(subject):
        expected = function(points.y, points.t)
        for shape in ((4, 6), (24, 1), (1, 24), (2, 3, 4)):
            y, t = points.y.reshape(shape), points.t.reshape(shape)
            # Another number of results is another check's.
            require_nearly_equal(
                function(y, t).ravel(),
                expected.ravel(),
                Points(y, t),
                f"{function} of elements of shape {shape} differs from that of the same in one "
                "axis.",
                f"{function}(y, t), {function}(y.ravel(), t.ravel()).reshape(y.shape)",
            )


def _check_layouts(subject: Subject, search: Search) -> None:
    points = ordinary_points(subject, search, "layout", 12)
    for function in outputs(subject):
        for text, y, t in _layouts(subject, points):
            # A copy is in C order.
            base_y, base_t = y.copy(), t.copy()
            expected = function(base_y, base_t)
            result = function(y, t)
            if result.shape != expected.shape or not nearly_equal(result, expected).all():
                message = f"{function} of {text} differs from that of the same numbers in C order."
                code = f"{function}({text.split(': ')[-1]}), {function}(y, t)"
                raise Counterexample(message, code, y=base_y, t=base_t)


def _layouts(subject: Subject, points: Points) -> list[tuple[str, NDArray, NDArray]]:
    """Return arrays in several layouts, each with what they are and how they are made."""
    y, t = points.y, points.t
    found = [
        ("reversed arrays: y[::-1], t[::-1]", y[::-1], t[::-1]),
        ("strided arrays: y[::2], t[::2]", y[::2], t[::2]),
        ("a reversed prediction: y[::-1], t", y[::-1], t),
        ("a repeated prediction: np.broadcast_to(y[:1], y.shape), t",
         np.broadcast_to(y[:1], y.shape), t),
        ("a repeated target: y, np.broadcast_to(t[:1], t.shape)",
         y, np.broadcast_to(t[:1], t.shape)),
    ]  # fmt: skip
    if subject.rows and not subject.has_columns:
        flipped = t[:, ::-1] if t.ndim == 2 else t
        text = f"reversed columns: y[:, ::-1], {'t[:, ::-1]' if t.ndim == 2 else 't'}"
        found.append((text, y[:, ::-1], flipped))
    if not subject.rows:
        n = len(points) // 2 * 2
        y, t = y[:n].reshape(2, -1), t[:n].reshape(2, -1)
    f = np.asfortranarray
    found.append(("a Fortran-ordered prediction: np.asfortranarray(y), t", f(y), t))
    if t.ndim == 2:
        found.append(("a Fortran-ordered target: y, np.asfortranarray(t)", y, f(t)))
        found.append(("both: np.asfortranarray(y), np.asfortranarray(t)", f(y), f(t)))
    return found
