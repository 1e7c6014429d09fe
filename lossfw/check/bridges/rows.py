"""Rows for the checks of bridges: raw predictions and targets that a library keeps as they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.bridges.raw_form import raw_form
from lossfw.check.core.search import Search, ordinary
from lossfw.check.core.subject import of_component
from lossfw.components.spaces import BINARY, SIGN, UNIT
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# So many rows: two leaves of an odd and an even number, and more than a block of SIMD.
COUNT = 47
# Libraries keep labels and derivatives in float32, and add up some hundred of them.
FLOAT32 = 2e-6


class LibraryRows(NamedTuple):
    """Rows as a library has them.

    Attributes
    ----------
    form : Loss
        The loss of raw predictions.
    y : ndarray
        Raw predictions, (N,) or (N, K).
    t : ndarray
        Targets or labels, (N,), in growing order.
    w : ndarray
        Whole weights from 1 to 3.
    """

    form: Loss
    y: NDArray
    t: NDArray
    w: NDArray

    @property
    def classes(self) -> int | None:
        """The number of columns; None for single numbers."""
        return self.y.shape[1] if self.y.ndim == 2 else None

    @property
    def feature(self) -> NDArray:
        """A feature that tells the larger half of the targets from the others, (N, 1)."""
        upper = np.arange(len(self.t)) >= len(self.t) // 2
        return upper[:, None].astype(np.float32)

    def slopes(self, y: NDArray, weight: NDArray | None = None) -> NDArray:
        """Return the published slopes."""
        found: NDArray = self.form.gradient(y, self.t, sample_weight=weight, reduction="none")
        return found


def library_rows(loss: Loss, search: Search, name: str) -> LibraryRows:
    """Return ordinary rows of a loss, in numbers that float32 has."""
    form, rng = raw_form(loss), search.rng(f"bridge {name}")
    if form.takes_rows:
        columns = form.fixed_classes or 3
        y = rng.normal(scale=2.0, size=(COUNT, columns))
        # Every class is there.
        t = np.sort(np.concatenate([np.arange(columns), rng.integers(0, columns, COUNT - columns)]))
    else:
        y, t = _of_elements(form, search, name)
    w = rng.integers(1, 4, len(t)).astype(np.float64)
    return LibraryRows(form, y.astype(np.float32).astype(np.float64), t, w)


def _of_elements(form: Loss, search: Search, name: str) -> tuple[NDArray, NDArray]:
    rng = search.rng(f"bridge {name}")
    drawn = ordinary(of_component(form), search, f"bridge {name}", COUNT)
    some = rng.integers(0, len(drawn.t), COUNT)
    t = np.sort(np.asarray(drawn.t[some], np.float32).astype(np.float64))
    if form.target_space in (SIGN, UNIT, BINARY):
        # Labels, which is what libraries take, and both of them.
        low = -1.0 if form.target_space is SIGN else 0.0
        t = np.where(t > 0.5, 1.0, low)
        t[0], t[-1] = low, 1.0
    return np.asarray(drawn.y[rng.permutation(some)], np.float64), t


def same(found: NDArray, wanted: NDArray, tolerance: float = FLOAT32) -> bool:
    """Tell whether numbers are equal up to float32's rounding, relative to the largest."""
    if found.shape != wanted.shape:
        return False
    size = np.abs(wanted).max() if wanted.size else 0.0
    return bool((np.abs(found - wanted) <= tolerance * (np.abs(wanted) + size)).all())
