"""Sample a loss or an activation along a line, with its derivatives and kinks.

A function of rows is sampled along a line through rows of two numbers, described by the axis label;
a loss of columns or groups along a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lossfw.components.spaces import REAL, SIMPLEX, UNIT, Interval, Space
from lossfw.errors import ArgumentError, LossfwError
from lossfw.losses.loss import Loss
from lossfw.losses.loss_slice import slice_of
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# Points of a line: one for each pixel of a large picture.
_POINTS = 1201

# An unbounded line runs from -_REACH to _REACH, and to this factor beyond the farthest
# landmark; a landmark beyond _FAR is ignored.
_REACH, _PAST_LANDMARKS, _FAR = 3.0, 1.5, 50.0

_LABELS = {
    "prediction": "prediction y",
    "logits": "logit z",
    "logs": "log z",
    "raw outputs": "raw output z",
}
# Losses of logits change on a longer way.
_REACH_OF_LOGITS = 6.0

# A line keeps this fraction of its length from the ends of a space: many losses are infinite there.
_INSIDE = 0.002


@dataclass(frozen=True)
class CurveLine:
    """The line of a curve."""

    # The label of the axis. Curves with the same label share a picture.
    label: str
    # Its ends by default.
    low: float
    high: float
    # From numbers along the line to the arguments: (y, t), or (x,).
    arguments_at: Callable[[NDArray], tuple[NDArray, ...]]
    # Whether it leads through rows; derivatives are then by the first column.
    rows: bool = False


@dataclass(frozen=True)
class SampledCurve:
    """A component, sampled along a line."""

    # With the parameters that differ from their defaults.
    name: str
    line: CurveLine
    # Numbers along the line, in order; each break between its two neighbours.
    x: NDArray
    # Value, first and second derivative; an activation of rows has no second derivative.
    parts: tuple[NDArray, ...]
    # Places where the first and the second derivative jump.
    breaks: tuple[float, ...]
    second_breaks: tuple[float, ...]


def curves(
    components: Sequence[Loss | Activation],
    *,
    span: tuple[float, float] | None = None,
    target: float = 1.0,
) -> list[SampledCurve]:
    """Return components along their lines, all with the ends of the longest line; see `curve`."""
    lines = [line_of(one, target) for one in components]
    longest = (min(line.low for line in lines), max(line.high for line in lines))
    return [curve(one, span=span or longest, target=target) for one in components]


def curve(
    component: Loss | Activation,
    *,
    span: tuple[float, float] | None = None,
    target: float = 1.0,
) -> SampledCurve:
    """Return a component along its line, between the ends of `span`.

    The target is for losses that are not functions of the residual or margin.
    """
    breaks, second_breaks = _breaks(component)
    line = line_of(component, target)
    low, high = span or (line.low, line.high)
    if not low < high:
        raise ArgumentError(f"the line goes from {low:g} to {high:g}; expected a larger end.")
    breaks, second_breaks = (
        tuple(b for b in places if low < b < high) for places in (breaks, second_breaks)
    )
    near = [np.nextafter(b, to) for b in (*breaks, *second_breaks) for to in (-np.inf, b, np.inf)]
    x = np.unique(np.concatenate([np.linspace(low, high, _POINTS), near]))
    try:
        parts = _value_and_derivatives(component, line.arguments_at(x))
    except LossfwError as error:
        raise ArgumentError(
            f"{component.name} cannot be drawn from {low:g} to {high:g}: {error}"
        ) from None
    return SampledCurve(_display_name(component), line, x, parts, breaks, second_breaks)


def _display_name(component: Loss | Activation) -> str:
    changed = {k: v for k, v in component.to_config().items() if k != "name"}
    inner = ", ".join(f"{key}={value}" for key, value in changed.items())
    return f"{component.name}({inner})" if inner else component.name


def _breaks(component: Loss | Activation) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the claimed jumps of the derivatives; of rows they are not known."""
    claims = component.claims().to_dict()
    if component.takes_rows:
        return (), ()
    return tuple(claims.get("breaks", ())), tuple(claims.get("second_breaks", ()))


def line_of(component: Loss | Activation, target: float = 1.0) -> CurveLine:
    """Return the line along which a component is drawn."""
    # Landmarks are kinks, and scales among the parameters.
    breaks, second_breaks = _breaks(component)
    scales = (value for value in component.parameters.values() if isinstance(value, float))
    marks = (abs(mark) for mark in (*breaks, *second_breaks, *scales))
    reach = max([_REACH, *(_PAST_LANDMARKS * mark for mark in marks if mark <= _FAR)])
    if isinstance(component, Activation):
        if not component.takes_rows:
            return CurveLine("argument x", -max(reach, 4.0), max(reach, 4.0), lambda x: (x,))
        return CurveLine(
            "first argument, the second being 0", -6.0, 6.0, lambda x: (_rows_of_two(x, 0.0),), True
        )
    if component.has_columns or component.takes_groups:
        # The first number of a prediction moves.
        piece = slice_of(component, target)
        rows = component.takes_rows or component.takes_groups
        return CurveLine(piece.label, *_line_bounds(piece.moved, False), piece.arguments_at, rows)
    if component.takes_rows:
        return _line_of_rows(component)
    argument = component._argument
    if argument == "residual":
        return CurveLine("residual r = y - t", -reach, reach, lambda x: (x, np.zeros_like(x)))
    if argument == "margin":
        return CurveLine("margin m = t y", -reach, reach, lambda x: (x, np.ones_like(x)))
    low, high = _line_bounds(component.prediction_space, component._takes_raw_outputs)
    label = _LABELS[component._input_form]
    return CurveLine(
        f"{label}, target {target:g}", low, high, lambda x: (x, np.full_like(x, target))
    )


def _line_bounds(space: Space, logits: bool) -> tuple[float, float]:
    reach = _REACH_OF_LOGITS if logits else _REACH
    if not isinstance(space, Interval):
        return -reach, reach
    low = -reach if space.low == -np.inf else space.low
    high = reach if space.high == np.inf else space.high
    inset = _INSIDE * (high - low)
    return (
        low if space.low == -np.inf else low + inset,
        high if space.high == np.inf else high - inset,
    )


def _line_of_rows(loss: Loss) -> CurveLine:
    """Return a line through rows of two, for a loss of rows."""
    if loss.prediction_space in (SIMPLEX, UNIT):
        label = "probability of the target's class, of two"
        return CurveLine(
            label,
            _INSIDE,
            1 - _INSIDE,
            lambda x: (np.stack([x, 1 - x], -1), _rows_of_two(np.ones_like(x), 0.0)),
            True,
        )
    if loss.target_space is REAL:
        label = "x, for the prediction [x, 1] and the target [0, 1]"
        return CurveLine(
            label,
            -_REACH,
            _REACH,
            lambda x: (_rows_of_two(x, 1.0), _rows_of_two(np.zeros_like(x), 1.0)),
            True,
        )
    label = "score of the target's class, of two, minus the score of the other class"
    far = _REACH_OF_LOGITS
    return CurveLine(
        label, -far, far, lambda x: (_rows_of_two(x, 0.0), np.zeros(x.shape, int)), True
    )


def _rows_of_two(x: NDArray, second: float) -> NDArray:
    return np.stack([x, np.full_like(x, second)], axis=-1)


def _value_and_derivatives(
    component: Loss | Activation, arrays: tuple[NDArray, ...]
) -> tuple[NDArray, ...]:
    """Return value and derivatives, of rows by the first column."""
    with np.errstate(all="ignore"):
        if isinstance(component, Loss):
            functions = (component, component.gradient, component.hessian)
            if component._sums_rows:  # drawn over rows of one number
                arrays = tuple(array[:, np.newaxis] for array in arrays)
            parts = [np.asarray(f(*arrays, reduction="none")) for f in functions]
            return tuple(part.reshape(len(part), -1)[:, 0] for part in parts)
        (x,) = arrays
        if component.takes_rows:
            return component(x)[:, 0], component.derivative(np, x)[:, 0, 0]
        return component(x), component.derivative(np, x), component.second_derivative(np, x)
