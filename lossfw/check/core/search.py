"""Define checks, their search, and their outcomes.

A check is declared by a decorator::

    @check("shape:result")
    def check_result_shape(subject, search):
        ...

It raises `Counterexample` for a counterexample and `NotApplicable` where it makes no
sense for the subject; otherwise it has held. The search counts its examples.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np

from lossfw.check.core.draw import draw
from lossfw.check.core.draw_columns import usual_pairs
from lossfw.check.core.draw_groups import usual_group
from lossfw.check.core.members import apply_per_column
from lossfw.check.core.points import Points, drop_outside
from lossfw.check.core.region import Region, regions_of_points
from lossfw.check.core.subject import (
    DERIVATIVES,
    JUDGED_DTYPES,
    Subject,
    call,
    call_without_warnings,
)
from lossfw.components.ranges import EVERY_SIZE, PROMISED
from lossfw.components.spaces import SIMPLEX, UNIT, Interval, Space
from lossfw.numerics.arrays import NDArray

T = TypeVar("T")

# How grave a finding is, the gravest first; `lossfw.check.severity` has the words.
Grade: TypeAlias = Literal["wrong", "digits", "extreme", "convention"]

# What is the matter with a result: it has some right digits, is infinite or NaN, or is another one.
Error: TypeAlias = Literal["digits", "overflow", "other"]

# A text shows so many numbers of an array.
MOST_NUMBERS = 8

# With fewer examples than these a check calls a function with at most so many elements for each.
ENOUGH, _ELEMENTS_PER_EXAMPLE = 100, 64

# Rows of an ordinary group.
_ROWS = 3

# Checks of calls need so many ordinary points.
_FEWEST = 3

# Results that differ by no more than this many units in the last place differ
# by rounding: an element does not depend on its companions except for that.
ROUNDING_ULPS = 64


class Counterexample(Exception):  # noqa: N818  # the harness looks for it: it is not an error
    """What refutes a promise: a message, inputs, and the expression `code` of their names.

    After one that `stops_checks`, no other check has anything to look at. Those of equal `cause`,
    where it is not empty, are one finding of several checks. A wrong result has a `grade` and an
    `error`.
    """

    stops_checks = False
    cause = ""
    grade: Grade | None = None
    error: Error | None = None

    def __init__(self, message: str, code: str = "value(y, t)", **inputs: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.inputs = {name: np.asarray(array) for name, array in inputs.items()}

    def as_blocking(self) -> Counterexample:
        """Return it as one that blocks other checks."""
        self.stops_checks = True
        return self

    def with_cause(self, cause: str) -> Counterexample:
        """Return it as one finding of a cause."""
        self.cause = cause
        return self

    def with_grade(self, grade: Grade) -> Counterexample:
        """Return it as a result with a grade."""
        self.grade = grade
        return self

    @classmethod
    def with_points(
        cls, points: Points, message: str, code: str = "value(y, t)", **more: Any
    ) -> Counterexample:
        """Return it with points and further inputs."""
        return cls(message, code, y=points.y, t=points.t, **more)

    @classmethod
    def at_point(
        cls, points: Points, index: int, message: str, code: str = "value(y, t)"
    ) -> Counterexample:
        """Return it with one of the points."""
        return cls.with_points(points.take(slice(index, index + 1)), message, code)


class NotApplicable(Exception):  # noqa: N818  # not an error either
    """A check does not apply to a subject; the message says why."""


@dataclass
class Search:
    """The seeded randomness, the effort, the shared results and the count of one run.

    The same seed gives the same report. A search that is narrowed to some regions uses the same
    points, restricted to these regions.
    """

    seed: int = 0
    # About how many pairs to try in each dtype.
    examples: int = 200
    # The relative tolerance of values and derivatives.
    rtol: float = 0.0
    # Results that several checks of one subject share, with their examples.
    store: dict[Hashable, tuple[Any, int]] = field(default_factory=dict)
    # The number of examples in each call; a list, as threads can append to it.
    calls: list[int] = field(default_factory=list)
    # What proves a denial, for each claim whose denial was proved.
    witnesses: dict[str, str] = field(default_factory=dict)
    # By the check that ran, the example that came closest to refuting a claim that held, where it
    # is known: a denial reports it.
    closest: dict[str, Counterexample] = field(default_factory=dict)
    # What a check looks at, and why, where that is less than usual.
    limited: dict[str, str] = field(default_factory=dict)
    # The name of the check that is running.
    running: str = ""
    # The search that draws the points of a narrowed one, which looks at a fraction of those in
    # some regions; None for one that looks everywhere.
    wider: Search | None = None
    regions: tuple[Region, ...] = ()
    share: float = 1.0
    # The only points to look at, instead of drawn ones.
    only: Points | None = None

    @property
    def in_all_regions(self) -> Search:
        """The search that looks at all regions."""
        return self.wider or self

    def narrow(
        self, *regions: Region, fraction: float = 1.0, examples: int | None = None
    ) -> Search:
        """Return a search of a fraction of the points in some regions.

        Checks without points use the number of examples, which may differ.
        """
        return replace(
            self,
            examples=examples or self.examples,
            store={},
            calls=[],
            wider=self.in_all_regions,
            regions=regions,
            share=fraction,
        )

    def at_points(self, points: Points) -> Search:
        """Return a search of given points only."""
        return Search(self.seed, self.examples, self.rtol, only=points)

    def select_points(
        self, subject: Subject, point_sets: Sequence[Points], name: str
    ) -> list[Points]:
        """Return the selected points, without empty sets."""
        if self.wider is None:
            return list(point_sets)
        found = []
        for number, points in enumerate(point_sets):
            index = np.flatnonzero(np.isin(regions_of_points(subject, points), self.regions))
            if self.share < 1 and index.size:
                rng, count = self.rng(f"kept {name} {number}"), round(self.share * index.size)
                index = np.sort(rng.choice(index, max(1, count), replace=False))
            if index.size:
                found.append(points.take(index))
        return found

    def limit_elements(self, elements: int) -> int:
        """Return a number of elements, or fewer if there are few examples."""
        if self.examples >= ENOUGH:
            return elements
        return min(elements, _ELEMENTS_PER_EXAMPLE * self.examples)

    def record_limit(self, text: str) -> None:
        """Record the inputs of the running check if there are fewer than usual."""
        self.limited[self.running] = text

    @property
    def n_examples(self) -> int:
        """The number of examples tried since `calls` was emptied."""
        return sum(self.calls)

    def rng(self, name: str) -> np.random.Generator:
        """Return a generator that depends only on the seed and on a check's name."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def cached(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the cached result of `make`; its examples count for every check that uses it."""
        if key in self.store:
            result: T
            result, examples = self.store[key]
            self.count(examples)
            return result
        begun = len(self.calls)
        result = make()
        self.store[key] = result, sum(self.calls[begun:])
        return result

    def points(self, subject: Subject, *dtypes: str) -> list[Points]:
        """Return the points that all checks of a subject share.

        They are in the dtypes of the checks of the formula, or in others.
        """

        def draw_once(dtype: str) -> list[Points]:
            if self.only is not None:
                return [self.only] if self.only.y.dtype == dtype else []
            if self.wider is not None:
                some = self.wider.points(subject, dtype)
                return self.cached(
                    ("points", dtype), lambda: self.select_points(subject, some, dtype)
                )
            rng = self.rng(f"points {dtype}")
            return self.cached(("points", dtype), lambda: draw(subject, dtype, rng, self.examples))

        return [points for dtype in dtypes or JUDGED_DTYPES for points in draw_once(dtype)]

    def count(self, examples: int) -> None:
        """Count examples for which a check calls the formula, not the subject."""
        self.calls.append(examples)

    def count_calls(self, subject: Subject) -> Subject:
        """Return the subject with functions that count the elements or rows they are given."""

        def count_calls(function: Callable[..., Any]) -> Callable[..., Any]:
            def counted_call(y: Any, *others: Any, **options: Any) -> Any:
                shape = np.shape(y)
                self.count(math.prod(shape[:-1] if subject.rows else shape))
                return function(y, *others, **options)

            return counted_call

        names = ("value", "gradient", "hessian", "reduce", "unchecked")
        functions = {name: getattr(subject, name) for name in names}
        counted: dict[str, Any] = {n: count_calls(f) for n, f in functions.items() if f is not None}
        return replace(subject, rtol=self.rtol, **counted)


@dataclass(frozen=True)
class Check:
    """A check: a function of a subject (an activation for its own checks) and a search.

    The name of a claim's check begins with ``claim:``.
    """

    name: str
    function: Callable[[Any, Search], None]

    def __call__(self, subject: Any, search: Search) -> None:
        """Run it."""
        self.function(subject, search)


def check(name: str) -> Callable[[Callable[[Any, Search], None]], Check]:
    """Return a decorator that makes a function a check of this name."""
    return lambda function: Check(name, function)


def run_parts(subject: Any, search: Search, *parts: Callable[[Any, Search], None]) -> None:
    """Run the parts of a check that apply to a subject.

    Raises
    ------
    NotApplicable
        If none does, with the reason of the first.
    """
    reasons = []
    for part in parts:
        try:
            part(subject, search)
        except NotApplicable as reason:
            reasons.append(reason)
    if len(reasons) == len(parts):
        raise reasons[0]


def checks_of_modules(*modules: ModuleType) -> dict[str, Check]:
    """Return the checks that modules define, alone or in tuples, by name."""
    values = [value for module in modules for value in vars(module).values()]
    several = (value if isinstance(value, tuple) else (value,) for value in values)
    return {one.name: one for some in several for one in some if isinstance(one, Check)}


_NONE = {rows: Points(*np.zeros((2, 0, 3) if rows else (2, 0))) for rows in (False, True)}


def ordinary_points(subject: Subject, search: Search, name: str, count: int = 24) -> Points:
    """Return a few pairs of unremarkable float64 numbers, rows with three columns."""
    rng = search.rng(name)
    if subject.kind == "group":
        return usual_group(subject, _ROWS, rng, count)
    pool = search.in_all_regions.points(subject, "float64") or [_NONE[subject.rows]]
    points = max(pool, key=lambda some: some.y.shape[-1] == 3) if subject.rows else pool[0]
    usual = np.isfinite(points.y) & (np.abs(points.y) < 50) & (np.abs(points.y) > 1e-3)
    if points.t.dtype.kind == "f":
        # Not so small either that another precision makes it 0.
        near = (np.abs(points.t) < 50) & ((points.t == 0) | (np.abs(points.t) > 1e-3))
        usual &= _match_prediction_shape(near, usual)
    usual &= _is_off_bounds(subject.prediction, points.y, included=True)
    if points.t.shape == points.y.shape or subject.has_columns:
        usual &= _match_prediction_shape(
            _is_off_bounds(subject.target, points.t, included=False), usual
        )
    keep = usual.all(-1) if points.y.ndim > 1 else usual
    index = np.flatnonzero(keep)
    ranges = {subject.prediction_range, subject.target_range}
    if not index.size and ranges - {PROMISED, EVERY_SIZE}:
        # The laws of a call hold everywhere.
        everywhere = replace(subject, prediction_range=EVERY_SIZE, target_range=EVERY_SIZE)
        return ordinary_points(everywhere, Search(search.seed, search.examples), name, count)
    if index.size < _FEWEST and subject.has_columns:
        # Of many numbers in a row one is nearly always large or tiny.
        return drop_outside(subject, usual_pairs(subject, rng, count))
    if not index.size:
        raise NotApplicable("no ordinary predictions in this space")
    return points.take(rng.choice(index, min(count, index.size), replace=False))


def _match_prediction_shape(mask: NDArray, prediction_mask: NDArray) -> NDArray:
    """Return a mask of targets in the shape of one of predictions, or with one answer a row."""
    if mask.shape == prediction_mask.shape:
        return mask
    return np.asarray(mask.all(-1, keepdims=True) if mask.ndim > 1 else mask[..., None])


@apply_per_column
def _is_off_bounds(space: Space, x: NDArray, *, included: bool) -> NDArray:
    """Tell which numbers stay off the bounds in half precision; `included` ones count or not."""
    inside: NDArray = np.ones(x.shape, bool)
    if space is SIMPLEX:
        space = UNIT
    if isinstance(space, Interval):
        if included or not space.low_included:
            inside &= x > space.low + 1e-3
        if included or not space.high_included:
            inside &= x < space.high - 1e-3
    return inside


def is_close(a: NDArray, b: NDArray, ulps: float = ROUNDING_ULPS) -> NDArray:
    """Return a mask of results that are equal up to rounding; NaN equals NaN."""
    a, b = np.asarray(a), np.asarray(b)
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(a), np.abs(b)).astype(np.float64)
        eps = float(np.finfo(a.dtype).eps) if a.dtype.kind == "f" else 0.0
        tiny = float(np.finfo(a.dtype).smallest_subnormal) if a.dtype.kind == "f" else 0.0
        near = np.abs(a.astype(np.float64) - b) <= ulps * (eps * scale + tiny)
        same: NDArray = (a == b) | near | (np.isnan(a) & np.isnan(b))
        return same


def require_same_bits(
    actual: Any, expected: Any, points: Points, message: str, code: str = "value(y, t)", **more: Any
) -> None:
    """Refute results that differ from others in any bit; NaN equals NaN."""
    if not np.array_equal(actual, expected, equal_nan=True):
        raise Counterexample.with_points(points, message, code, **more)


def format_number(x: Any, digits: int = 9) -> str:
    """Write a number, or the first numbers of an array, with a number of digits."""
    numbers = np.ravel(x)
    values = [f"{float(v):.{digits}g}" for v in numbers[:MOST_NUMBERS]]
    more = f", ... ({numbers.size:,} numbers)" if numbers.size > MOST_NUMBERS else ""
    return values[0] if len(values) == 1 else f"[{', '.join(values)}{more}]"


@dataclass(frozen=True)
class Output:
    """A function of a subject: its ``value``, its ``gradient`` or its ``hessian``."""

    name: str
    raw: Callable[..., Any]

    def __call__(
        self, y: Any, t: Any, given: str = "legal arguments", *, copied: bool = True
    ) -> NDArray:
        """Call the function, with copies unless `copied` is false; an exception is a refutation."""
        try:
            return np.asarray((call if copied else call_without_warnings)(self.raw, y, t))
        except Exception as error:
            raise Counterexample(
                f"{self} raises for {given}: {type(error).__name__}: {error}",
                f"{self}(y, t)",
                y=y,
                t=t,
            ) from error

    def __str__(self) -> str:
        return self.name


def author_functions(subject: Subject) -> list[Output]:
    """Return the functions of a subject without derivatives by dual numbers.

    For rows these take one pass per column, and a mistake in the value shows in the value.
    """
    inherited = subject.inherited_derivatives
    return [one for one in outputs(subject) if DERIVATIVES.get(one.name) not in inherited]


def outputs(subject: Subject) -> list[Output]:
    """Return the functions that a subject has."""
    every = {"value": subject.value, "gradient": subject.gradient, "hessian": subject.hessian}
    return [Output(name, function) for name, function in every.items() if function is not None]
