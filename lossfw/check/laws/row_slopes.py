"""Slopes of activations of rows: Jacobian products, the Lipschitz constant, and smoothness.

The Jacobian of a row is small, so it is looked at whole: its products with unit vectors
are its columns.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.exact import Formula
from lossfw.check.core.members import Generator
from lossfw.check.core.points import first
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import COLUMNS
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

_EPS = float(np.finfo(np.float64).eps)

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


@check("gradient")
def check_products(activation: Activation, search: Search) -> None:
    """Products with the Jacobian and its transpose are those of the formula's derivatives."""
    rng = search.rng("products")
    for columns in COLUMNS:
        x, v, u = rng.normal(size=(3, _ROWS, columns)) * rng.choice([1.0, 5.0], (3, _ROWS, 1))
        search.count(2 * _ROWS)
        exact = Formula(activation.formula, rows=True, vector=True).derivatives(1, x)[0]
        jacobian = to_float(exact)
        forward, back = activation.jvp(np, x, v), activation.vjp(np, x, u)
        terms = np.abs(jacobian) * np.abs(v)[:, None, :]
        wanted = (jacobian * v[:, None, :]).sum(-1)
        # A product cancels a constant that is common to a row.
        size = terms.sum(-1) + np.abs(forward).max(-1, keepdims=True)
        off = (np.abs(forward - wanted) > _ROUNDINGS * _EPS * size).any(-1)
        # The two products are those of one matrix: u' (J v) = (J' u)' v.
        scale = columns * (1 + np.abs(u).max(-1) * np.abs(v).max(-1))
        off |= np.abs((u * forward).sum(-1) - (back * v).sum(-1)) > _TRANSPOSED * scale
        if off.any():
            one = slice(first(off), first(off) + 1)
            raise Refuted(
                "a product with the Jacobian is not that of the formula's derivatives.",
                "f.jvp(np, x, v), f.vjp(np, x, u)",
                x=x[one],
                v=v[one],
                u=u[one],
            )


@check("claim:lipschitz")
def check_row_lipschitz(activation: Activation, search: Search) -> None:
    """Claim: K is the least Lipschitz constant, in the Euclidean norm of rows."""
    claimed = activation.claims().lipschitz
    assert claimed is not None
    best, place = 0.0, np.zeros((1, 2))
    for columns in _SEVERAL:
        rng = search.rng(f"row lipschitz {columns}")
        found, x = _steepest(activation, _candidates(columns, search, rng), rng, search)
        if found > best:
            best, place = found, x
    text = ""
    if best > claimed * (1 + _SLACK):
        text = f"results change by {best:.9g} per unit at x; {claimed!r} is claimed as the most."
    elif best < claimed * (1 - _TIGHTNESS):
        text = f"the steepest change found is {best:.9g}; {claimed!r} is not the least constant."
    if text:
        code = "np.linalg.norm(f.jvp(np, np.repeat(x, x.size, 0), np.eye(x.size)), 2)"
        raise Refuted(text, code, x=place)


@check("claim:breaks")
def check_row_breaks(activation: Activation, search: Search) -> None:
    """Claim: no derivative of a row jumps."""
    if activation.claims().breaks:
        raise NotApplicable("places of breaks are numbers, and arguments are rows")
    for columns in _SEVERAL:
        rng = search.rng(f"row breaks {columns}")
        x = _candidates(columns, search, rng)
        step = np.multiply(_SIDE, rng.normal(size=x.shape))
        left, here, right = (_jacobians(activation, x + s * step, search) for s in (-1, 0, 1))
        size = 1 + np.abs(here).max((-1, -2))
        jump = np.maximum(*(np.abs(side - here).max((-1, -2)) for side in (left, right)))
        bad = jump > _JUMP * size
        if bad.any():
            at = slice(first(bad), first(bad) + 1)
            code = "f.jvp(np, x, v), f.jvp(np, x + step, v), f.jvp(np, x - step, v)"
            raise Refuted(
                "the derivative jumps at x, and no breaks are claimed.",
                code,
                x=x[at],
                step=step[at],
                v=np.ones_like(x[at]),
            )


def _candidates(columns: int, search: Search, rng: Generator) -> NDArray:
    """Return rows at which slopes are extreme: some columns lead alike, and any rows."""
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
