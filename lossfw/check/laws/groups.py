"""Laws of losses of groups: the loss of a group depends only on its rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from lossfw.check.claims.groups import required_row_width
from lossfw.check.core.draw_groups import usual_group
from lossfw.check.core.points import Points
from lossfw.check.core.search import Counterexample, NotApplicable, Search, check, format_number
from lossfw.check.core.subject import Subject, call, call_without_warnings
from lossfw.numerics.arrays import NDArray

# Sizes of groups: up to and beyond the 8 and the 128 numbers that NumPy adds at a time.
_SIZES = (1, 2, 5, 9, 33, 65)

# The sizes that bodies most often forget.
_ENDS = (1, 2, 64, 65)

# Rounding errors of sums of more or other terms, relative to the largest number.
_ROUNDED = 1e-12


def _iter_usual_groups(
    subject: Subject, search: Search, name: str, sizes: tuple[int, ...], count: int = 1
) -> Iterator[Points]:
    required_row_width(subject)
    rng = search.rng(name)
    for size in sizes:
        yield usual_group(subject, size, rng, count)


@check("group:sizes")
def check_sizes(subject: Subject, search: Search) -> None:
    """Groups of 1, 2, 64 and 65 rows have a loss and derivatives, also with equal targets."""
    for points in _iter_usual_groups(subject, search, "group:sizes", _ENDS, 2):
        size = points.y.shape[-1] // required_row_width(subject)
        first = points.t.reshape(2, size, -1)[:, :1]
        same = np.broadcast_to(first, (2, size, first.shape[-1])).reshape(points.t.shape)
        for targets, text in ((points.t, ""), (same, ", all with the same target,")):
            some = Points(points.y, np.ascontiguousarray(targets))
            for name, function in (("value", subject.value), ("gradient", subject.gradient)):
                try:
                    found = np.asarray(call(function, some.y, some.t))
                except Exception as error:
                    raise Counterexample.with_points(
                        some,
                        f"{name} raises for groups of {size} rows{text} "
                        f"{type(error).__name__}: {error}",
                        f"{name}(y, t)",
                    ) from error
                if np.isnan(found).any():
                    text = f"the {name} of groups of {size} rows{text} is {format_number(found)}."
                    raise Counterexample.with_points(some, text, f"{name}(y, t)")


@check("group:alone")
def check_alone(subject: Subject, search: Search) -> None:
    """A group has the same bits alone and in a batch with others of its size."""
    body: Any = subject.truth
    for points in _iter_usual_groups(subject, search, "group:alone", _SIZES, 7):
        for dtype in ("float64", "float32"):
            y, t = points.y.astype(dtype), points.t.astype(dtype)
            for form in ("value", "gradient"):
                losses = partial(call_without_warnings, body._unreduced_losses, form, np)
                many = np.asarray(losses(y, t))
                for k in range(len(y)):
                    one = np.asarray(losses(y[k : k + 1], t[k : k + 1]))
                    search.count(1)
                    if one.tobytes() != many[k : k + 1].tobytes():
                        text = (
                            f"the {form} of a group of {y.shape[-1]} numbers is "
                            f"{format_number(one, 17)} alone and {format_number(many[k], 17)} in a "
                            "batch with others of its size: sums by @ or matmul, for example, add "
                            "in an order of their own."
                        )
                        code = f"{form}(y, t)[{k}], {form}(y[{k}:{k + 1}], t[{k}:{k + 1}])"
                        raise Counterexample(text, code, y=y, t=t)


@check("group:neutral")
def check_neutral(subject: Subject, search: Search) -> None:
    """A neutral row has the derivative 0, and changes neither the loss nor other derivatives."""
    neutral = None if subject.component is None else subject.component.neutral
    if neutral is None:
        raise NotApplicable("the loss has no neutral row")
    rng = search.rng("group:neutral places")
    widths = subject.truth.sizes  # type: ignore[union-attr]  # a `GroupRows`
    body: Any = subject.truth
    for points in _iter_usual_groups(subject, search, "group:neutral", (1, 2, 3, 7), 4):
        size = points.y.shape[-1] // widths[0]
        place = int(rng.integers(0, size + 1))
        filled = Points(*(
            _insert_row(x, place, row, width)
            for x, row, width in zip((points.y, points.t), neutral, widths, strict=True)
        ))  # fmt: skip
        values = [body._unreduced(np, some.y, some.t) for some in (points, filled)]
        derivatives = [body._unreduced_gradient(np, some.y, some.t) for some in (points, filled)]
        search.count(2 * len(points.y))
        split = derivatives[1].reshape(len(points), size + 1, -1)
        own, others = split[:, place], np.delete(split, place, axis=1).reshape(len(points), -1)
        for k in range(len(points)):
            code = "loss._unreduced(np, y, t)"
            if not _are_close(values[0][k], values[1][k]):
                text = (
                    f"the value is {values[0][k]:.9g}, and {values[1][k]:.9g} with the neutral row "
                    f"{neutral!r} among the rows."
                )
                raise Counterexample.at_point(filled, k, text, code)
            if (own[k] != 0).any() or not _are_close(derivatives[0][k], others[k]):
                text = (
                    f"the derivatives are {format_number(derivatives[0][k])}, and with the neutral "
                    f"row {neutral!r} they are {format_number(others[k])}, with "
                    f"{format_number(own[k])} for the row itself."
                )
                raise Counterexample.at_point(filled, k, text, code)


def _insert_row(x: NDArray, place: int, row: Any, width: int) -> NDArray:
    """Return flat groups with a row more."""
    rows = x.reshape(len(x), -1, width)
    more = np.insert(rows, place, np.broadcast_to(np.asarray(row, float), (width,)), axis=1)
    return more.reshape(len(x), -1)


def _are_close(a: Any, b: Any) -> bool:
    size = 1 + np.abs(np.asarray(a)).max(initial=0.0)
    return bool((np.abs(np.asarray(a) - b) <= _ROUNDED * size).all())


class _FlatCall:
    """Groups of different sizes as one call: rows one after the other, with ids."""

    def __init__(self, subject: Subject, search: Search, name: str) -> None:
        required_row_width(subject)
        self.loss: Any = subject.component
        rows: Any = subject.truth
        groups = _iter_usual_groups(subject, search, name, (2, 1, 5, 3))
        lines = [rows.lines(points.y, points.t) for points in groups]
        self.y, self.t = (np.concatenate([pair[k][0] for pair in lines]) for k in (0, 1))
        self.sizes = np.array([len(pair[0][0]) for pair in lines])
        self.ids = np.arange(len(lines)).repeat(self.sizes)
        search.count(len(lines))

    def refute(self, text: str, code: str, **options: Any) -> Counterexample:
        """Return a counterexample of the call."""
        inputs = {"y": self.y, "t": self.t, "group": self.ids, **options}
        return Counterexample(text, code, **inputs)


def check_mask_of_rows(subject: Subject, search: Search) -> None:
    """A masked row is not in its group, whatever it holds; its derivative is 0."""
    flat = _FlatCall(subject, search, "mask of rows")
    loss, keep = flat.loss, np.ones(len(flat.ids), bool)
    keep[[1, 4]] = False
    without = {"group": flat.ids[keep], "reduction": "none"}
    expected = loss(flat.y[keep], flat.t[keep], **without)
    derivatives = loss.gradient(flat.y[keep], flat.t[keep], **without)
    for hole, what in ((None, "left out"), (np.nan, "NaN and left out")):
        y = flat.y.copy()
        if hole is not None:
            y[~keep] = hole
        options = {"group": flat.ids, "where": keep, "reduction": "none"}
        found = call(loss, y, flat.t, **options)
        gradient = call(loss.gradient, y, flat.t, **options)
        code = "loss(y, t, group=group, where=where, reduction='none')"
        if not np.array_equal(found, expected, equal_nan=True):
            text = (
                f"with two rows {what} the losses are {format_number(found)}; without these rows "
                f"{format_number(expected)}."
            )
            raise flat.refute(text, code, where=keep)
        if gradient[~keep].any() or not np.array_equal(gradient[keep], derivatives, equal_nan=True):
            text = f"with two rows {what} the derivatives are not those without these rows, and 0."
            raise flat.refute(text, code.replace("loss(", "loss.gradient("), where=keep)


def check_weights_of_rows(subject: Subject, search: Search) -> None:
    """A mean is sum(w l) / sum(w), with one weight for each group or the same for its rows."""
    flat = _FlatCall(subject, search, "weights of rows")
    loss, weight = flat.loss, np.array([0.5, 2.0, 0.0, 1.0])
    losses = np.asarray(call(loss, flat.y, flat.t, group=flat.ids, reduction="none"), np.float64)
    expected = float((losses * weight).sum() / weight.sum())
    scale = float(np.abs(losses).max())
    code = "loss(y, t, group=group, sample_weight=sample_weight)"
    for given in (weight, weight.repeat(flat.sizes)):
        found = float(call(loss, flat.y, flat.t, group=flat.ids, sample_weight=given))
        if not abs(found - expected) <= _ROUNDED * (1 + scale) and np.isfinite(expected):
            text = f"the weighted mean is {found:.9g}; expected sum(w l) / sum(w) = {expected:.9g}."
            raise flat.refute(text, code, sample_weight=given)


@check("group:split")
def check_split(subject: Subject, search: Search) -> None:
    """Partials of rows split anywhere, also inside groups, merge to the bits of the call."""
    flat = _FlatCall(subject, search, "group:split")
    loss, rng = flat.loss, search.rng("group:split cuts")
    weight = rng.uniform(0.5, 2.0, len(flat.sizes)).repeat(flat.sizes)
    expected = float(call(loss, flat.y, flat.t, group=flat.ids, sample_weight=weight))
    count = len(flat.ids)
    for cuts in ([], [1], [1, 2, 5], list(range(1, count))):
        parts = []
        for a, b in pairwise([0, *cuts, count]):
            of_rows = {"group": flat.ids[a:b], "sample_weight": weight[a:b], "start": a}
            parts.append(call(loss.partial, flat.y[a:b], flat.t[a:b], **of_rows))
        merged = parts[-1]
        for part in rng.permutation(len(parts) - 1):
            merged = merged.merge(parts[part])
        found = merged.mean()
        if found != expected and not (np.isnan(found) and np.isnan(expected)):
            text = (
                f"cut before the rows {cuts}, the mean is {found!r}; that of the call is "
                f"{expected!r}."
            )
            raise flat.refute(text, "loss(y, t, group=group)")
