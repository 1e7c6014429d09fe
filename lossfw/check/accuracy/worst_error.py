"""The worst error of some results, in units in the last place, with the point where it shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossfw.check.core.oracle import Oracle
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True)
class Worst:
    """The worst result of one order, over all points.

    Attributes
    ----------
    order : int
        0 for the value, 1 and 2 for its derivatives.
    points : int
        How many results were judged.
    unjudged : int
        How many were not: the formula has no value there, or a kink.
    ulps : float
        The error, in units in the last place.
    at : dict of str to list or float, or None
        The arguments; None where nothing was judged.
    computed : float
        The result.
    truth : str
        The exact result.
    of_terms : bool
        Whether the unit is that of the largest term.
    """

    order: int
    points: int = 0
    unjudged: int = 0
    ulps: float = 0.0
    at: dict[str, Any] | None = None
    computed: float = 0.0
    truth: str = ""
    of_terms: bool = False

    def merge(self, other: Worst) -> Worst:
        """Return the worse of two, with the points of both."""
        better = other.at is None or (self.at is not None and self.ulps >= other.ulps)
        return replace(
            self if better else other,
            points=self.points + other.points,
            unjudged=self.unjudged + other.unjudged,
            of_terms=self.of_terms or other.of_terms,
        )


def worst(
    truth: Oracle, computed: NDArray, *, subnormal: bool = True, which: NDArray | None = None
) -> Worst:
    """Return the worst of some results.

    Parameters
    ----------
    truth : Oracle
    computed : ndarray
        Results in the shape of the truth.
    subnormal : bool
        False leaves out subnormal numbers, among arguments and results:
        some libraries take them for 0.
    which : ndarray of bool, optional
        Elements or rows to judge; all unless given.
    """
    flat = np.ascontiguousarray(computed).ravel()
    considered = np.ones(flat.shape, bool) if subnormal else ~truth.subnormal(flat.dtype)
    if which is not None:
        considered &= np.repeat(which, flat.size // max(1, which.size))
    errors = truth.worst_errors(flat, considered)
    judged = considered & ~np.isnan(errors)
    none = Worst(
        truth.order,
        points=int(judged.sum()),
        unjudged=int((considered & ~judged).sum()),
        of_terms=truth.unit is not None,
    )
    if not none.points:
        return none
    at = int(np.argmax(np.where(judged, errors, -1.0)))
    return replace(
        none,
        ulps=float(errors[at]),
        at=_arguments(truth, at),
        computed=float(flat[at]),
        truth=repr(truth.nearest(at)),
    )


def _arguments(truth: Oracle, flat: int) -> dict[str, Any]:
    """Return the arguments of one result, as numbers and lists."""
    row, *rest = np.unravel_index(flat, truth.shape)
    names = ("y", "t") if len(truth.arrays) == 2 else ("x",)
    found: dict[str, Any] = {
        name: x[row].tolist() for name, x in zip(names, truth.arrays, strict=True)
    }
    if rest:
        found["entry"] = [int(i) for i in rest] if len(rest) > 1 else int(rest[0])
    return found
