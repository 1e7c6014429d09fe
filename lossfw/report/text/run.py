"""The report of a run as text: what was evaluated, the numbers, what to know about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Result
from lossfw.report.text.tables import show_table
from lossfw.report.text.values import measured, short_measured
from lossfw.runs.files import say


def show(plan: Plan, result: Result, loading: float) -> None:
    """Write the report to standard output.

    Parameters
    ----------
    plan : Plan
        What was evaluated.
    result : Result
        What came out.
    loading : float
        Seconds that configuration, data and weights took.
    """
    show_table(("", ""), report_rows(plan, result, loading))
    headers, rows = slice_table(result)
    if rows:
        say("")
        show_table(headers, rows)


def report_rows(plan: Plan, result: Result, loading: float) -> list[tuple[str, str]]:
    """Return the lines of the report, each with its label; see `show`."""
    found = result.numbers
    rows = [
        ("data", _data(plan, result)),
        ("network", _network(plan)),
        ("loss", f"{result.loss_text}, from {_FORMS[result.form]}"),
        ("", ""),
        *measured(result.loss_name, {"value": result.loss, **(found.loss if found else {})}),
    ]
    for name, value in result.metrics.items():
        rows += measured(name, {"value": value, **(found.metrics[name] if found else {})})
    if found and found.intervals is not None:
        rows += [("", ""), ("intervals", _intervals(found.intervals))]
    rows += [("", ""), ("slowest", _slowest({"loading": loading, **result.timings}))]
    rows += [("warning", warning) for warning in result.warnings]
    return rows


def slice_table(result: Result) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the numbers of slices as a table: its headers and its rows.

    Lists and matrices are left out; they stand in the JSON.
    """
    parts = (result.numbers.slices if result.numbers else None) or ()
    names = [n for n, value in result.metrics.items() if not isinstance(value, list | tuple)]
    rows, before = [], ""
    for part in parts:
        first = part["name"] if part["name"] != before else ""
        before = part["name"]
        numbers = [part["loss"], *(part["metrics"][name] for name in names)]
        cells = [first, part["value"], str(part["count"]), *map(short_measured, numbers)]
        rows.append(tuple(cells))
    return ("slice", "", "rows", result.loss_name, *names), rows


def _intervals(asked: Mapping[str, Any]) -> str:
    text = f"{asked['level']:.4g} by {asked['method']}"
    if "replicates" in asked:
        text += f", {asked['replicates']} replicates, seed {asked['seed']}"
    return text


_FORMS = {"prediction": "predictions", "logits": "logits"}


def _data(plan: Plan, result: Result) -> str:
    rows = _counted(len(plan.data), "row")
    if plan.sample is not None:
        rows = f"{_counted(len(plan.sample), 'row')} drawn from {len(plan.data)}"
    weight = "" if plan.data.sample_weight is None else f", total weight {result.weight:g}"
    return f"{plan.data.name}, {rows}{weight}"


def _network(plan: Plan) -> str:
    if plan.network is None:
        shape = () if plan.outputs is None else plan.outputs.shape
        return f"none: saved {_FORMS[plan.outputs_form]} of shape {shape}"
    return str(plan.network)


def _slowest(timings: Mapping[str, float]) -> str:
    stage, seconds = max(timings.items(), key=lambda item: item[1])
    whole = sum(timings.values())
    # A clock that did not move: nothing took any time.
    share = seconds / whole if whole else 1.0
    return f"{stage}, {seconds:.3f} of {whole:.3f} s ({share:.0%})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
