"""The laws of bridges to libraries with automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lossfw.bridges.bridge import Bridge
from lossfw.check.core.search import Counterexample, NotApplicable, Search, ordinary
from lossfw.check.core.subject import of_component
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Libraries that compute in float32 by default, such as JAX.
_FLOAT32 = 1e-5


def check_values(bridge: Bridge, loss: Loss, search: Search) -> None:
    """The library gets the unreduced losses and their published slopes."""
    points = ordinary(of_component(loss), search, "bridge values", 40)
    _compare(bridge, loss, points.y, points.t, search)


def check_hard_points(bridge: Bridge, loss: Loss, search: Search) -> None:
    """At ties and kinks, where differentiation of the code goes wrong, it gets them too."""
    subject = of_component(loss)
    if subject.rows:
        ties = ordinary(subject, search, "bridge ties", 8)
        columns = ties.y.shape[-1]
        even = np.full_like(ties.y, 1.0 / columns)
        _compare(bridge, loss, even, ties.t, search)
        return
    usual = ordinary(subject, search, "bridge kinks", 8)
    for kink in subject.kinks():
        y = usual.t + kink if loss.argument == "residual" else np.full_like(usual.y, kink)
        inside = np.flatnonzero(~_outside(loss, y))
        if inside.size:
            _compare(bridge, loss, y[inside], usual.t[inside], search)


def _outside(loss: Loss, y: NDArray) -> NDArray:
    outside = loss.prediction_space.outside(y)
    return np.zeros(y.shape, bool) if outside is None else np.asarray(outside)


def _compare(bridge: Bridge, loss: Loss, y: NDArray, t: NDArray, search: Search) -> None:
    got = bridge.value_and_slope(loss, y, t)
    if got is None:
        raise NotApplicable(f"{bridge.name} shows no values and slopes")
    search.count(len(y))
    wanted = loss(y, t, reduction="none"), loss.gradient(y, t, reduction="none")
    for name, found, true in zip(("values", "slopes"), got, wanted, strict=True):
        found = np.asarray(found, np.float64)
        largest = np.abs(true[np.isfinite(true)]).max(initial=0.0)
        room = _FLOAT32 * (1.0 + largest)
        same = found.shape == true.shape
        if not (same and np.allclose(found, true, _FLOAT32, room, equal_nan=True)):
            raise Counterexample(
                f"{bridge.name} gets {name} that are not those of the loss: {found[:3]} ..., and "
                f"{true[:3]} ... were wanted.",
                "(y, t)",
                y=y,
                t=t,
            )


LAWS: dict[str, Callable[[Bridge, Loss, Search], None]] = {
    "values": check_values,
    "hard points": check_hard_points,
}
