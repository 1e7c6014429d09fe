"""Plots of a regression: predicted against actual numbers, and residuals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.report.html.inline_svg import WIDTH, inline
from lossfw.report.html.sensitivity_plots import Picture
from lossfw.report.plots.style import INK, MUTED, PAGE, drawing
from lossfw.report.text.rounding import as_number
from lossfw.runs.compare.rows import KeptRows

_HEIGHT = 3.4
_BINS = 40
# More dots than these make a page large and show no more.
_MOST_DOTS = 2_000
# The targets of two classes, which are no measurements.
_LABELS = ({0.0, 1.0}, {-1.0, 1.0})


class _Pairs(NamedTuple):
    """Predicted and actual numbers of the rows that count, and their weights."""

    predicted: NDArray
    actual: NDArray
    weight: NDArray
    weighted: bool

    @property
    def residuals(self) -> NDArray:
        """Prediction less target."""
        return self.predicted - self.actual


def of_regression(rows: KeptRows) -> list[Picture]:
    """Draw predictions against targets, and residuals; nothing where targets are no numbers."""
    pairs = _pairs(rows)
    if pairs is None:
        return []
    return [_predicted(pairs), _over_predictions(pairs), _residuals(pairs)]


def _pairs(rows: KeptRows) -> _Pairs | None:
    predicted, actual = _column(rows.prediction), _column(rows.target)
    if predicted is None or actual is None:
        return None
    weight = np.ones(len(actual)) if rows.weight is None else rows.weight
    counts = (weight > 0) & np.isfinite(predicted) & np.isfinite(actual)
    predicted, actual, weight = predicted[counts], actual[counts], weight[counts]
    if not actual.size or any(set(np.unique(actual)) <= labels for labels in _LABELS):
        return None
    return _Pairs(predicted, actual.astype(np.float64), weight, rows.weight is not None)


def _column(array: NDArray) -> NDArray | None:
    """Return an array of one number for each row as (N,), None for any other."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    return array if array.ndim == 1 else None


def _dots(pairs: _Pairs) -> NDArray:
    """Return the rows that are drawn: all, or some at equal distances."""
    if pairs.actual.size <= _MOST_DOTS:
        return np.arange(pairs.actual.size)
    return np.linspace(0, pairs.actual.size - 1, _MOST_DOTS).astype(int)


def _told(pairs: _Pairs, shown: NDArray) -> str:
    some = "" if shown.size == pairs.actual.size else f", {shown.size:,} of them drawn"
    return f"{pairs.actual.size:,} rows{some}"


def _predicted(pairs: _Pairs) -> Picture:
    shown = _dots(pairs)
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        axes = figure.subplots()
        low = min(pairs.actual.min(), pairs.predicted.min())
        high = max(pairs.actual.max(), pairs.predicted.max())
        axes.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
        axes.plot(
            pairs.actual[shown], pairs.predicted[shown], ".", color=PAGE.colours[0], markersize=3
        )
        axes.set_title("predicted against actual")
        axes.set_xlabel("target")
        axes.set_ylabel("prediction")
        centre = np.average(pairs.actual, weights=pairs.weight)
        rest = np.average(pairs.residuals**2, weights=pairs.weight)
        spread = np.average((pairs.actual - centre) ** 2, weights=pairs.weight)
        explained = f"; r2 is {as_number(float(1 - rest / spread))}" if spread > 0 else ""
        caption = f"{_told(pairs, shown)}. On the dotted line a prediction is right{explained}."
        title = "Predicted against actual numbers"
        return Picture(inline(figure, "predicted-actual", title, caption), caption)


def _over_predictions(pairs: _Pairs) -> Picture:
    shown = _dots(pairs)
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        axes = figure.subplots()
        axes.axhline(0, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
        axes.plot(
            pairs.predicted[shown], pairs.residuals[shown], ".", color=PAGE.colours[1], markersize=3
        )
        axes.set_title("residuals by the prediction")
        axes.set_xlabel("prediction")
        axes.set_ylabel("prediction less target")
        caption = (
            f"{_told(pairs, shown)}. A band of one width around 0 means that the errors do not "
            "depend on the prediction."
        )
        return Picture(inline(figure, "residuals-prediction", "Residuals", caption), caption)


def _residuals(pairs: _Pairs) -> Picture:
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        axes = figure.subplots()
        residuals = pairs.residuals
        low, high = float(residuals.min()), float(residuals.max())
        # Between neighbouring floats there is no room for bins.
        room = max(high - low, 1e-9 * max(abs(low), abs(high), 1e-300))
        ends = ((low + high - room) / 2, (low + high + room) / 2)
        axes.hist(residuals, _BINS, range=ends, weights=pairs.weight, color=PAGE.colours[1])
        mean = float(np.average(residuals, weights=pairs.weight))
        axes.axvline(mean, color=INK, linewidth=1.3)
        axes.set_title("residuals")
        axes.set_xlabel("prediction less target")
        axes.set_ylabel("weight of the rows" if pairs.weighted else "rows")
        spread = float(np.sqrt(np.average((residuals - mean) ** 2, weights=pairs.weight)))
        caption = (
            f"Solid: the mean, {as_number(mean)}; above 0 predictions are too large on average. "
            f"The standard deviation is {as_number(spread)}."
        )
        title = "Distribution of residuals"
        return Picture(inline(figure, "residuals", title, caption), caption)
