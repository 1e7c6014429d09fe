"""What a wrong result is off by, and what helps against it, by what its author has written."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lossfw.check.core.gravity import FUNCTIONS, are_useless, has_author_function
from lossfw.check.core.judge import Judgement
from lossfw.check.core.members import is_real_line
from lossfw.check.core.moves import iter_columns
from lossfw.check.core.points import Points, any_in_row, drop_outside
from lossfw.check.core.search import Error, Grade, format_number
from lossfw.check.core.subject import Subject
from lossfw.components.ranges import EXPONENTIATED
from lossfw.numerics.arrays import NDArray

_WORDS = ("value", "gradient", "Hessian")

# A result with fewer right digits than this is not one that has lost digits.
_FEWEST_DIGITS = 1

_FOLLOWS_VALUE = "It follows `value` step by step, and loses digits on the way: write a `{}`."
_OVERFLOWS_BEHIND = (
    "It follows `value` step by step, and a number on the way overflows: write a `{}`."
)
_OF_FLOAT32 = "In float64 it is right: write `@computed_in_float64` above `{}`."
_RANGE = "A `prediction_range` or `target_range` promises results only for the sizes you need."
_NO_FLOAT = "The exact loss of an ordinary target is above every float there."
_LOG = (
    f"{_NO_FLOAT} Declare the space LOG for {{}}: sizes of numbers whose exponential is taken end "
    f"at {EXPONENTIATED.high:g}."
)
_AT_TIE = "At a tie of where, maximum or abs it depends on the branch: write a `derivative`."
_OTHER_FORM = "If these digits matter, another form of the formula keeps them."
_DIGITS = (
    "A difference of near numbers loses digits: write it with xp.log1p or xp.expm1, or take "
    "a function of lossfw.numerics."
)
_OVERFLOW = (
    "An exponential, a square or a quotient overflows on the way: softplus, logsumexp, "
    "log_cosh and others of lossfw.numerics do not."
)

# The functions that these remedies name; a body that calls one needs no such hint.
_STABLE = {"log_cosh", "log_sigmoid", "log_softmax", "logsumexp", "softplus"}
_STABLE_DIGITS = _STABLE | {"expm1", "log1p"}


def classify_error(judgement: Judgement) -> Error:
    """Return the word for the error of one result."""
    if (judgement.is_wrong & ~np.isfinite(judgement.actual)).any():
        return "overflow"
    return "digits" if _right_digits(judgement) >= _FEWEST_DIGITS else "other"


def relative_error(judgement: Judgement) -> NDArray:
    """Return the errors of results as shares of the true ones, infinite where either is 0 or so."""
    actual, expected = judgement.actual.astype(np.float64), judgement.expected
    with np.errstate(all="ignore"):
        error = np.abs(actual - expected) / np.abs(expected)
    return np.where(actual == expected, 0.0, np.where(np.isnan(error), np.inf, error))


def _right_digits(judgement: Judgement) -> int:
    error = float(np.max(relative_error(judgement), initial=0.0, where=judgement.is_wrong))
    return math.floor(-math.log10(error)) if 0 < error < 1 else 0


def describe_error(judgement: Judgement, order: int) -> str:
    """Return what a result is, what it should be, and how many of its digits are right."""
    # As many digits as it takes to tell them apart.
    few, every = (
        [format_number(x[0], digits) for x in (judgement.actual, judgement.expected)]
        for digits in (9, 17)
    )
    actual, expected = few if few[0] != few[1] else every
    text = f"the {_WORDS[order]} is {actual}, and the formula gives {expected}"
    digits = _right_digits(judgement)
    if not digits:
        return f"{text}."
    with np.errstate(all="ignore"):
        ulps = np.abs(judgement.actual.astype(np.float64) - judgement.expected) / np.spacing(
            np.abs(judgement.expected)
        )
    worst = float(np.max(ulps, initial=0.0, where=judgement.is_wrong))
    right = "1 digit is right" if digits == 1 else f"{digits} digits are right"
    return (
        f"{text}: {right}, {worst:.2g} units in the last place off "
        f"({judgement.tolerance:g} are allowed)."
    )


@dataclass(frozen=True)
class Remedies:
    """What helps against wrong results of one function.

    `judge_at` judges it at other points; `wrong` are the judgements with something wrong.
    """

    subject: Subject
    order: int
    judged_at: Callable[[Subject, Points, int], Judgement]
    wrong: Sequence[Judgement]

    def text_for(self, judgement: Judgement, error: Error, grade: Grade) -> str:
        """Return what helps against an error; empty where nothing more is known."""
        if exponentials := exponential_remedy(self.subject, judgement.points.take(slice(1))):
            return exponentials
        is_other = error == "other" and grade != "digits"
        text = self._tie_remedy(judgement) if is_other else self._rounding_remedy(judgement, error)
        needs_range = grade == "extreme" or (grade == "digits" and not text)
        if needs_range and self.subject.component is not None:
            text = f"{text} {_RANGE}".lstrip()
        return text

    def _rounding_remedy(self, judgement: Judgement, error: Error) -> str:
        is_overflow = error == "overflow"
        if not has_author_function(self.subject, self.order):
            text = _OVERFLOWS_BEHIND if is_overflow else _FOLLOWS_VALUE
            return text.format(FUNCTIONS[self.order])
        if self._is_right_in_float64(judgement):
            return _OF_FLOAT32.format(FUNCTIONS.get(self.order, "value"))
        known = _STABLE if is_overflow else _STABLE_DIGITS
        if known & names_in_body(self.subject):
            return "" if is_overflow else _OTHER_FORM
        return _OVERFLOW if is_overflow else _DIGITS

    def _is_right_in_float64(self, this: Judgement) -> bool:
        """Tell whether a component has wrong results in float32 alone, and not here in float64."""
        dtypes = {judgement.points.y.dtype for judgement in (this, *self.wrong)}
        if self.subject.component is None or dtypes != {np.dtype(np.float32)}:
            return False
        points = this.points
        t = points.t.astype(np.float64) if points.t.dtype.kind == "f" else points.t
        # A row of float32 may not sum to 1 in float64.
        wide = drop_outside(self.subject, Points(points.y.astype(np.float64), t))
        return bool(len(wide)) and not self.judged_at(self.subject, wide, self.order).is_wrong.any()

    def _tie_remedy(self, judgement: Judgement) -> str:
        """Return a hint if only results at ties are wrong, of a derivative that nobody wrote."""
        if not self.order or has_author_function(self.subject, self.order):
            return ""
        known = [judgement, *(_drop_right(bad) for bad in self.wrong)]
        return _AT_TIE if all(self._are_at_ties(bad.points) for bad in known) else ""

    def _are_at_ties(self, points: Points) -> bool:
        subject, y, t = self.subject, points.y, points.t
        near = np.zeros(len(points), bool)
        if not subject.rows:
            # A kink may be of the prediction, of the residual or of the margin.
            for x in (y, y - t, y * t):
                near |= np.isin(x, subject.kinks())
        rest = np.flatnonzero(~near)
        if rest.size:
            near[rest] = any_in_row(subject.exact.kinks(y[rest], t[rest]))
        return bool(near.all())


def exponential_remedy(subject: Subject, point: Points) -> str:
    """Return which numbers of a useless prediction need the space LOG; empty for another one."""
    if not are_useless(subject, point).all():
        return ""
    names = subject.labels("y", point.y.shape[-1]) if subject.rows else ["y"]
    spaces = [space for _, space in iter_columns(subject, 0, point.y)]
    found = [
        name
        for column, (name, space) in enumerate(zip(names, spaces, strict=True))
        if is_real_line(space)
        and space.sizes is None
        and _is_useful_without(subject, point, column)
    ]
    return _LOG.format(" and ".join(found)) if found else _NO_FLOAT


def _is_useful_without(subject: Subject, point: Points, column: int) -> bool:
    """Tell whether a prediction can be used where one number of it is 0."""
    y = np.array(point.y)
    y[(slice(None), column)[: y.ndim]] = 0
    return not are_useless(subject, Points(y, point.t)).any()


def _drop_right(judgement: Judgement) -> Judgement:
    """Return only what is wrong of a judgement."""
    bad = judgement.is_wrong
    which = np.flatnonzero(bad.any(tuple(range(1, bad.ndim))))
    return replace(judgement, points=judgement.points.take(which))


def names_in_body(subject: Subject) -> set[str]:
    """Return the names that the functions of an author use."""
    if subject.component is None:
        return set()
    own = (cls for cls in type(subject.component.body).__mro__ if not _is_lossfw_class(cls))
    functions = (inspect.unwrap(f) for cls in own for f in vars(cls).values() if callable(f))
    codes = (f.__code__ for f in functions if inspect.isfunction(f))
    return {name for code in codes for name in code.co_names}


def _is_lossfw_class(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in ("lossfw", "pydantic", "abc", "builtins")
