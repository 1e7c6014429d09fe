"""Checks of activations: value, derivatives, Jacobian products, and their claims.

A function of single numbers is checked as a loss of the residual at the target 0, so the checks of
a loss's curves also apply. The Jacobian of a row is small, so it is checked as a whole: its
products with unit vectors are its columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lossfw.check.claims.breaks import check_breaks
from lossfw.check.claims.steepness import check_lipschitz
from lossfw.check.core.curves import EPS, curves
from lossfw.check.core.draw import draw_rows
from lossfw.check.core.exact import Formula
from lossfw.check.core.members import Generator
from lossfw.check.core.points import first_bad
from lossfw.check.core.search import (
    Check,
    Counterexample,
    NotApplicable,
    Search,
    check,
    format_number,
    is_close,
)
from lossfw.check.core.subject import (
    COLUMNS,
    JUDGED_DTYPES,
    Subject,
    inherited_derivatives,
    subject_of_component,
)
from lossfw.check.denials import check_false_claims
from lossfw.check.laws.formula import RESULT_CHECKS
from lossfw.check.laws.optional_functions import compare_both
from lossfw.components.spaces import LOGITS
from lossfw.losses.kinds import DistanceLoss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float, ulp_error

# The largest error of functions of rows, in units in the last place.
_ROW_ULPS = 16.0

# Evenly spread arguments, where activations are curved.
_FINE = np.arange(-800, 801) / 100

# Numbers of columns above one, of which one row is drawn for so many examples.
_SEVERAL = tuple(k for k in COLUMNS if k > 1)
_ROWS, _FOR_EACH = 20, 10

# Products are right to so many rounding steps of the sum of their terms.
_ROUNDINGS = 64.0

# Products with a matrix and its transpose agree to this part.
_TRANSPOSED = 1e-9

# How far some columns lead alike, how often the steepest row is moved, and by how much
# less each time.
_LEADS = (0.0, 0.5, 1.0, 3.0, 10.0, 40.0)
_CLIMBS, _CALMER = 60, 0.9

# The constant that is found may be beyond the claimed one by rounding, and below by this.
_SLACK, _TIGHTNESS = 1e-9, 1e-3

# How far from a row its Jacobian is looked at on each side, and what change is a jump.
_SIDE, _JUMP = 2.0**-30, 1e-6


class _ActivationCurve(DistanceLoss):
    """An activation as a loss of the residual."""

    of: Activation

    def value(self, xp: Namespace, r: Array) -> Array:
        return self.of.value(xp, r)

    def formula(self, xp: Namespace, r: Array) -> Array:
        return self.of.formula(xp, r)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        return self.of.derivative(xp, r)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        return self.of.second_derivative(xp, r)

    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        return self.of.value_and_derivative(xp, r)


def _activation_subject(activation: Activation, search: Search) -> Subject:
    """Return the activation as a subject; made once for each search."""

    def make() -> Subject:
        claims = activation.claims().to_dict()
        return replace(
            search.count_calls(subject_of_component(_ActivationCurve(of=activation))),
            name=repr(activation),
            claims={name: claims[name] for name in ("lipschitz", "breaks") if name in claims},
            parameters=activation.parameters,
            inherited_derivatives=inherited_derivatives(activation),
        )

    return search.cached("subject", make)


def _adapt_loss_check(loss_check: Check) -> Check:
    """Return a check of a loss of the residual as one of an activation."""

    def check_activation(activation: Activation, search: Search) -> None:
        loss_check(_activation_subject(activation, search), search)

    check_activation.__doc__ = loss_check.function.__doc__
    return Check(loss_check.name, check_activation)


def _call(activation: Activation, x: NDArray, search: Search) -> NDArray:
    """Call an activation, and count its elements or rows."""
    search.count(x.size // x.shape[-1] if activation.takes_rows and x.size else x.size)
    return np.asarray(activation(x))


def _refute_first(
    bad: NDArray, text: str, result: NDArray, code: str = "f(x)", **inputs: NDArray
) -> None:
    """Refute the first bad element or row; the text shows the result there."""
    if bad.any():
        one = first_bad(bad)
        shown = {name: array[one : one + 1] for name, array in inputs.items()}
        raise Counterexample(text.format(format_number(result[one])), code, **shown)


@check("shape")
def check_call(activation: Activation, search: Search) -> None:
    """Shape and dtype are kept, the argument is not written to, equal calls agree."""
    rng = search.rng("activation call")
    shapes = [(3,), (1, 3), (0, 3), (2, 3), (2, 1, 3)] + (
        [] if activation.takes_rows else [(), (0,)]
    )
    for dtype in ("float64", "float32", "float16"):
        for shape in shapes:
            x = np.asarray(rng.normal(size=shape)).astype(dtype)
            before = x.copy()
            result = _call(activation, x, search)
            text = ""
            if result.shape != shape or result.dtype != dtype:
                actual = f"{result.shape} and {result.dtype}"
                text = f"for {shape} and {dtype} the result has {actual}."
            elif not np.array_equal(x, before) or np.shares_memory(result, x):
                text = "the argument is written to, or returned."
            elif not np.array_equal(_call(activation, x, search), result, equal_nan=True):
                text = "a second call gives another result."
            if text:
                raise Counterexample(text, "f(x)", x=before)


@check("gradient:both")
def check_companions(activation: Activation, search: Search) -> None:
    """`value_and_derivative`, `jvp` and `vjp` agree with `value` and `derivative`."""
    compare_both(
        _activation_subject(activation, search),
        search,
        "f.value_and_derivative(np, y - t), value(y, t)",
    )
    rng = search.rng("products")
    for dtype in JUDGED_DTYPES:
        x = _arguments(activation, dtype, search)
        v = np.asarray(rng.normal(size=x.shape), dtype)
        search.count(len(x))
        expected = activation.derivative(np, x) * v
        for name in ("jvp", "vjp"):
            bad = ~is_close(getattr(activation, name)(np, x, v), expected)
            text = f"{name} is not the derivative times v, {{}}."
            _refute_first(bad, text, expected, f"f.{name}(np, x, v)", x=x, v=v)


@check("nan")
def check_nan(activation: Activation, search: Search) -> None:
    """NaN stays NaN, in its own element or row."""
    for column in range(3):
        x = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -3.0]])
        x[0, column] = np.nan
        result = _call(activation, x, search)
        place = np.isnan(result[0]).all() if activation.takes_rows else np.isnan(result[0, column])
        if not place or np.isnan(result[1]).any():
            raise Counterexample(f"a NaN gives {format_number(result)}.", "f(x)", x=x)


@check("claim:range")
def check_range(activation: Activation, search: Search) -> None:
    """Claim: the values have this infimum and this supremum."""
    claimed = activation.claims().range
    assert claimed is not None
    low, high = claimed
    finite = []
    for dtype in JUDGED_DTYPES:
        x = _arguments(activation, dtype, search)
        result = _call(activation, x, search).astype(np.float64)
        slack = 4 * float(np.finfo(dtype).eps)
        bad = (result < low - slack * abs(low)) | (result > high + slack * abs(high))
        _refute_first(bad, f"{{}} lies outside of {claimed}.", result, x=x)
        finite.append(result[np.isfinite(result)].ravel())
    results = np.concatenate(finite)
    bounds = ((low, results.min(), "infimum"), (high, results.max(), "supremum"))
    for bound, reached, name in bounds:
        size = abs(reached - bound) / max(1.0, abs(bound))
        if not (size <= 0.01 if np.isfinite(bound) else abs(reached) > 1e6):
            text = f"the {name} found is {reached:.9g}; {bound!r} is claimed."
            raise Counterexample(text, "f(x)", x=x[:1])


def _arguments(activation: Activation, dtype: str, search: Search) -> NDArray:
    huge = float(np.finfo(dtype).max) / 8
    if activation.takes_rows:
        drawn = _rows(3, dtype, search)
        return np.concatenate([drawn, [[huge, 0.0, -huge]]]).astype(dtype)
    curve = curves(_activation_subject(activation, search), search)[0]
    return np.concatenate([curve.grid(), _FINE, [-huge, huge]]).astype(dtype)


@check("claim:monotone")
def check_monotone(activation: Activation, search: Search) -> None:
    """Claim: the value does not decrease."""
    curve = curves(_activation_subject(activation, search), search)[0]
    x = np.union1d(curve.grid(), _FINE)
    result = _call(activation, x, search)
    fall = np.diff(result) < -4 * np.spacing(np.abs(result[1:]))
    if fall.any():
        at = first_bad(fall)
        text = f"the value falls from {result[at]:.9g} to {result[at + 1]:.9g}."
        raise Counterexample(text, "f(x)", x=x[at : at + 2])


@check("claim:odd")
def check_odd(activation: Activation, search: Search) -> None:
    """Claim: f(-x) = -f(x)."""
    x = _arguments(activation, "float64", search)
    mirrored = _call(activation, -x, search)
    same = is_close(mirrored, -_call(activation, x, search), 8)
    _refute_first(~same, "f(-x) is not -f(x).", mirrored, "f(x), f(-x)", x=x)


@check("claim:gradient_zero_almost_everywhere")
def check_dead_gradient(activation: Activation, search: Search) -> None:
    """Claim: the derivative is 0 wherever it exists."""
    x = _arguments(activation, "float64", search)
    search.count(len(x))
    result = activation.derivative(np, x)
    _refute_first(result != 0, "the derivative is not 0.", result, "f.derivative(np, x)", x=x)


def _rows(columns: int, dtype: str, search: Search) -> NDArray:
    x = draw_rows(LOGITS, columns, dtype, search.rng(f"rows {columns}"), search.examples)
    return x[np.isfinite(x).all(-1)]


@check("value")
def check_row_values(activation: Activation, search: Search) -> None:
    """Each result of a row is right to 16 units in the last place."""
    for dtype in JUDGED_DTYPES:
        for columns in COLUMNS:
            x = _rows(columns, dtype, search)
            exact = evaluate(activation.formula, x, rows=True)
            error = ulp_error(_call(activation, x, search), exact)
            # Rounded arguments of an exponential are their distance times as inexact.
            spread = np.ptp(x.astype(np.float64), axis=-1, keepdims=True)
            bad = error > _ROW_ULPS * (1 + spread)
            text = "a result is {} units in the last place off."
            _refute_first(bad, text, error.max(-1), x=x)


@check("claim:rows_sum_to_one")
def check_row_sums(activation: Activation, search: Search) -> None:
    """Claim: each row of results is a distribution."""
    for columns in COLUMNS:
        x = _rows(columns, "float64", search)
        result = _call(activation, x, search)
        total = result.sum(-1)
        bad = (result < 0).any(-1) | (np.abs(total - 1) > 1e-12)
        _refute_first(bad, "a row of results sums to {}.", total, x=x)


@check("claim:shift_invariant")
def check_shift_invariant(activation: Activation, search: Search) -> None:
    """Claim: adding one constant to a whole row changes nothing."""
    x = np.round(search.rng("shift").normal(size=(50, 4)) * 64) / 64
    here, there = (_call(activation, x + shift, search) for shift in (0.0, 3.0))
    bad = np.abs(here - there).max(-1) > 1e-12
    _refute_first(bad, "the result changes under a shift.", here, "f(x), f(x + 3.0)", x=x)


@check("gradient")
def check_products(activation: Activation, search: Search) -> None:
    """Products with the Jacobian and its transpose agree with the formula's derivatives."""
    rng = search.rng("products")
    for columns in COLUMNS:
        x, v, u = rng.normal(size=(3, _ROWS, columns)) * rng.choice([1.0, 5.0], (3, _ROWS, 1))
        search.count(2 * _ROWS)
        exact = Formula(activation.formula, rows=True, vector=True).derivatives(1, x)[0]
        jacobian = to_float(exact)
        forward, back = activation.jvp(np, x, v), activation.vjp(np, x, u)
        terms = np.abs(jacobian) * np.abs(v)[:, None, :]
        expected = (jacobian * v[:, None, :]).sum(-1)
        # A product cancels a constant that is common to a row.
        size = terms.sum(-1) + np.abs(forward).max(-1, keepdims=True)
        off = (np.abs(forward - expected) > _ROUNDINGS * EPS * size).any(-1)
        # The two products are those of one matrix: u' (J v) = (J' u)' v.
        scale = columns * (1 + np.abs(u).max(-1) * np.abs(v).max(-1))
        off |= np.abs((u * forward).sum(-1) - (back * v).sum(-1)) > _TRANSPOSED * scale
        text = "a product with the Jacobian is not that of the formula's derivatives."
        _refute_first(off, text, x, "f.jvp(np, x, v), f.vjp(np, x, u)", x=x, v=v, u=u)


@check("claim:lipschitz")
def check_row_lipschitz(activation: Activation, search: Search) -> None:
    """Claim: K is the least Lipschitz constant, in the Euclidean norm of rows."""
    claimed = activation.claims().lipschitz
    assert claimed is not None
    best, place = 0.0, np.zeros((1, 2))
    for columns in _SEVERAL:
        rng = search.rng(f"row lipschitz {columns}")
        found, x = _steepest(activation, _extreme_rows(columns, search, rng), rng, search)
        if found > best:
            best, place = found, x
    text = ""
    if best > claimed * (1 + _SLACK):
        text = f"results change by {best:.9g} per unit at x; {claimed!r} is claimed as the most."
    elif best < claimed * (1 - _TIGHTNESS):
        text = f"the steepest change found is {best:.9g}; {claimed!r} is not the least constant."
    if text:
        code = "np.linalg.norm(f.jvp(np, np.repeat(x, x.size, 0), np.eye(x.size)), 2)"
        raise Counterexample(text, code, x=place)


@check("claim:breaks")
def check_row_breaks(activation: Activation, search: Search) -> None:
    """Claim: no derivative of a row jumps."""
    if activation.claims().breaks:
        raise NotApplicable("places of breaks are numbers, and arguments are rows")
    for columns in _SEVERAL:
        rng = search.rng(f"row breaks {columns}")
        x = _extreme_rows(columns, search, rng)
        step = np.multiply(_SIDE, rng.normal(size=x.shape))
        left, here, right = (_jacobians(activation, x + s * step, search) for s in (-1, 0, 1))
        size = 1 + np.abs(here).max((-1, -2))
        jump = np.maximum(*(np.abs(side - here).max((-1, -2)) for side in (left, right)))
        text = "the derivative jumps at x, and no breaks are claimed."
        code = "f.jvp(np, x, v), f.jvp(np, x + step, v), f.jvp(np, x - step, v)"
        _refute_first(jump > _JUMP * size, text, x, code, x=x, step=step, v=np.ones_like(x))


def _extreme_rows(columns: int, search: Search, rng: Generator) -> NDArray:
    """Return rows at which derivatives are extreme: some columns lead alike, and any rows."""
    order = np.arange(columns)
    led = [lead * (order < several) for several in range(2, columns + 1) for lead in _LEADS]
    count = max(_ROWS, search.examples // _FOR_EACH)
    free = rng.normal(size=(count, columns)) * rng.choice([0.3, 1.0, 3.0, 10.0], (count, 1))
    return np.concatenate([np.array(led, float), free])


def _steepest(
    activation: Activation, x: NDArray, rng: Generator, search: Search
) -> tuple[float, NDArray]:
    """Return the largest norm of a Jacobian, climbed to from some rows, and its row."""
    best, place, step = 0.0, x[:1], 1.0
    for _ in range(_CLIMBS):
        jacobians = _jacobians(activation, x, search)
        # The largest singular values.
        norms: NDArray = np.linalg.svd(np.nan_to_num(jacobians), compute_uv=False)[:, 0]
        at = int(np.argmax(norms))
        if norms[at] > best:
            best, place = float(norms[at]), x[at : at + 1]
        x = place + step * rng.normal(size=(_ROWS // 4, x.shape[-1]))
        step *= _CALMER
    return best, place


def _jacobians(activation: Activation, x: NDArray, search: Search) -> NDArray:
    """Return the matrices of derivatives, shape (N, K, K)."""
    rows, columns = x.shape
    search.count(rows * columns)
    repeated = np.repeat(x, columns, axis=0)
    products = activation.jvp(np, repeated, np.tile(np.eye(columns), (rows, 1)))
    return np.swapaxes(np.asarray(products).reshape(rows, columns, columns), -1, -2)


# The checks of functions of single numbers, and of rows: along a line, a function of
# rows is not a function of one number.
_CLAIMS_OF_BOTH = (check_dead_gradient, check_row_sums, check_shift_invariant)
_ELEMENTWISE = (
    check_call, check_nan, check_companions,
    *map(_adapt_loss_check, RESULT_CHECKS),
    check_range, check_monotone, check_odd,
    *map(_adapt_loss_check, (check_lipschitz, check_breaks)),
    *_CLAIMS_OF_BOTH,
)  # fmt: skip
_ROWWISE = (
    check_call, check_nan, check_row_values, check_products,
    check_range, check_row_lipschitz, check_row_breaks,
    *_CLAIMS_OF_BOTH,
)  # fmt: skip
ELEMENTWISE, ROWS = ({one.name: one for one in some} for some in (_ELEMENTWISE, _ROWWISE))


def checks(activation: Activation) -> Mapping[str, Check]:
    """Return the checks of an activation, those of its claims included."""
    claims = activation.claims()
    claimed = {f"claim:{name}" for name in claims.to_dict()}
    table = ROWS if activation.takes_rows else ELEMENTWISE
    found = {
        name: one for name, one in table.items() if name in claimed or not name.startswith("claim:")
    }
    return found | check_false_claims(claims.denied_names(), table)
