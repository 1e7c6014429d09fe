"""Checks that only components have: domains, guards, warnings, threads, partials, round trips.

Outside functions do not promise this.
"""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from lossfw.check.core.draw import draw_pairs
from lossfw.check.core.exact_points import cast
from lossfw.check.core.points import Points, any_in_row, drop_masked, shortest_written
from lossfw.check.core.search import (
    ENOUGH,
    Counterexample,
    NotApplicable,
    Search,
    check,
    format_number,
    ordinary_points,
    outputs,
    require_same_bits,
    run_parts,
)
from lossfw.check.core.subject import Subject, call, subject_of_component
from lossfw.components.spaces import CLASS_INDEX, Space
from lossfw.errors import DomainError, LossfwError
from lossfw.losses.capabilities import guard_of
from lossfw.losses.engine import compiled
from lossfw.losses.engine.engine_mode import EngineMode, use_engine
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Numbers that lie outside of some space or other.
_STRANGERS = (-2.0, -1.0, -1e-6, 0.0, 0.5, 1.0 + 1e-6, 1.5, 7.3, np.inf, -np.inf)

# Rows that are computed alone and together.
_ROWS = 12

# Layouts that hold the same numbers.
_LAYOUTS: dict[str, Callable[[NDArray], NDArray]] = {
    "in Fortran order": np.asfortranarray,
    "with gaps": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
}

# Calls that kernels compute, each in its own way.
_COMPILED: dict[str, Callable[[Loss, NDArray, NDArray], Any]] = {
    "value": lambda loss, y, t: loss(y, t, reduction="none"),
    "mean": lambda loss, y, t: loss(y, t, empty="zero"),
    "gradient": lambda loss, y, t: loss.gradient(y, t, reduction="sum"),
    "hessian": lambda loss, y, t: loss.hessian(y, t, reduction="sum"),
}

# A kernel takes a tenth of a second and more to compile. So of a moved parameter, which has fewer
# examples, a call that training makes is compiled in one precision.
_OF_MOVED = {"value": "float32", "mean": "float32", "gradient": "float64"}

# So many pairs of each dtype, or numbers in rows, are compared to the bit. What a kernel
# computes otherwise may be one number of thousands.
_BITS_AT = 2**15

# So many of them are reported where no single one shows a difference.
_SHOWN = 64

# So many calls are made next to each other.
_CALLS = 16


def _loss_of(subject: Subject) -> Loss:
    assert subject.component is not None
    return subject.component


@check("domain")
def check_domain(subject: Subject, search: Search) -> None:
    """A prediction or target outside its space is a DomainError, one inside is not."""
    points = drop_masked(subject, ordinary_points(subject, search, "domain", 6)).take(slice(3))
    if not len(points):
        raise NotApplicable("every ordinary point is masked")
    for role, space in (("prediction", subject.prediction), ("target", subject.target)):
        if space is CLASS_INDEX:
            continue
        for stranger in _STRANGERS:
            y, t = points.y.copy(), points.t.copy()
            if t.dtype.kind == "f":
                t = t.astype(np.float64)
            array = y if role == "prediction" else t
            if role == "target" and array.ndim < y.ndim and subject.by_index:
                break
            for column in range(array.shape[-1] if subject.has_columns and array.ndim > 1 else 1):
                place = (-1, column)[: array.ndim]
                before, array[place] = array[place], stranger
                if len(drop_masked(subject, Points(y, t))) == len(points):
                    _check_membership(subject, role, space, Points(y, t))
                array[place] = before
    if not search.n_examples:
        raise NotApplicable("the space contains every number")


def _check_membership(subject: Subject, role: str, space: Space, points: Points) -> None:
    """Check that functions refuse points if and only if the space does."""
    outside = space.outside_or_none(points.y if role == "prediction" else points.t) is not None
    for function in outputs(subject):
        try:
            function.raw(points.y, points.t)
            refused = False
        except DomainError:
            refused = True
        # A loss may refuse more than its spaces say.
        own = type(_loss_of(subject)).check_domain is not Loss.check_domain
        if refused != outside and not (refused and own):
            what, takes = ("inside", "refuses") if refused else ("outside", "takes")
            raise Counterexample.with_points(points, f"{function} {takes} a {role} {what} {space}.")


@check("purity:warnings")
def check_warnings(subject: Subject, search: Search) -> None:
    """No NumPy warning is shown."""
    for points in search.points(subject, "float64", "float32", "float16"):
        with warnings.catch_warnings(), np.errstate(all="warn"):
            warnings.simplefilter("error")
            for function in outputs(subject):
                try:
                    function.raw(points.y, points.t)
                except Warning as warning:
                    text = f"a warning is printed: {warning}"
                    raise Counterexample.with_points(points, text) from None
                except LossfwError:
                    continue


@check("purity:bits")
def check_bits(subject: Subject, search: Search) -> None:
    """A row has the same bits alone, among others, in any memory layout, and with other threads."""
    _check_company(subject, search)
    _check_threads(subject, search)


def _check_company(subject: Subject, search: Search) -> None:
    for dtype in ("float32", "float64"):
        points = cast(subject, ordinary_points(subject, search, "purity:bits", _ROWS), dtype)
        y, t = points.y, points.t
        for function in outputs(subject):
            whole = function(y, t)
            code = f"{function}(y, t), {function}(y[:1], t[:1])"
            for name, layout in _LAYOUTS.items():
                text = f"{function} of arrays {name} has other bits."
                result = function(layout(y), layout(t), copied=False)
                require_same_bits(result, whole, points, text, code)
            for start, stop in ((0, 1), (len(y) - 1, len(y)), (1, 3)):
                text = f"{function} of the rows {start}:{stop} alone has other bits."
                result = function(y[start:stop], t[start:stop])
                require_same_bits(result, whole[start:stop], points, text, code)


def _check_threads(subject: Subject, search: Search) -> None:
    points = ordinary_points(subject, search, "threads")
    # Each thread has arguments of its own: results that are mixed up differ.
    every = [points.take(np.roll(np.arange(len(points)), shift)) for shift in range(_CALLS)]
    alone = [np.asarray(subject.value(some.y, some.t)) for some in every]
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(subject.value, some.y, some.t) for some in every]
        for some, expected, future in zip(every, alone, futures, strict=True):
            text = "a call next to others gives another result."
            require_same_bits(future.result(), expected, some, text)


@check("purity:kernels")
def check_kernels(subject: Subject, search: Search) -> None:
    """Compiled kernels have the bits of the body in tiles."""
    loss = _loss_of(subject)
    # Each number of columns has kernels of its own.
    columns = next(iter(subject.multi_column_counts), 1) if subject.rows else 0
    if not compiled.is_available():
        raise NotApplicable("llvmlite is not installed")
    with warnings.catch_warnings():
        # Another check looks at the warnings of a body.
        warnings.simplefilter("ignore")
        body, by_index = loss._without_own_weight(), bool(columns) and subject.by_index
        problem = compiled.no_kernel_reason(
            body, "value", np.dtype(np.float64), columns or None, by_index=by_index
        )
    if problem:
        raise NotApplicable(problem)
    # No exact number is asked for, so that many more points cost little.
    for points in (
        *search.points(subject, "float32", "float64"),
        *_many_pairs(subject, search, columns),
    ):
        if columns and points.y.shape[-1] != columns:
            continue
        search.count(len(points))
        for name, function in _COMPILED.items():
            if search.examples < ENOUGH and _OF_MOVED.get(name) != points.y.dtype.name:
                continue
            expected = _run_with_engine("tiles", function, loss, points)
            found = _run_with_engine("compiled", function, loss, points)
            if not np.array_equal(found, expected, equal_nan=True):
                raise _bits_refutation(points, name, found, expected)


def _many_pairs(subject: Subject, search: Search, columns: int) -> list[Points]:
    """Return very many pairs of each dtype, where there are enough examples."""
    if search.examples < ENOUGH:
        return []
    count = _BITS_AT // (columns or 1)
    drawn = (
        draw_pairs(subject, columns, dtype, search.rng(f"kernels {dtype}"), count)
        for dtype in ("float32", "float64")
    )
    return [points for points in drawn if len(points)]


def _bits_refutation(
    points: Points, name: str, found: NDArray, expected: NDArray
) -> Counterexample:
    """Return the refutation of a kernel: by one pair where it shows, else by some."""
    text = f"the {name} has other bits from a kernel"
    if found.shape != expected.shape or found.shape[:1] != (len(points),):
        return Counterexample.with_points(points.take(slice(_SHOWN)), f"{text}.")
    differ = ~((found == expected) | (np.isnan(found) & np.isnan(expected)))
    one = shortest_written(points, differ)
    digits = f"{format_number(found[one], 17)} instead of {format_number(expected[one], 17)}"
    return Counterexample.at_point(points, one, f"{text}: {digits}.")


def _run_with_engine(
    mode: EngineMode, function: Callable[..., Any], loss: Loss, points: Points
) -> NDArray:
    with use_engine(mode), compiled.trust_kernels(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(function(loss, points.y, points.t))


@check("reductions")
def check_reductions(subject: Subject, search: Search) -> None:
    """Sum and mean, of rows and of merged parts, are those of the unreduced losses.

    Parts of any size merge to the bits of the whole. `value_and_gradient` agrees with both.
    """
    run_parts(subject, search, _check_sum_and_mean, _check_sums_of_rows, _check_partials)


def _check_partials(subject: Subject, search: Search) -> None:
    points = ordinary_points(subject, search, "partial", 24)
    loss, rng, n = _loss_of(subject), search.rng("partial cuts"), len(points)
    y, t = subject.prepare_argument(points.y), subject.prepare_argument(points.t)
    counts = subject.mean_weights(points.y, points.t)
    if not counts.any():
        raise NotApplicable("every ordinary point is masked")
    weight = rng.integers(0, 4, n).astype(float)
    weight[np.argmax(counts)] = 1.0
    whole = call(subject.reduce, points.y, points.t, sample_weight=weight)
    for _ in range(4):
        cuts = sorted({0, n, *rng.integers(0, n, 3).tolist()})
        parts = [
            loss.partial(y[a:b], t[a:b], start=a, sample_weight=weight[a:b])
            for a, b in pairwise(cuts)
        ]
        merged = parts[-1]
        for part in parts[:-1]:
            merged = merged.merge(part)
        text = f"merged parts {cuts} give {merged.mean()!r}, the whole {whole!r}."
        require_same_bits(
            merged.mean(), whole, points, text, "loss(y, t, sample_weight=w)", w=weight
        )


def _check_sum_and_mean(subject: Subject, search: Search) -> None:
    points = ordinary_points(subject, search, "reductions", 24)
    loss, y, t = (
        _loss_of(subject),
        subject.prepare_argument(points.y),
        subject.prepare_argument(points.t),
    )
    losses = subject.losses(points.y, points.t)
    count = float(subject.mean_weights(points.y, points.t).sum())
    if not count:
        raise NotApplicable("every ordinary point is masked")
    total, mean = loss(y, t, reduction="sum"), loss(y, t)
    scale = float(np.abs(losses).sum()) or 1.0

    def is_close(a: float, b: float) -> bool:
        # An infinite loss makes all of them infinite, and their difference NaN.
        return np.array_equal(a, b, equal_nan=True) or abs(a - b) <= 1e-13 * scale

    if not (is_close(total, float(losses.sum())) and is_close(mean * count, total)):
        raise Counterexample.with_points(
            points, "sum and mean do not agree with the unreduced losses."
        )
    (value, gradient), alone = loss.value_and_gradient(y, t), loss.gradient(y, t)
    same = np.allclose(gradient, alone, rtol=1e-12, atol=0, equal_nan=True)
    if not (is_close(value, mean) and same):
        raise Counterexample.with_points(
            points,
            "value_and_gradient differs from value and gradient.",
            "loss.value_and_gradient(y, t), loss.gradient(y, t)",
        )


def _check_sums_of_rows(subject: Subject, search: Search) -> None:
    """Refute a loss summed over rows where it is not the sum of those of its elements."""
    loss = _loss_of(subject)
    if not loss._sums_rows:
        raise NotApplicable("it has one loss for each element, or for each row")
    points = ordinary_points(subject, search, "sums of rows", 12)
    pairs = len(points) // 2 * 2
    y, t = (x[:pairs].reshape(-1, 2) for x in (points.y, points.t))
    losses = subject.losses(points.y[:pairs], points.t[:pairs]).reshape(-1, 2)
    rows = np.asarray(loss(y, t, reduction="none"), np.float64)
    if rows.shape != y.shape[:1] or not np.allclose(rows, losses.sum(-1), rtol=1e-13, atol=0):
        raise Counterexample(
            "the loss of a row is not the sum of those of its elements.",
            "value(y, t), [value(row[:, None], s[:, None]).sum() for row, s in zip(y, t)]",
            y=y,
            t=t,
        )


@check("value:guard")
def check_guard(subject: Subject, search: Search) -> None:
    """The loss is finite at log(0) if a guard promises it, and its gradient is not 0."""
    loss = _loss_of(subject)
    guarding = guard_of(loss)
    if guarding is None:
        raise NotApplicable("there is no guard")
    guard = guarding.guard
    # A loss may be finite without a guard, which then is for its gradient.
    finite = guard != "none" or bool(subject.claims.get("finite_at_boundary"))
    for dtype in ("float64", "float32", "float16"):
        y = np.eye(3, dtype=dtype) if subject.rows else np.array([0, 1], dtype)
        points = Points(y, np.roll(y, 1, axis=-1))
        if bool(np.isfinite(subject.losses(y, points.t)).all()) != finite:
            word = "infinite" if finite else "finite"
            raise Counterexample.with_points(
                points, f"with guard {guard!r} the loss at log(0) is {word}."
            )
        alive = any_in_row(np.asarray(call(subject.gradient, y, points.t)) != 0).all()
        if guard in ("normalised", "additive") and not alive:
            text = f"with guard {guard!r} the gradient at log(0) is 0."
            raise Counterexample.with_points(points, text, "gradient(y, t)")


@check("value:roundtrip")
def check_round_trip(subject: Subject, search: Search) -> None:
    """Configuration, JSON, pickle and repr build an equal loss that computes the same bits."""
    loss = subject.original or _loss_of(subject)
    points = ordinary_points(subject, search, "roundtrip")
    expected = np.asarray(subject.value(points.y, points.t))
    for text, copy in _copies(loss):
        if copy != loss or hash(copy) != hash(loss):
            raise Counterexample(f"{text} gives {copy!r}, which is not equal to {loss!r}.", "loss")
        actual = np.asarray(subject_of_component(copy).value(points.y, points.t))
        message = f"the loss that comes back from {text} computes something else."
        require_same_bits(actual, expected, points, message)


def _copies(loss: Loss) -> list[tuple[str, Loss]]:
    cls = type(loss)
    config = json.loads(json.dumps(loss.to_config()))
    name = config.pop("name")
    if name != cls.name:
        text = f"the configuration names {name!r}, and the class {cls.name!r}."
        raise Counterexample(text, "loss")
    copies: list[tuple[str, Any]] = [
        ("its configuration", cls(**config)),
        ("model_validate_json", cls.model_validate_json(loss.model_dump_json())),
    ]
    if "<locals>" not in cls.__qualname__:
        copies.append(("pickle", pickle.loads(pickle.dumps(loss))))  # noqa: S301  # our own bytes
    return copies
