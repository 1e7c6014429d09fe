"""The tables of a sensitivity study: values along the line, and derivatives that are exactly 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

StudyTable = tuple[list[str], list[list[str]]]


def study_tables(found: Mapping[str, Any], facts: Mapping[str, str]) -> Iterator[StudyTable]:
    """Yield headers and rows of each table; `facts` describe the study."""
    ways, rows = found["ways"], [[name, text] for name, text in facts.items()]
    if found["value"] is not None:
        rows.append(["parameter", f"{found['along']} = {found['value']!r}"])
    way = f"{ways[0]:g} to {ways[-1]:g} from there, {len(ways)} points, in float64"
    yield ["", ""], [*rows, ["way", way]]
    for number, (variant, curve) in enumerate(found["curves"].items()):
        along = (
            f"{found['along']}, with {variant} in the hidden layers" if number else found["along"]
        )
        yield ["", ""], [["", ""], ["along", along], *map(list, _table_along(found, curve))]
    yield ["", ""], [["", ""]]
    # Between its jumps the derivative of a staircase is 0, along any parameter.
    names = list(next(iter(found["curves"].values()))["stairs"])
    headers = ["hidden", "layer", "parameters", f"{found['loss']['name']}: derivative 0", "input 0"]
    rows = []
    for variant, zeros in found["zeros"].items():
        layers = zip(zeros["parameters"], zeros["loss"], zeros["unseen"], strict=True)
        for layer, (count, zero, unseen) in enumerate(layers):
            cells = [variant, layer, count, f"{zero} ({zero / count:.1%})", unseen]
            rows.append([*map(str, cells), *[f"{count} (100.0%)"] * len(names)])
    yield [*headers, *(f"{name}: derivative 0" for name in names)], rows


def _table_along(found: Mapping[str, Any], curve: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    here = found["ways"].index(0.0)
    loss, derivative = curve["loss"], curve["derivative"]
    yield found["loss"]["name"], f"{loss[here]!r} here, {min(loss):.6g} to {max(loss):.6g}"
    zero = f"exactly 0 at {derivative.count(0.0)} of {len(derivative)} points"
    yield (
        "its derivative",
        f"{derivative[here]:.6g} here, {min(derivative):.6g} to {max(derivative):.6g}, {zero}",
    )
    for name, values in curve["metrics"].items():
        numbers = [value for value in values if isinstance(value, float)]
        span = f", {min(numbers):.6g} to {max(numbers):.6g}" if numbers else ""
        yield name, f"{values[here]!r} here{span}"
    for name, stairs in curve["stairs"].items():
        yield from _jumps(name, stairs, found["ways"])


def _jumps(name: str, stairs: Mapping[str, Any], ways: list[float]) -> Iterator[tuple[str, str]]:
    (low, high), jumps, length = stairs["flat"], stairs["jumps"], ways[-1] - ways[0]
    places = {jump["at"]: jump["last"] for jump in jumps}
    changes = f"{len(jumps)} changes of rows" if jumps else "no row changes"
    yield (
        f"{name} jumps",
        f"at {len(places)} places, {changes}; its derivative is 0 everywhere else",
    )
    wide = f"{high - low:.6g} wide, {(high - low) / length:.3g} of the way"
    yield f"{name} flat", f"around here from {low!r} to {high!r}, {wide}"
    pieces = list(zip([ways[0], *places], [*places.values(), ways[-1]], strict=True))
    first, last = max(pieces, key=lambda piece: piece[1] - piece[0])
    gaps = sum(at - before for at, before in places.items()) / length
    but = f" but {gaps:.2g} of it, the gaps between the two floats of each jump" if jumps else ""
    longest = f"in {len(pieces)} pieces, the longest from {first:.6g} to {last:.6g}"
    yield "", f"on all of the way{but}; {longest}"
    for jump in jumps:
        if jump["at"] == low or jump["last"] == high:  # the nearest on both sides
            change = f"goes from {jump['before']:g} to {jump['after']:g}"
            yield "", f"{jump['at']!r}: row {jump['row']} {change}"
