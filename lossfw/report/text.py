"""The report of a run as text: what was evaluated, the numbers, what to know about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossfw.evaluate import Plan, Result
from lossfw.report.table import show_table

# Longer lists of numbers are cut: the whole stands in the JSON.
_SHOWN_NUMBERS = 12


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


def report_rows(plan: Plan, result: Result, loading: float) -> list[tuple[str, str]]:
    """Return the lines of the report, each with its label; see `show`."""
    rows = [
        ("data", _data(plan, result)),
        ("network", _network(plan)),
        ("loss", f"{result.loss_text}, from {_FORMS[result.form]}"),
        ("", ""),
        (result.loss_name, _number(result.loss)),
    ]
    rows += [(name, _number(value)) for name, value in result.metrics.items()]
    rows += [("", ""), ("slowest", _slowest({"loading": loading, **result.timings}))]
    rows += [("warning", warning) for warning in result.warnings]
    return rows


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
    layers = plan.network.layers
    widths = "-".join(map(str, [plan.network.width, *(len(layer.bias) for layer in layers)]))
    activations = ", ".join(layer.activation.name for layer in layers)
    return f"{widths}, {activations}, {plan.network.dtype}"


def _slowest(timings: Mapping[str, float]) -> str:
    stage, seconds = max(timings.items(), key=lambda item: item[1])
    whole = sum(timings.values())
    # A clock that did not move: nothing took any time.
    share = seconds / whole if whole else 1.0
    return f"{stage}, {seconds:.3f} of {whole:.3f} s ({share:.0%})"


def _number(value: Any) -> str:
    """Return a number with all its digits: they are what is compared."""
    if not isinstance(value, list | tuple):
        return repr(value)
    shown = ", ".join(map(_number, value[:_SHOWN_NUMBERS]))
    more = f", ... ({len(value)} in all)" if len(value) > _SHOWN_NUMBERS else ""
    return f"[{shown}{more}]"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
