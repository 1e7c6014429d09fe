"""The report of a run as text: data, network, loss, metrics, intervals and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.evaluation.intervals.sentence import interval_sentence
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Result
from lossfw.losses.base import plural_of_form
from lossfw.nn.dense import Network
from lossfw.report.text.tables import (
    class_lines,
    input_line,
    number_text,
    show_table,
    text_with_interval,
)
from lossfw.runs.files import write_stdout

# Longer lists and larger matrices are cut; the JSON holds all of them.
_SHOWN_NUMBERS = 12
_SHOWN_LINES = 20

_MATRIX_DIGITS = 6


def show_run(plan: Plan, result: Result, loading: float, maker: str = "", inputs: str = "") -> None:
    """Write the report to standard output; `maker` describes the model behind saved outputs.

    `inputs` are its inputs.
    """
    show_table(("", ""), report_lines(plan, result, loading, maker, inputs))
    headers, rows = slice_table(result)
    if rows:
        write_stdout("")
        show_table(headers, rows)


def saved_text(plan: Plan) -> str:
    """Return the description of a plan's saved outputs, with their shape."""
    shape = () if plan.outputs is None else plan.outputs.shape
    return f"saved {plural_of_form(plan.outputs_form)} of shape {shape}"


def report_lines(
    plan: Plan, result: Result, loading: float, maker: str = "", inputs: str = ""
) -> list[tuple[str, str]]:
    """Return the lines of the report, each with its label; see `show_run`."""
    numbers = result.numbers
    given = "the models" if maker else "the model"
    network = not maker and isinstance(plan.model, Network | None)
    if plan.model is not None:
        maker = str(plan.model)
    elif not maker:
        maker = f"none: {saved_text(plan)}"
    rows = [
        ("data", _data_text(plan, result)),
        *input_line(inputs or plan.data.inputs_text),
        *class_lines(plan.data.classes),
        ("network" if network else "model", maker),
        ("loss", f"{result.loss_text}, from {plural_of_form(result.form)}"),
        ("", ""),
        *measured_lines(result.loss_name, numbers.loss),
    ]
    for name, metric in numbers.metrics.items():
        rows += measured_lines(name, metric)
    if (options := numbers.intervals) is not None:
        rows += [("", ""), ("intervals", interval_sentence(options, given))]
    rows += [("", ""), ("slowest", _slowest_step({"loading": loading, **result.timings}))]
    rows += [("warning", warning) for warning in result.warnings]
    return rows


def slice_table(result: Result) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the results of slices as a table: headers and rows.

    Lists and matrices are left out; the JSON has them.
    """
    parts = result.numbers.slices or ()
    names = [n for n, value in result.metrics.items() if not isinstance(value, list | tuple)]
    rows, before = [], ""
    for part in parts:
        first = part["name"] if part["name"] != before else ""
        before = part["name"]
        numbers = [part["loss"], *(part["metrics"][name] for name in names)]
        cells = [first, part["value"], str(part["count"]), *map(_cell, numbers)]
        rows.append(tuple(cells))
    return ("slice", "", "rows", result.loss_name, *names), rows


def _cell(number: Mapping[str, Any]) -> str:
    if number["value"] is None:
        return "-"
    return text_with_interval(number["value"], number.get("interval")) + _undefined_mark(number)


def measured_lines(name: str, number: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of a loss or a metric, each with its label.

    Examples
    --------
    >>> measured_lines("accuracy", {"value": 0.95, "interval": [0.93, 0.97]})
    [('accuracy', '0.9500 [0.9300, 0.9700]')]
    >>> measured_lines("recall", {"value": [0.5, 1.0], "interval": [[0.25, 0.75], None]})
    [('recall', ''), ('  0', '0.500 [0.250, 0.750]'), ('  1', '1.0 [?]')]
    """
    value = number["value"]
    if not isinstance(value, list | tuple):
        return [(name, _number_text(number)), *_curve_lines(number.get("curve"))]
    if value and isinstance(value[0], list | tuple):
        return [(name, ""), *_matrix_lines(value)]
    if number.get("interval") is None:
        return [(name, _exact_text(value))]
    lines = [
        (f"  {place}", _number_text({"value": one, "interval": interval}))
        for place, (one, interval) in enumerate(zip(value, number["interval"], strict=True))
    ]
    return [(name, ""), *_shorten(lines)]


def _number_text(number: Mapping[str, Any]) -> str:
    """Return a number rounded as its interval says, or in full if it has none."""
    if number.get("interval") is None:
        return _exact_text(number["value"]) + _undefined_mark(number)
    return text_with_interval(number["value"], number["interval"])


def _undefined_mark(number: Mapping[str, Any]) -> str:
    """Return a mark behind a number whose interval is not defined, and why where that is known."""
    if "interval" not in number or number["interval"] is not None:
        return ""
    return f" [?] {number.get('why', '')}".rstrip()


def _exact_text(value: Any) -> str:
    """Return a number with all its digits, for comparisons. A long list is cut."""
    if value is None:
        return "none"
    if not isinstance(value, list | tuple):
        return repr(value)
    shown = ", ".join(map(_exact_text, value[:_SHOWN_NUMBERS]))
    more = f", ... ({len(value)} in all)" if len(value) > _SHOWN_NUMBERS else ""
    return f"[{shown}{more}]"


def _matrix_lines(rows: Sequence[Sequence[float | None]]) -> list[tuple[str, str]]:
    """Return a line for each row, with aligned columns."""
    cells = [
        [
            "-" if cell is None else number_text(cell, _MATRIX_DIGITS)
            for cell in row[:_SHOWN_NUMBERS]
        ]
        for row in rows
    ]
    width = max(len(cell) for row in cells for cell in row)
    more = " ..." if len(rows[0]) > _SHOWN_NUMBERS else ""
    lines = [
        (f"  {place}", " ".join(cell.rjust(width) for cell in row) + more)
        for place, row in enumerate(cells)
    ]
    return _shorten(lines)


def _curve_lines(curve: Mapping[str, Sequence[float]] | None) -> list[tuple[str, str]]:
    """Return a line for each point of a curve."""
    if not curve:
        return []
    lines = [
        ("", ", ".join(f"{name} {number_text(x)}" for name, x in zip(curve, point, strict=True)))
        for point in zip(*curve.values(), strict=True)
    ]
    return _shorten(lines)


def _shorten(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(lines) <= _SHOWN_LINES:
        return lines
    return [*lines[:_SHOWN_LINES], ("", f"... {len(lines)} in all")]


def _data_text(plan: Plan, result: Result) -> str:
    rows = _format_count(plan.count, "row")
    if plan.groups is not None:
        rows += f" in {_format_count(len(plan.groups), 'group')}"
    if plan.sample is not None:
        rows += f" drawn from {len(plan.data)}"
    weight = "" if plan.data.sample_weight is None else f", total weight {result.weight:g}"
    return f"{plan.data.name}, {rows}{weight}"


def _slowest_step(timings: Mapping[str, float]) -> str:
    stage, seconds = max(timings.items(), key=lambda item: item[1])
    whole = sum(timings.values())
    # A clock that did not move: nothing took any time.
    share = seconds / whole if whole else 1.0
    return f"{stage}, {seconds:.3f} of {whole:.3f} s ({share:.0%})"


def _format_count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
