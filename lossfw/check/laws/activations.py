"""Checks of activations: value, derivatives, Jacobian products, and what they claim.

A function of single numbers is checked as a loss of the residual whose target
is 0: what the harness knows of curves, it knows of activations too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from lossfw.check.claims import slopes, smoothness
from lossfw.check.core.curves import curves
from lossfw.check.core.points import rows
from lossfw.check.core.session import NotApplicable, Refuted, Search, close
from lossfw.check.core.subject import COLUMNS, Subject, of_component
from lossfw.check.laws import derivatives, values
from lossfw.components.claims import ActivationClaims
from lossfw.components.spaces import LOGITS
from lossfw.losses.kinds import DistanceLoss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import ulp_error

ActivationCheck: TypeAlias = Callable[[Activation, Search], int]

_DTYPES = ("float64", "float32")

# What functions of rows are held to, in units in the last place.
_ROW_ULPS = 16.0

# Central differences of a function of rows are right to this.
_DIFFERENCE = 1e-6


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


def _subject(activation: Activation, search: Search) -> Subject:
    """Return the activation as a subject; made once for each search."""
    if "subject" not in search.store:
        subject = of_component(_Curve(of=activation))
        claims = {
            k: v for k, v in activation.claims().made().items() if k in ("lipschitz", "breaks")
        }
        search.store["subject"] = replace(
            subject,
            name=repr(activation),
            claims=claims,
            parameters=activation.parameters,
            setup=_setup(activation),
        )
    subject = search.store["subject"]
    assert isinstance(subject, Subject)
    return subject


def _setup(activation: Activation) -> str:
    return (
        "import numpy as np\nfrom numpy import array, inf, nan\n"
        f"from {type(activation).__module__} import {type(activation).__name__}\n"
        f"f = {activation!r}\n"
        "def value(y, t): return f(y - t)\n"
        "def gradient(y, t): return f.derivative(np, y - t)\n"
        "def hessian(y, t): return f.second_derivative(np, y - t)"
    )


def _as_curve(check: Callable[[Subject, Search], int]) -> ActivationCheck:
    return lambda activation, search: check(_subject(activation, search), search)


def check_call(activation: Activation, search: Search) -> int:
    """Shape and dtype stay, the argument is not written to, equal calls agree."""
    rng = search.rng("activation call")
    shapes = [(3,), (1, 3), (0, 3), (2, 3), (2, 1, 3)] + (
        [] if activation.takes_rows else [(), (0,)]
    )
    for dtype in ("float64", "float32", "float16"):
        for shape in shapes:
            x = rng.normal(size=shape).astype(dtype)
            before = x.copy()
            result = activation(x)
            if result.shape != shape or result.dtype != dtype:
                got = f"{result.shape} and {result.dtype}"
                raise Refuted(f"for {shape} and {dtype} the result has {got}.", "f(x)", x=before)
            if not np.array_equal(x, before) or np.shares_memory(result, x):
                raise Refuted("the argument is written to, or returned.", "f(x)", x=before)
            if not np.array_equal(activation(x), result, equal_nan=True):
                raise Refuted("a second call gives another result.", "f(x)", x=before)
    return 3 * len(shapes)


def check_nan(activation: Activation, search: Search) -> int:
    """NaN stays NaN, in its own element or row."""
    for column in range(3):
        x = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -3.0]])
        x[0, column] = np.nan
        result = activation(x)
        place = np.isnan(result[0]).all() if activation.takes_rows else np.isnan(result[0, column])
        if not place or np.isnan(result[1]).any():
            raise Refuted(f"a NaN gives {result.tolist()}.", "f(x)", x=x)
    return 3


def check_range(activation: Activation, search: Search) -> int:
    """Claim: the values have this infimum and this supremum."""
    claimed = activation.claims().range
    assert claimed is not None
    low, high = claimed
    found = []
    for dtype in _DTYPES:
        x = _arguments(activation, dtype, search)
        result = np.asarray(activation(x), np.float64)
        slack = 4 * float(np.finfo(dtype).eps)
        bad = (result < low - slack * abs(low)) | (result > high + slack * abs(high))
        if bad.any():
            at = np.flatnonzero(bad.reshape(len(x), -1).any(-1))[0]
            raise Refuted(f"{result[at]} lies outside of {claimed}.", "f(x)", x=x[at : at + 1])
        found.append(result[np.isfinite(result)])
    results = np.concatenate([f.ravel() for f in found])
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
            raise Refuted(
                f"the {name} found is {reached:.9g}; {bound!r} is claimed.", "f(x)", x=x[:1]
            )
    return results.size


def _arguments(activation: Activation, dtype: str, search: Search) -> NDArray:
    huge = float(np.finfo(dtype).max) / 8
    if activation.takes_rows:
        found = _rows(activation, 3, dtype, search)
        return np.concatenate([found, [[huge, 0.0, -huge]]]).astype(dtype)
    curve = curves(_subject(activation, search), search)[0]
    fine = np.arange(-800, 801) / 100
    return np.concatenate([curve.grid(search), fine, [-huge, huge]]).astype(dtype)


def check_monotone(activation: Activation, search: Search) -> int:
    """Claim: the value does not decrease."""
    if activation.takes_rows:
        raise NotApplicable("rows have no order")
    curve = curves(_subject(activation, search), search)[0]
    x = np.unique(np.concatenate([curve.grid(search), np.arange(-800, 801) / 100]))
    result = np.asarray(activation(x))
    fall = np.diff(result) < -4 * np.spacing(np.abs(result[1:]))
    if fall.any():
        at = int(np.flatnonzero(fall)[0])
        raise Refuted(
            f"the value falls from {result[at]:.9g} to {result[at + 1]:.9g}.",
            "f(x)",
            x=x[at : at + 2],
        )
    return x.size


def check_odd(activation: Activation, search: Search) -> int:
    """Claim: f(-x) = -f(x)."""
    x = _arguments(activation, "float64", search)
    same = close(np.asarray(activation(-x)), -np.asarray(activation(x)), 8)
    if not same.all():
        at = int(np.flatnonzero(~same.reshape(len(x), -1).all(-1))[0])
        raise Refuted("f(-x) is not -f(x).", "f(x), f(-x)", x=x[at : at + 1])
    return len(x)


def check_dead_gradient(activation: Activation, search: Search) -> int:
    """Claim: the derivative is 0 wherever it exists."""
    x = _arguments(activation, "float64", search)
    alive = activation.derivative(np, x) != 0
    if alive.any():
        at = int(np.flatnonzero(alive)[0])
        raise Refuted("the derivative is not 0.", "f.derivative(np, x)", x=x[at : at + 1])
    return x.size


def _rows(activation: Activation, columns: int, dtype: str, search: Search) -> NDArray:
    shape = Subject("rows", "categorical", LOGITS, LOGITS, value=activation)
    x = rows(shape, columns, dtype, search.rng(f"rows {columns}"), search.examples).y
    return x[np.isfinite(x).all(-1)]


def check_row_values(activation: Activation, search: Search) -> int:
    """Each result of a row is right to 16 units in the last place."""
    tried = 0
    for dtype in _DTYPES:
        for columns in COLUMNS:
            x = _rows(activation, columns, dtype, search)
            got = np.asarray(activation(x))
            error = ulp_error(got, evaluate(activation.formula, x, rows=True))
            # Rounded arguments of an exponential are their distance times as inexact.
            spread = np.ptp(x.astype(np.float64), axis=-1, keepdims=True)
            bad = error > _ROW_ULPS * (1 + spread)
            tried += got.size
            if bad.any():
                at = int(np.flatnonzero(bad.any(-1))[0])
                text = f"a result is {float(error[at].max()):.3g} units in the last place off."
                raise Refuted(text, "f(x)", x=x[at : at + 1])
    return tried


def check_products(activation: Activation, search: Search) -> int:
    """Products with the Jacobian and its transpose are those of differences."""
    rng, tried = search.rng("products"), 0
    for columns in COLUMNS:
        x, v, u = rng.normal(size=(3, 20, columns))
        h = 1e-6
        step = (activation(x + h * v) - activation(x - h * v)) / (2 * h)
        forward, back = activation.jvp(np, x, v), activation.vjp(np, x, u)
        tried += len(x)
        off = np.abs(forward - step).max(-1) > _DIFFERENCE * (1 + np.abs(step).max(-1))
        # The two products are those of one matrix: u' (J v) = (J' u)' v.
        off |= np.abs((u * forward).sum(-1) - (back * v).sum(-1)) > 1e-9 * columns
        if off.any():
            at = int(np.flatnonzero(off)[0])
            raise Refuted(
                "a product with the Jacobian is not that of differences.",
                "f.jvp(np, x, v), f.vjp(np, x, u)",
                x=x[at : at + 1],
                v=v[at : at + 1],
                u=u[at : at + 1],
            )
    return tried


def check_row_sums(activation: Activation, search: Search) -> int:
    """Claim: each row of results is a distribution."""
    tried = 0
    for columns in COLUMNS:
        x = _rows(activation, columns, "float64", search)
        result = activation(x)
        bad = (result < 0).any(-1) | (np.abs(result.sum(-1) - 1) > 1e-12)
        tried += len(x)
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            raise Refuted(
                f"a row of results sums to {result[at].sum()!r}.", "f(x)", x=x[at : at + 1]
            )
    return tried


def check_shift_invariant(activation: Activation, search: Search) -> int:
    """Claim: adding one constant to a whole row changes nothing."""
    x = np.round(search.rng("shift").normal(size=(50, 4)) * 64) / 64
    here, there = activation(x), activation(x + 3.0)
    bad = np.abs(here - there).max(-1) > 1e-12
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise Refuted("the result changes under a shift.", "f(x), f(x + 3.0)", x=x[at : at + 1])
    return len(x)


_CALL: dict[str, ActivationCheck] = {"shape": check_call, "nan": check_nan}

_ELEMENTWISE: dict[str, ActivationCheck] = {
    "value": _as_curve(values.check_value),
    "precision": _as_curve(values.check_precision),
    "overflow": _as_curve(values.check_overflow),
    **{name: _as_curve(check) for name, check in derivatives.CHECKS.items()},
}

_ROWS: dict[str, ActivationCheck] = {"value": check_row_values, "gradient": check_products}

_CLAIMS: dict[str, ActivationCheck] = {
    "range": check_range,
    "monotone": check_monotone,
    "odd": check_odd,
    "lipschitz": _as_curve(slopes.check_lipschitz),
    "breaks": _as_curve(smoothness.check_breaks),
    "gradient_zero_almost_everywhere": check_dead_gradient,
    "rows_sum_to_one": check_row_sums,
    "shift_invariant": check_shift_invariant,
}

# Along a line, a function of rows is no function of one number.
_NOT_FOR_ROWS = ("lipschitz", "breaks", "monotone", "odd")


def checks(activation: Activation) -> Mapping[str, ActivationCheck]:
    """Return the checks of an activation, those of its claims included."""
    made = activation.claims().made()
    claims = {
        f"claim:{name}": check
        for name, check in _CLAIMS.items()
        if name in made and not (activation.takes_rows and name in _NOT_FOR_ROWS)
    }
    return {**_CALL, **(_ROWS if activation.takes_rows else _ELEMENTWISE), **claims}


def not_claimed(activation: Activation) -> tuple[str, ...]:
    """Return the claims that an activation does not make."""
    claims: ActivationClaims = activation.claims()
    return claims.not_made()
