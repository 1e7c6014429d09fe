"""The report of a sensitivity study as text: curves, jumps and zero derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lossfw.nn.sensitivity.breakpoints import Staircase
from lossfw.nn.sensitivity.dead_parameters import ZeroDerivatives
from lossfw.nn.sensitivity.study import Sensitivity, StudyCurve
from lossfw.report.text.tables import show_table


def show(result: Sensitivity) -> None:
    """Write the report to standard output."""
    study = result.study
    ends = f"{study.offsets[0]:g} to {study.offsets[-1]:g}"
    rows = [("data", f"{study.data.name}, {len(study.data)} rows"), ("loss", str(study.loss))]
    if study.parameter is not None:
        value = study.parameter.value(study.network)
        rows.append(("parameter", f"{study.parameter} = {value!r}"))
    rows.append(("way", f"{ends} from there, {len(study.offsets)} points, in float64"))
    show_table(("", ""), rows)
    for curve in result.curves:
        show_table(("", ""), [("", ""), ("along", curve.name), *_curve(result, curve)])
    for variant, curve in result.variants.items():
        head = ("along", f"{curve.name}, with {variant} in the hidden layers")
        show_table(("", ""), [("", ""), head, *_curve(result, curve)])
    show_table(("", ""), [("", "")])
    show_table(*zero_rows(result))


def _curve(result: Sensitivity, curve: StudyCurve) -> Iterator[tuple[str, str]]:
    here = int(np.flatnonzero(result.study.offsets == 0)[0])
    loss, slope = curve.loss, curve.slope
    yield (
        result.study.loss.name,
        f"{float(loss[here])!r} here, {loss.min():.6g} to {loss.max():.6g}",
    )
    zero = int(np.count_nonzero(slope == 0))
    slopes = f"{slope[here]:.6g} here, {slope.min():.6g} to {slope.max():.6g}"
    yield "its slope", f"{slopes}, exactly 0 at {zero} of {len(slope)} points"
    for name, values in curve.metrics.items():
        yield name, f"{values[here]!r} here" + _span(values)
        if name in curve.slopes:
            yield "its slope", f"{curve.slopes[name][here]:.6g} here" + _span(curve.slopes[name])
    for name, stairs in curve.stairs.items():
        yield from _stairs(name, stairs)


def _span(values: Sequence[Any]) -> str:
    numbers = [value for value in values if isinstance(value, float)]
    return f", {min(numbers):.6g} to {max(numbers):.6g}" if numbers else ""


def _stairs(name: str, stairs: Staircase) -> Iterator[tuple[str, str]]:
    low, high = stairs.flat
    changes = f"{len(stairs.jumps)} changes of rows" if stairs.jumps else "no row changes"
    yield f"{name} jumps", f"at {stairs.places} places, {changes}; its slope is 0 everywhere else"
    wide = f"{high - low:.6g} wide, {stairs.share(low, high):.3g} of the way"
    yield f"{name} flat", f"around here from {low!r} to {high!r}, {wide}"
    yield "", _all_but(stairs)
    # The nearest jumps on both sides of the current value.
    for jump in [jump for jump in stairs.jumps if jump.at == low or jump.last == high]:
        yield "", f"{jump.at!r}: row {jump.row} goes from {jump.before:g} to {jump.after:g}"


def _all_but(stairs: Staircase) -> str:
    """Return a line about the share of the way on which the metric is constant."""
    first, last = stairs.longest
    longest = f"the longest from {first:.6g} to {last:.6g}"
    if not stairs.jumps:
        return "on all of the way"
    gaps = f"{stairs.jumping:.2g} of it, the gaps between the two floats of each jump"
    return f"on all of the way but {gaps}; in {len(stairs.pieces)} pieces, {longest}"


def zero_rows(result: Sensitivity) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of the table of derivatives that are exactly 0."""
    names = list(next(iter(result.zeros.values())).metrics)
    headers = ["hidden", "layer", "parameters", f"{result.study.loss.name}: slope 0", "input 0"]
    rows = []
    for variant, zeros in result.zeros.items():
        for layer in range(len(zeros.parameters)):
            rows.append([variant, str(layer), *_cells(zeros, layer)])
    return [*headers, *(f"{name}: slope 0" for name in names)], rows


def _cells(zeros: ZeroDerivatives, layer: int) -> list[str]:
    count = zeros.parameters[layer]
    loss = zeros.loss[layer]
    cells = [str(count), f"{loss} ({loss / count:.1%})", str(zeros.unseen[layer])]
    for name, still in zeros.metrics.items():
        moved = f"{still[layer]} of {zeros.moved[layer]} moved"
        cells.append(f"{count} (100.0%)" if zeros.steady[name] else moved)
    return cells
