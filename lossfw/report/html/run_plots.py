"""Plots of a run: its loss, the losses of its rows, reliability, slices, and a regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lossfw.components.naming import printable
from lossfw.nn.sample_curve import SampledCurve
from lossfw.numerics.arrays import NDArray
from lossfw.report.html.picture import WIDTH, Picture, page_axes, to_picture
from lossfw.report.html.row_statistics import Spread
from lossfw.report.plots.curves import draw_derivative, height_range
from lossfw.report.plots.style import INK, MUTED, PAGE, drawing, use_log_scale
from lossfw.report.text.tables import number_text, percent_text
from lossfw.runs.compare import RunNumber
from lossfw.runs.rows import RowRecords

_HEIGHT = 3.4
_BINS = 40
# A histogram spans at least this fraction of the largest loss: floats lie too close for its bins.
_LEAST_RANGE = 1e-9

# A larger ratio of largest to smallest loss has a logarithmic axis.
_WIDE = 100.0

# Beside a bar with more than this fraction of the rows the others could not be seen.
_TALL = 0.6

# The most powers of ten on that axis; smaller losses are in the first bar.
_DECADES = 9

# Area, in square points, of a dot for all rows.
_DOT = 120.0

# Inches of height for each part of a slice, and for the rest of the picture.
PART, FRAME = 0.27, 0.85

_TITLES = ("value", "derivative")

# A line to compare with.
_DOTTED: dict[str, Any] = {"color": MUTED, "linewidth": 1, "linestyle": (0, (2, 2))}

# More dots than these make a page large and show no more.
_MOST_DOTS = 2_000

# The targets of two classes, which are not measurements.
_LABELS = ({0.0, 1.0}, {-1.0, 1.0})


def draw_loss(curve: SampledCurve) -> list[Picture]:
    """Draw a loss along its line, and its derivative."""
    return [_draw_order(curve, order) for order in range(len(_TITLES))]


def _draw_order(curve: SampledCurve, order: int) -> Picture:
    title = f"{_TITLES[order]} of {curve.name}"
    with page_axes(_HEIGHT - 0.4) as axes:
        draw_derivative(axes, curve, order, PAGE.surface, {"color": PAGE.colours[order]})
        axes.set(title=_TITLES[order], xlabel=curve.line.label)
        axes.set(xlim=(curve.x[0], curve.x[-1]), ylim=height_range([curve.parts[order]]))
        known = curve.parts[order][np.isfinite(curve.parts[order])]
        shown = f"from {known.min():.3g} to {known.max():.3g}" if known.size else "never finite"
        caption = f"{title[0].upper()}{title[1:]}, {shown} in this range."
        return to_picture(axes.figure, f"loss-itself-{order}", title, caption)


def draw_spread(spread: Spread) -> list[Picture]:
    """Draw the distribution of the losses of rows, and the fraction of the worst ones."""
    pictures = [_histogram(spread)]
    if spread.worst_share is not None:
        pictures.append(_concentration(spread))
    return pictures


def _histogram_range(numbers: NDArray) -> tuple[float, float]:
    """Return the ends of a histogram; wide enough for bins between floats."""
    low, high = float(numbers.min()), float(numbers.max())
    least = _LEAST_RANGE * max(abs(low), abs(high))
    if low == high or high - low >= least:
        return low, high
    return low - least / 2, high + least / 2


def _histogram(spread: Spread) -> Picture:
    losses = spread.losses
    most, median = float(losses[-1]), dict(spread.quantiles)["median"]
    least = max(float(losses[losses > 0][0]) if most > 0 else 0.0, most * 10.0**-_DECADES)
    wide = losses[0] >= 0 and least > 0 and most / least > _WIDE
    look = {"weights": spread.weight, "color": PAGE.colours[0]}
    with page_axes(_HEIGHT) as axes:
        if wide:
            use_log_scale(axes, "x")
            bins = np.geomspace(least, most, _BINS)
            counts, *_ = axes.hist(np.maximum(losses, least), bins, **look)
        else:
            counts, *_ = axes.hist(losses, _BINS, range=_histogram_range(losses), **look)
        tall = counts.max() > _TALL * spread.weight.sum()
        if tall:
            use_log_scale(axes, "y")
            # A little below the smallest bar.
            axes.set_ylim(bottom=0.7 * counts[counts > 0].min())
        elif not spread.weighted:
            axes.locator_params(axis="y", integer=True)
        for at, dash in ((median, (0, (2, 2))), (spread.mean, "-")):
            axes.axvline(max(at, least) if wide else at, color=INK, linewidth=1.3, linestyle=dash)
        unit = f"weight of the {spread.unit}s" if spread.weighted else f"{spread.unit}s"
        axes.set(
            title=f"{spread.unit}s by their loss",
            xlabel=f"loss of a {spread.unit}" + (", logarithmic" if wide else ""),
            ylabel=unit + (", logarithmic" if tall else ""),
        )
        axes.grid(visible=False, axis="x")
        below = int(np.count_nonzero(losses < least)) if wide else 0
        caption = (
            f"{losses.size:,} {spread.unit}s{', by their weights' if spread.weighted else ''}. "
            f"Dashed: the median, {number_text(median)}; solid: the mean, "
            f"{number_text(spread.mean)}; the largest is {number_text(most)}."
        )
        if below:
            caption += f" Smaller losses in the first bar: {below:,}."
        return to_picture(axes.figure, "spread", f"Distribution of {spread.unit} losses", caption)


def _concentration(spread: Spread) -> Picture:
    weight = spread.weight[::-1]
    worst_first = spread.losses[::-1] * weight
    share = np.concatenate([[0.0], np.cumsum(worst_first) / worst_first.sum()])
    part = np.concatenate([[0.0], np.cumsum(weight) / weight.sum()])
    with page_axes(_HEIGHT) as axes:
        axes.plot(part, part, **_DOTTED)
        axes.plot(part, share, color=PAGE.colours[0], linewidth=1.9)
        of = "weight" if spread.weighted else "rows"
        axes.set(title="share of the whole loss", xlabel=f"share of the {of}, the worst first")
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        _use_percent(axes.xaxis)
        _use_percent(axes.yaxis)
        half = float(part[np.searchsorted(share, 0.5)])
        assert spread.worst_share is not None
        caption = (
            f"The worst tenth of the {of} brings {percent_text(spread.worst_share)} of the loss; "
            f"half of it comes from {percent_text(half)} of the {of}. Dotted: all rows alike."
        )
        title = "Fraction of the loss from the worst rows"
        return to_picture(axes.figure, "concentration", title, caption)


def _use_percent(axis: Any) -> None:
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def draw_reliability(curve: Mapping[str, Sequence[float]]) -> Picture:
    """Draw the accuracy of the winning class by its probability."""
    sure, right, weight = (np.array(curve[k]) for k in ("confidence", "accuracy", "weight"))
    with drawing(WIDTH, _HEIGHT + 0.6, PAGE) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot([0, 1], [0, 1], **_DOTTED)
        above.vlines(sure, sure, right, color=PAGE.colours[1], linewidth=2)
        above.plot(sure, right, "-", color=PAGE.colours[0], linewidth=1.2)
        # The area of a dot is its share of the rows; the frame cuts off none.
        area = _DOT * (0.08 + weight / weight.sum())
        above.scatter(sure, right, area, color=PAGE.colours[0], clip_on=False)
        above.set_title("share that is right")
        above.set_ylim(-0.02, 1.02)
        below.vlines(sure, 0, weight / weight.sum(), color=PAGE.colours[0], linewidth=5)
        below.set_ylim(bottom=0)
        below.set(title="share of the rows", xlabel="winning probability")
        below.set_xlim(0, 1.01)
        for axis in (above.xaxis, above.yaxis, below.yaxis):
            _use_percent(axis)
        gap = float(np.sum(weight * np.abs(sure - right)) / weight.sum())
        most = int(np.abs(sure - right).argmax())
        caption = (
            "On the dotted line a prediction is right as often as it says; a dot is as large as "
            f"its share of the rows. By that share the dots lie {percent_text(gap)} off the line; "
            f"the farthest says {percent_text(float(sure[most]))} and is right in "
            f"{percent_text(float(right[most]))} of its rows."
        )
        return to_picture(figure, "reliability-diagram", "Reliability", caption)


def draw_slice_parts(
    name: str, title: str, values: Sequence[tuple[str, RunNumber]], whole_value: float
) -> Picture:
    """Draw a number of each part of a slice with its interval, next to that of all rows."""
    known = [
        (label, n) for label, n in values if isinstance(n.value, float) and np.isfinite(n.value)
    ]
    with page_axes(FRAME + PART * max(len(known), 1)) as axes:
        draw_numbers(axes, [number for _, number in known])
        axes.axvline(whole_value, color=INK, linewidth=1, linestyle=(0, (2, 2)))
        axes.set_yticks(range(len(known)), [printable(label) for label, _ in known])
        axes.set_title(title)
        ends = sorted(known, key=lambda pair: float(pair[1].value))
        caption = f"Dashed: all rows, {number_text(whole_value)}."
        if ends:
            (low, least), (high, most) = ends[0], ends[-1]
            caption += f" Least {number_text(least.value)} ({low}), most "
            caption += f"{number_text(most.value)} ({high})."
        return to_picture(axes.figure, name, f"{title} by part", caption)


def draw_numbers(
    axes: Any, numbers: Sequence[RunNumber | None], colour: str = PAGE.colours[0]
) -> None:
    """Draw numbers one below the other, each with its interval."""
    for place, number in enumerate(numbers):
        if number is None or number.value is None:
            continue
        if number.interval:
            axes.plot(number.interval, [place, place], color=colour, linewidth=1.6)
        axes.plot(number.value, place, "o", color=colour, markersize=5)
    axes.set_ylim(len(numbers) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


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


def draw_regression(rows: RowRecords) -> list[Picture]:
    """Draw predictions against targets, and residuals; nothing if targets are not numbers."""
    pairs = _pairs(rows)
    if pairs is None:
        return []
    return [
        _plot_predicted(pairs),
        _plot_residuals_by_prediction(pairs),
        _plot_residual_histogram(pairs),
    ]


def _pairs(rows: RowRecords) -> _Pairs | None:
    predicted, actual = _as_numbers(rows.prediction), _as_numbers(rows.target)
    if predicted is None or actual is None:
        return None
    weight = np.ones(len(actual)) if rows.weight is None else rows.weight
    counts = (weight > 0) & np.isfinite(predicted) & np.isfinite(actual)
    predicted, actual, weight = predicted[counts], actual[counts], weight[counts]
    if not actual.size or any(set(np.unique(actual)) <= labels for labels in _LABELS):
        return None
    return _Pairs(predicted, actual.astype(np.float64), weight, rows.weight is not None)


def _as_numbers(array: NDArray) -> NDArray | None:
    """Return an array of one number for each row as (N,), None for any other."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    return array if array.ndim == 1 else None


def _draw_dots(axes: Any, x: NDArray, y: NDArray, colour: str) -> str:
    """Draw a dot for each row, or for some at equal distances; return how many, for a caption."""
    shown = np.arange(x.size)
    if x.size > _MOST_DOTS:
        shown = np.linspace(0, x.size - 1, _MOST_DOTS).astype(int)
    axes.plot(x[shown], y[shown], ".", color=colour, markersize=3)
    return f"{x.size:,} rows" + (f", {shown.size:,} of them drawn" if shown.size < x.size else "")


def _plot_predicted(pairs: _Pairs) -> Picture:
    with page_axes(_HEIGHT) as axes:
        low = min(pairs.actual.min(), pairs.predicted.min())
        high = max(pairs.actual.max(), pairs.predicted.max())
        axes.plot([low, high], [low, high], **_DOTTED)
        rows = _draw_dots(axes, pairs.actual, pairs.predicted, PAGE.colours[0])
        axes.set(title="predicted against actual", xlabel="target", ylabel="prediction")
        centre = np.average(pairs.actual, weights=pairs.weight)
        rest = np.average(pairs.residuals**2, weights=pairs.weight)
        spread = np.average((pairs.actual - centre) ** 2, weights=pairs.weight)
        explained = f"; r2 is {number_text(float(1 - rest / spread))}" if spread > 0 else ""
        caption = f"{rows}. On the dotted line a prediction is right{explained}."
        return to_picture(
            axes.figure, "predicted-actual", "Predicted against actual numbers", caption
        )


def _plot_residuals_by_prediction(pairs: _Pairs) -> Picture:
    with page_axes(_HEIGHT) as axes:
        axes.axhline(0, **_DOTTED)
        rows = _draw_dots(axes, pairs.predicted, pairs.residuals, PAGE.colours[1])
        axes.set(title="residuals by the prediction")
        axes.set(xlabel="prediction", ylabel="prediction less target")
        caption = (
            f"{rows}. A band of one width around 0 means that the errors do not "
            "depend on the prediction."
        )
        return to_picture(axes.figure, "residuals-prediction", "Residuals", caption)


def _plot_residual_histogram(pairs: _Pairs) -> Picture:
    with page_axes(_HEIGHT) as axes:
        residuals = pairs.residuals
        look = {"weights": pairs.weight, "color": PAGE.colours[1]}
        axes.hist(residuals, _BINS, range=_histogram_range(residuals), **look)
        mean = float(np.average(residuals, weights=pairs.weight))
        axes.axvline(mean, color=INK, linewidth=1.3)
        rows = "weight of the rows" if pairs.weighted else "rows"
        axes.set(title="residuals", xlabel="prediction less target", ylabel=rows)
        spread = float(np.sqrt(np.average((residuals - mean) ** 2, weights=pairs.weight)))
        caption = (
            f"Solid: the mean, {number_text(mean)}; above 0 predictions are too large on average. "
            f"The standard deviation is {number_text(spread)}."
        )
        return to_picture(axes.figure, "residuals", "Distribution of residuals", caption)
