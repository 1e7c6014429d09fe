"""For which numbers a loss of elements is right: the map that the verdict gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import TypeAlias

import numpy as np

from lossfw.check.core.points import Points, is_inside
from lossfw.check.core.subject import Subject
from lossfw.check.laws.formula import is_inner, judged_at, relative_error
from lossfw.components.spaces import Members
from lossfw.numerics.arrays import NDArray

# So many digits are right for one who trains with a loss.
_DIGITS = 6

# Sizes of the argument: near 1 each power of ten, farther out each fourth.
_EXPONENTS = np.union1d(np.arange(-320, 309, 4), np.arange(-6, 7)).astype(float)

# So many sizes are judged at once: of more wrong results, the oracle looks only at some.
_AT_ONCE = 6

# An end is found to a part of a power of ten.
_HALVINGS = 6

# The argument of each kind of loss in the text, and the targets of residuals and margins.
_SYMBOLS = {"distance": "|r|", "margin": "|m|", "pointwise": "|y|"}
_TARGETS = {"distance": (0.0,), "margin": (1.0,)}

# Unremarkable targets of other losses.
_OTHER_TARGETS = (0.0, 1.0, 3.0)

_WORDS = ("value", "gradient", "Hessian")

# Ends from here to one over it are written without a power of ten.
_PLAIN = 1e-4

# The ends of the sizes for which a function is right, None where it has none.
_Reach: TypeAlias = tuple[float | None, float | None]


def right_for(subject: Subject) -> str:
    """Return for which sizes of its argument each function of a loss has six digits.

    The text is empty for rows, and where nothing is known to compare with.
    """
    if subject.rows or subject.truth is None:
        return ""
    # Also where nothing is promised.
    subject = replace(subject, prediction_range=None, target_range=None)
    words: dict[str, list[str]] = {}
    for order, name in enumerate(("value", "gradient", "hessian")):
        reach = None if getattr(subject, name) is None else _reach(subject, order)
        if reach is not None:
            words.setdefault(_format(reach, _SYMBOLS[subject.kind]), []).append(_WORDS[order])
    parts = [(" and ".join(functions), reach) for reach, functions in words.items()]
    right = (f" right to {_DIGITS} digits" if not number else "" for number in range(len(parts)))
    return "; ".join(
        f"{functions}{to} {reach}" for (functions, reach), to in zip(parts, right, strict=True)
    )


def _reach(subject: Subject, order: int) -> _Reach | None:
    """Return the ends of the sizes around 1 for which a function is right; None without any."""
    if _are_bad(subject, order, np.zeros(1))[0]:
        return None
    low, high = _EXPONENTS[_EXPONENTS <= 0][::-1], _EXPONENTS[_EXPONENTS >= 0]
    return _end(subject, order, low), _end(subject, order, high)


def _end(subject: Subject, order: int, outward: NDArray) -> float | None:
    """Return the size up to which a function is right; None if it is right to the last one.

    The powers of ten begin with one that is right.
    """
    for start in range(1, outward.size, _AT_ONCE):
        bad = np.flatnonzero(_are_bad(subject, order, outward[start : start + _AT_ONCE]))
        if bad.size:
            wrong = start + int(bad[0])
            right = _between(subject, order, float(outward[wrong - 1]), float(outward[wrong]))
            return float(10.0**right)
    return None


def _between(subject: Subject, order: int, right: float, wrong: float) -> float:
    """Return the last right power of ten between a right and a wrong one."""
    for _ in range(_HALVINGS):
        middle = (right + wrong) / 2
        if _are_bad(subject, order, np.array([middle]))[0]:
            wrong = middle
        else:
            right = middle
    return right


def _are_bad(subject: Subject, order: int, exponents: NDArray) -> NDArray:
    """Tell for each power of ten whether a result there has lost too many digits."""
    grid = [
        (number, sign * 10.0**exponent, target)
        for (number, exponent), sign, target in product(
            enumerate(exponents.tolist()), (-1.0, 1.0), _targets(subject)
        )
    ]
    numbers, y, t = (np.array(column) for column in zip(*grid, strict=True))
    points = Points(y, t)
    judged = is_inside(subject, points) & (is_inner(subject, points) if order else True)
    found = np.zeros(exponents.size, bool)
    if judged.any():
        judgement = judged_at(subject, points.take(judged), order)
        bad = judgement.is_wrong & ~(relative_error(judgement) <= 10.0**-_DIGITS)
        found[numbers[judged][bad]] = True
    return found


def _targets(subject: Subject) -> Sequence[float]:
    if subject.kind in _TARGETS:
        return _TARGETS[subject.kind]
    if isinstance(subject.target, Members):
        return subject.target.members
    targets = np.array(_OTHER_TARGETS)
    outside = subject.target.outside(targets)
    return tuple(targets if outside is None else targets[~np.asarray(outside)])


def _format(reach: _Reach, symbol: str) -> str:
    low, high = (
        "" if end is None else _one_digit(end, up)
        for end, up in zip(reach, (True, False), strict=True)
    )
    if not (low or high):
        return f"for {symbol} of any size"
    if not high:
        return f"for {symbol} > {low}"
    return f"for {f'{low} < ' if low else ''}{symbol} < {high}"


def _one_digit(x: float, up: bool) -> str:
    """Write a positive number with one digit, rounded up or down."""
    exponent = math.floor(math.log10(x))
    digit = (math.ceil if up else math.floor)(x / 10.0**exponent)
    number = float(f"{digit}e{exponent}")
    return f"{number:g}" if _PLAIN <= number < 1 / _PLAIN else f"{digit}e{exponent}"
