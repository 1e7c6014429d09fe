"""A loss in a notebook: its parameters, its curve and its claims."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from lossfw.components import notebook
from lossfw.components.spaces import CLASS_INDEX, SIGN, SIMPLEX, Interval
from lossfw.errors import LossfwError
from lossfw.losses.loss_slice import slice_of
from lossfw.numerics.arrays import NDArray

_POINTS = 121
# `lossfw.Loss`, which imports this module.
_Loss: TypeAlias = Any

# The piece of the real axis that is drawn.
_FAR = 4.0
# Beside an end that is not in the space.
_BESIDE = 1e-3


def loss_html(loss: _Loss) -> str:
    """Return HTML with the loss, its curve and derivative, and its claims."""
    claims = [(name, _claim_text(value)) for name, value in loss.claims().to_dict().items()]
    parts = [
        notebook.html_heading(str(loss)),
        _curve(loss),
        notebook.html_table(claims, ("claim", "")),
    ]
    return "".join(parts)


def _claim_text(value: Any) -> str:
    if value is True:
        return "yes"
    return notebook.format_number(value) if isinstance(value, float) else str(value)


def _curve(loss: _Loss) -> str:
    """Return the picture of a loss along one line, empty where it has no such line."""
    try:
        x, y, t, label = _line(loss)
        value = loss(y, t, reduction="none")
        derivative = loss.gradient(y, t, reduction="none")
    except LossfwError:
        return ""
    derivative = derivative.reshape(_POINTS, -1)[:, 0]
    return notebook.svg_lines(
        x.tolist(), {"value": _to_list(value), "derivative": _to_list(derivative)}, label
    )


def _to_list(array: NDArray) -> list[float]:
    numbers: list[float] = np.asarray(array, float).reshape(-1).tolist()
    return numbers


def _line(loss: _Loss) -> tuple[NDArray, NDArray, NDArray, str]:
    """Return the axis, predictions, targets and the axis's name."""
    if loss.has_columns or loss.takes_groups:
        piece = slice_of(loss)
        x = np.linspace(*_end_points(piece.moved), _POINTS)
        return x, *piece.arguments_at(x), piece.label
    if loss.takes_rows:
        return _line_of_rows(loss)
    low, high = _end_points(loss.prediction_space)
    x = np.linspace(low, high, _POINTS)
    if loss._argument == "residual":
        return x, x, np.zeros_like(x), "prediction less target"
    target = 1.0 if loss.target_space is SIGN or loss._argument == "margin" else _target(loss)
    label = "margin" if loss._argument == "margin" else f"prediction, at the target {target:g}"
    return x, x, np.full_like(x, target), label


def _line_of_rows(loss: _Loss) -> tuple[NDArray, NDArray, NDArray, str]:
    classes = loss.fixed_classes or max(2, loss.least_classes)
    if loss.target_space not in (CLASS_INDEX, SIMPLEX):
        raise LossfwError("a loss of rows of numbers has no line of its own")
    target = np.zeros(_POINTS, np.int64)
    if loss.prediction_space is SIMPLEX:
        x = np.linspace(_BESIDE, 1 - _BESIDE, _POINTS)
        rest = np.repeat(((1 - x) / (classes - 1))[:, np.newaxis], classes - 1, axis=1)
        return x, np.column_stack([x, rest]), target, "probability of the target"
    x = np.linspace(-_FAR, _FAR, _POINTS)
    rest = np.zeros((_POINTS, classes - 1))
    return x, np.column_stack([x, rest]), target, "logit of the target, the others 0"


def _end_points(space: Any) -> tuple[float, float]:
    if not isinstance(space, Interval):
        return -_FAR, _FAR
    low, high = max(space.low, -_FAR), min(space.high, _FAR)
    # An end that is left out, and one at which a logarithm is infinite.
    return (low + _BESIDE if space.low > -_FAR else low), (
        high - _BESIDE if space.high < _FAR else high
    )


def _target(loss: _Loss) -> float:
    """Return a target in the space of the loss: 1 is in most of them, else 0."""
    space = loss.target_space
    inside = [t for t in (1.0, 0.0) if space.outside_or_none(np.array([t])) is None]
    return inside[0] if inside else 1.0
