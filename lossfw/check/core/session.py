"""Search: what every check works with, and how it says what it found.

A check is a function ``check(subject, search) -> int``. It returns how many
examples it tried, raises `Refuted` for a counterexample, and `NotApplicable`
where it makes no sense for the subject.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from lossfw.check.core.points import Points, draw
from lossfw.check.core.subject import Subject, call, call_as_given
from lossfw.components.spaces import SIMPLEX, UNIT, Interval, Space
from lossfw.numerics.arrays import NDArray

# Results that differ by no more than this many units in the last place differ
# by rounding: an element does not depend on its companions except for that.
ROUNDING_ULPS = 64


class Refuted(Exception):  # noqa: N818  # no error: it is what is looked for
    """A counterexample.

    Parameters
    ----------
    message : str
        What was promised, what was found, and where to look.
    code : str
        The expression that shows it, in terms of the inputs' names.
    **inputs
        The arrays.
    """

    def __init__(self, message: str, code: str = "value(y, t)", **inputs: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.inputs = {name: np.asarray(array) for name, array in inputs.items()}


class NotApplicable(Exception):  # noqa: N818  # no error either
    """A check that makes no sense for a subject; the message says why."""


@dataclass
class Search:
    """The seeded randomness, the effort and the shared points of one run.

    Attributes
    ----------
    seed : int
        The same seed gives the same report.
    examples : int
        About how many pairs to try in each dtype.
    store : dict
        What one check has computed and another can use.
    """

    seed: int
    examples: int
    store: dict[Any, Any] = field(default_factory=dict)

    def rng(self, name: str) -> np.random.Generator:
        """Return a generator that depends on the seed and on a check's name alone."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def points(self, subject: Subject, dtype: str) -> list[Points]:
        """Return the points that all checks of a subject share, drawn once."""
        key = ("points", dtype)
        if key not in self.store:
            self.store[key] = draw(subject, dtype, self.rng(f"points {dtype}"), self.examples)
        found: list[Points] = self.store[key]
        return found


Check: TypeAlias = Callable[[Subject, Search], int]


def ordinary(subject: Subject, search: Search, name: str, count: int = 24) -> Points:
    """Return a few pairs of unremarkable float64 numbers, rows with three columns."""
    rng = search.rng(name)
    pool = search.points(subject, "float64")
    points = max(pool, key=lambda some: some.y.shape[-1] == 3) if subject.rows else pool[0]
    usual = np.isfinite(points.y) & (np.abs(points.y) < 50) & (np.abs(points.y) > 1e-3)
    if points.t.dtype.kind == "f":
        # Not so small either that another precision makes it 0.
        near = (np.abs(points.t) < 50) & ((points.t == 0) | (np.abs(points.t) > 1e-3))
        usual &= near if near.shape == usual.shape else near[..., None]
    usual &= _off_bounds(subject.prediction, points.y, included=True)
    if points.t.shape == points.y.shape:
        usual &= _off_bounds(subject.target, points.t, included=False)
    keep = usual.all(-1) if points.y.ndim > 1 else usual
    index = np.flatnonzero(keep)
    if not index.size:
        raise NotApplicable("no ordinary predictions in this space")
    return points.take(rng.choice(index, min(count, index.size), replace=False))


def _off_bounds(space: Space, x: NDArray, *, included: bool) -> NDArray:
    """Tell what rounding to half precision leaves off the bounds; `included` ones count or not."""
    inside: NDArray = np.ones(x.shape, bool)
    if space is SIMPLEX:
        space = UNIT
    if isinstance(space, Interval):
        if included or not space.low_included:
            inside &= x > space.low + 1e-3
        if included or not space.high_included:
            inside &= x < space.high - 1e-3
    return inside


def close(a: NDArray, b: NDArray, ulps: float = ROUNDING_ULPS) -> NDArray:
    """Tell where two results are equal but for rounding; NaN equals NaN."""
    a, b = np.asarray(a), np.asarray(b)
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(a), np.abs(b)).astype(np.float64)
        eps = float(np.finfo(a.dtype).eps) if a.dtype.kind == "f" else 0.0
        tiny = float(np.finfo(a.dtype).smallest_subnormal) if a.dtype.kind == "f" else 0.0
        near = np.abs(a.astype(np.float64) - b) <= ulps * (eps * scale + tiny)
        same: NDArray = (a == b) | near | (np.isnan(a) & np.isnan(b))
        return same


def result_of(
    function: Any,
    name: str,
    y: Any,
    t: Any,
    check: str = "",
    what: str = "legal arguments",
    *,
    copied: bool = True,
) -> Any:
    """Call a function; an exception where none is asked for is a refutation.

    It gets copies, unless they are what it is tried with.
    """
    try:
        return (call if copied else call_as_given)(function, y, t)
    except Exception as error:
        raise Refuted(
            f"{name} raises for {what}: {type(error).__name__}: {error}",
            f"{name}(y, t)",
            y=y,
            t=t,
        ) from error


def outputs(subject: Subject) -> list[tuple[str, Any]]:
    """Return the functions that a subject has, by name."""
    named = [
        ("value", subject.value),
        ("gradient", subject.gradient),
        ("hessian", subject.hessian),
    ]
    return [(name, function) for name, function in named if function is not None]
