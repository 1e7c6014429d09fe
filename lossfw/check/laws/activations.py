"""Checks of activations: value, derivatives, Jacobian products, and their claims.

A function of single numbers is checked as a loss of the residual at the target
0, so the checks of a loss's curves serve it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lossfw.check.claims import slopes, smoothness
from lossfw.check.core.curves import curves
from lossfw.check.core.draw import rows
from lossfw.check.core.points import first
from lossfw.check.core.session import (
    Check,
    NotApplicable,
    Refuted,
    Search,
    check,
    checks_in,
    close,
)
from lossfw.check.core.subject import COLUMNS, Subject, of_component, unwritten
from lossfw.check.denials import denials
from lossfw.check.laws import companions, derivatives, row_slopes, values
from lossfw.components.spaces import LOGITS
from lossfw.losses.kinds import DistanceLoss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import ulp_error

_DTYPES = ("float64", "float32")

# The largest error of functions of rows, in units in the last place.
_ROW_ULPS = 16.0

# Evenly spread arguments, where activations bend.
_FINE = np.arange(-800, 801) / 100


class _Curve(DistanceLoss):
    """An activation as a loss of the residual."""

    of: Activation

    def value(self, xp: Namespace, r: Array) -> Array:
        """Return the activation."""
        return self.of.value(xp, r)

    def formula(self, xp: Namespace, r: Array) -> Array:
        """Return its textbook definition."""
        return self.of.formula(xp, r)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """Return its derivative."""
        return self.of.derivative(xp, r)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """Return its second derivative."""
        return self.of.second_derivative(xp, r)

    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        """Return both, as the forward pass of training computes them."""
        return self.of.value_and_derivative(xp, r)


def _subject(activation: Activation, search: Search) -> Subject:
    """Return the activation as a subject; made once for each search."""

    def made() -> Subject:
        subject = of_component(_Curve(of=activation))
        claims = activation.claims().made()
        return replace(
            search.counted(subject),
            name=repr(activation),
            claims={name: claims[name] for name in ("lipschitz", "breaks") if name in claims},
            parameters=activation.parameters,
            unwritten=unwritten(activation),
        )

    return search.once("subject", made)


def _as_curve(of_loss: Check) -> Check:
    """Return a check of a loss of the residual as one of an activation."""

    def of_activation(activation: Activation, search: Search) -> None:
        of_loss(_subject(activation, search), search)

    of_activation.__doc__ = of_loss.function.__doc__
    return Check(of_loss.name, of_activation)


def _call(activation: Activation, x: NDArray, search: Search) -> NDArray:
    """Call an activation, and count its elements or rows."""
    search.count(x.size // x.shape[-1] if activation.takes_rows and x.size else x.size)
    return np.asarray(activation(x))


def _refuted(x: NDArray, one: int, text: str, code: str = "f(x)") -> Refuted:
    return Refuted(text, code, x=x[one : one + 1])


@check("shape")
def check_call(activation: Activation, search: Search) -> None:
    """Shape and dtype stay, the argument is not written to, equal calls agree."""
    rng = search.rng("activation call")
    shapes = [(3,), (1, 3), (0, 3), (2, 3), (2, 1, 3)] + (
        [] if activation.takes_rows else [(), (0,)]
    )
    for dtype in ("float64", "float32", "float16"):
        for shape in shapes:
            x = np.asarray(rng.normal(size=shape)).astype(dtype)
            before = x.copy()
            result = _call(activation, x, search)
            if result.shape != shape or result.dtype != dtype:
                got = f"{result.shape} and {result.dtype}"
                raise Refuted(f"for {shape} and {dtype} the result has {got}.", "f(x)", x=before)
            if not np.array_equal(x, before) or np.shares_memory(result, x):
                raise Refuted("the argument is written to, or returned.", "f(x)", x=before)
            if not np.array_equal(_call(activation, x, search), result, equal_nan=True):
                raise Refuted("a second call gives another result.", "f(x)", x=before)


@check("gradient:both")
def check_companions(activation: Activation, search: Search) -> None:
    """`value_and_derivative`, `jvp` and `vjp` give what `value` and `derivative` give."""
    companions.compare_both(
        _subject(activation, search), search, "f.value_and_derivative(np, y - t), value(y, t)"
    )
    rng = search.rng("products")
    for dtype in _DTYPES:
        x = _arguments(activation, dtype, search)
        v = np.asarray(rng.normal(size=x.shape), dtype)
        search.count(len(x))
        wanted = activation.derivative(np, x) * v
        for name in ("jvp", "vjp"):
            bad = ~close(getattr(activation, name)(np, x, v), wanted)
            if bad.any():
                one = slice(first(bad), first(bad) + 1)
                text = f"{name} is not the derivative times v, {wanted[one][0]!r}."
                raise Refuted(text, f"f.{name}(np, x, v)", x=x[one], v=v[one])


@check("nan")
def check_nan(activation: Activation, search: Search) -> None:
    """NaN stays NaN, in its own element or row."""
    for column in range(3):
        x = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -3.0]])
        x[0, column] = np.nan
        result = _call(activation, x, search)
        place = np.isnan(result[0]).all() if activation.takes_rows else np.isnan(result[0, column])
        if not place or np.isnan(result[1]).any():
            raise Refuted(f"a NaN gives {result.tolist()}.", "f(x)", x=x)


@check("claim:range")
def check_range(activation: Activation, search: Search) -> None:
    """Claim: the values have this infimum and this supremum."""
    claimed = activation.claims().range
    assert claimed is not None
    low, high = claimed
    finite = []
    for dtype in _DTYPES:
        x = _arguments(activation, dtype, search)
        result = _call(activation, x, search).astype(np.float64)
        slack = 4 * float(np.finfo(dtype).eps)
        bad = (result < low - slack * abs(low)) | (result > high + slack * abs(high))
        if bad.any():
            raise _refuted(x, first(bad), f"{result[first(bad)]} lies outside of {claimed}.")
        finite.append(result[np.isfinite(result)].ravel())
    results = np.concatenate(finite)
    for bound, reached, name in (
        (low, results.min(), "infimum"),
        (high, results.max(), "supremum"),
    ):
        near = (
            abs(reached - bound) <= 0.01 * max(1.0, abs(bound))
            if np.isfinite(bound)
            else abs(reached) > 1e6
        )
        if not near:
            raise _refuted(x, 0, f"the {name} found is {reached:.9g}; {bound!r} is claimed.")


def _arguments(activation: Activation, dtype: str, search: Search) -> NDArray:
    huge = float(np.finfo(dtype).max) / 8
    if activation.takes_rows:
        drawn = _rows(activation, 3, dtype, search)
        return np.concatenate([drawn, [[huge, 0.0, -huge]]]).astype(dtype)
    curve = curves(_subject(activation, search), search)[0]
    return np.concatenate([curve.grid(), _FINE, [-huge, huge]]).astype(dtype)


@check("claim:monotone")
def check_monotone(activation: Activation, search: Search) -> None:
    """Claim: the value does not decrease."""
    if activation.takes_rows:
        raise NotApplicable("rows have no order")
    curve = curves(_subject(activation, search), search)[0]
    x = np.union1d(curve.grid(), _FINE)
    result = _call(activation, x, search)
    fall = np.diff(result) < -4 * np.spacing(np.abs(result[1:]))
    if fall.any():
        at = first(fall)
        text = f"the value falls from {result[at]:.9g} to {result[at + 1]:.9g}."
        raise Refuted(text, "f(x)", x=x[at : at + 2])


@check("claim:odd")
def check_odd(activation: Activation, search: Search) -> None:
    """Claim: f(-x) = -f(x)."""
    x = _arguments(activation, "float64", search)
    same = close(_call(activation, -x, search), -_call(activation, x, search), 8)
    if not same.all():
        raise _refuted(x, first(~same), "f(-x) is not -f(x).", "f(x), f(-x)")


@check("claim:gradient_zero_almost_everywhere")
def check_dead_gradient(activation: Activation, search: Search) -> None:
    """Claim: the derivative is 0 wherever it exists."""
    x = _arguments(activation, "float64", search)
    search.count(len(x))
    alive = activation.derivative(np, x) != 0
    if alive.any():
        raise _refuted(x, first(alive), "the derivative is not 0.", "f.derivative(np, x)")


def _rows(activation: Activation, columns: int, dtype: str, search: Search) -> NDArray:
    shape = Subject("rows", "categorical", LOGITS, LOGITS, value=activation)
    x = rows(shape, columns, dtype, search.rng(f"rows {columns}"), search.examples).y
    return x[np.isfinite(x).all(-1)]


@check("value")
def check_row_values(activation: Activation, search: Search) -> None:
    """Each result of a row is right to 16 units in the last place."""
    for dtype in _DTYPES:
        for columns in COLUMNS:
            x = _rows(activation, columns, dtype, search)
            got = _call(activation, x, search)
            error = ulp_error(got, evaluate(activation.formula, x, rows=True))
            # Rounded arguments of an exponential are their distance times as inexact.
            spread = np.ptp(x.astype(np.float64), axis=-1, keepdims=True)
            bad = error > _ROW_ULPS * (1 + spread)
            if bad.any():
                worst = float(error[first(bad)].max())
                text = f"a result is {worst:.3g} units in the last place off."
                raise _refuted(x, first(bad), text)


@check("claim:rows_sum_to_one")
def check_row_sums(activation: Activation, search: Search) -> None:
    """Claim: each row of results is a distribution."""
    for columns in COLUMNS:
        x = _rows(activation, columns, "float64", search)
        result = _call(activation, x, search)
        bad = (result < 0).any(-1) | (np.abs(result.sum(-1) - 1) > 1e-12)
        if bad.any():
            total = result[first(bad)].sum()
            raise _refuted(x, first(bad), f"a row of results sums to {total!r}.")


@check("claim:shift_invariant")
def check_shift_invariant(activation: Activation, search: Search) -> None:
    """Claim: adding one constant to a whole row changes nothing."""
    x = np.round(search.rng("shift").normal(size=(50, 4)) * 64) / 64
    here, there = (_call(activation, x + shift, search) for shift in (0.0, 3.0))
    bad = np.abs(here - there).max(-1) > 1e-12
    if bad.any():
        text = "the result changes under a shift."
        raise _refuted(x, first(bad), text, "f(x), f(x + 3.0)")


def _table(*checks: Check) -> dict[str, Check]:
    return {one.name: one for one in checks}


# The checks of functions of single numbers, and of rows: along a line, a function of
# rows is no function of one number.
ELEMENTWISE = _table(
    check_call,
    check_nan,
    check_companions,
    _as_curve(values.check_value),
    _as_curve(values.check_precision),
    _as_curve(values.check_overflow),
    *map(_as_curve, checks_in(derivatives).values()),
    check_range,
    check_monotone,
    check_odd,
    _as_curve(slopes.check_lipschitz),
    _as_curve(smoothness.check_breaks),
    check_dead_gradient,
    check_row_sums,
    check_shift_invariant,
)
ROWS = _table(
    check_call,
    check_nan,
    check_row_values,
    row_slopes.check_products,
    check_range,
    row_slopes.check_row_lipschitz,
    row_slopes.check_row_breaks,
    check_dead_gradient,
    check_row_sums,
    check_shift_invariant,
)


def checks(activation: Activation) -> Mapping[str, Check]:
    """Return the checks of an activation, those of its claims included."""
    claims = activation.claims()
    claimed = {f"claim:{name}" for name in claims.made()}
    table = ROWS if activation.takes_rows else ELEMENTWISE
    found = {
        name: one for name, one in table.items() if name in claimed or not name.startswith("claim:")
    }
    return found | denials(claims.denied(), table)
