"""The laws of bridges to libraries that differentiate, beside those of `derivatives`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lossfw.bridges.bridge import AutogradBridge
from lossfw.check.bridges import derivatives
from lossfw.check.core.search import Counterexample, Search, ordinary
from lossfw.check.core.subject import of_component
from lossfw.components.spaces import SIMPLEX
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

_POINTS = 12

# A step of differences: its square and the rounding of float64 over it are alike small.
_STEP = 1e-6
_DIFFERENCES = 1e-4

# Roundings of a result by which two ways to compute it may differ.
_ROUNDINGS = 64

_DTYPES = ("float64", "float32", "float16")


def check_differences(bridge: AutogradBridge, loss: Loss, search: Search) -> None:
    """The slopes are those of the library's own values, by differences away from kinks."""
    y, t = _points(loss, search, "differences")
    direction = search.rng("bridge direction").normal(size=y.shape)
    if loss.prediction_space is SIMPLEX:
        direction -= np.mean(direction, axis=-1, keepdims=True)
    left, here, right = (
        bridge.value_and_slope(loss, y + side * _STEP * direction, t) for side in (-1, 0, 1)
    )
    search.count(len(y))
    along = here[1] * direction
    wanted = along.sum(axis=-1) if loss.takes_rows else along
    found = (right[0] - left[0]) / (2 * _STEP)
    room = _DIFFERENCES * (1.0 + np.abs(wanted) + np.abs(here[0]))
    # Both sides have other slopes where a kink is near.
    kinked = np.abs((right[0] - 2 * here[0] + left[0]) / _STEP) > room
    bad = (np.abs(found - wanted) > room) & ~kinked
    if bad.any():
        at = int(np.argmax(bad))
        raise Counterexample(
            f"{bridge.name} gets the slope {wanted[at]:.9g} along a direction, and its values "
            f"change by {found[at]:.9g} per unit.",
            _code(bridge, loss),
            y=y[at : at + 1],
            t=t[at : at + 1],
        )


def check_compiled(bridge: AutogradBridge, loss: Loss, search: Search) -> None:
    """Compiled by the library, a loss has the same values and slopes."""
    y, t = _points(loss, search, "compiled")
    search.count(len(y))
    plain = bridge.value_and_slope(loss, y, t)
    compiled = bridge.value_and_slope(loss, y, t, compiled=True)
    for name, found, wanted in zip(("values", "slopes"), compiled, plain, strict=True):
        if not _alike(found, wanted):
            raise Counterexample(
                f"compiled by {bridge.name}, the {name} are {found[:3]} ..., and otherwise "
                f"{wanted[:3]} ...",
                _code(bridge, loss, ", compiled=True"),
                y=y,
                t=t,
            )


def check_dtypes(bridge: AutogradBridge, loss: Loss, search: Search) -> None:
    """Values and slopes have the dtype of the prediction."""
    y, t = _points(loss, search, "dtypes")
    for dtype in _DTYPES:
        search.count(len(y))
        target = t.astype(dtype) if t.dtype.kind == "f" else t
        for name, found in zip(
            ("values", "slopes"),
            bridge.value_and_slope(loss, y.astype(dtype), target),
            strict=True,
        ):
            if found.dtype != dtype:
                raise Counterexample(
                    f"{bridge.name} gets {name} of {found.dtype} for predictions of {dtype}.",
                    _code(bridge, loss),
                    y=y.astype(dtype),
                    t=target,
                )


def _points(loss: Loss, search: Search, name: str) -> tuple[NDArray, NDArray]:
    points = ordinary(of_component(loss), search, f"bridge {name}", _POINTS)
    return points.y, points.t


def _alike(found: NDArray, wanted: NDArray) -> bool:
    room = _ROUNDINGS * float(np.finfo(wanted.dtype).eps)
    size = np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)
    return found.shape == wanted.shape and bool(
        np.allclose(found, wanted, room, room * size, equal_nan=True)
    )


def _code(bridge: AutogradBridge, loss: Loss, more: str = "") -> str:
    return f"{type(bridge).__name__}().value_and_slope({loss!r}, y, t{more})"


LAWS: dict[str, Callable[..., None]] = {
    **derivatives.LAWS,
    "differences": check_differences,
    "compiled": check_compiled,
    "dtypes": check_dtypes,
}
