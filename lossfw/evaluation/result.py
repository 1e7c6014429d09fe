"""Result: the result of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lossfw.components import notebook
from lossfw.evaluation.intervals.unit_tables import UnitTables
from lossfw.losses.base import Form

# Version of the JSON object that `Result.to_dict` gives.
RESULT_VERSION = 1


@dataclass(frozen=True)
class Numbers:
    """Loss and metrics of some rows, with their intervals, curves and slices.

    Attributes
    ----------
    loss : mapping
        ``value``, and ``interval`` if requested.
    metrics : mapping of str to mapping
        By name: ``value``, and ``interval`` and ``curve`` if there is one. For a list of values the
        interval is a list of pairs.
    masked : int
        Number of losses that a mask leaves out.
    slices : tuple of mapping
        One per part of the rows: ``name``, ``by``, ``value``, ``count``, ``weight``, ``loss`` and
        ``metrics``; None if none were requested. A part without rows that count has None for
        numbers.
    intervals : mapping or None
        How the intervals were computed; None if none were requested.
    """

    loss: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    masked: int = 0
    slices: tuple[Mapping[str, Any], ...] | None = None
    intervals: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """The result of an evaluation.

    Attributes
    ----------
    count : int
        Rows.
    weight : float
        Their total sample weight.
    loss_name, loss_text : str
        Canonical name of the loss; the loss with its parameters.
    form : str
        ``"prediction"``, or a word for raw outputs such as ``"logits"``: the argument of the loss.
    numbers : Numbers
        Loss and metrics with their intervals, curves and slices.
    sample : tuple of int or None
        Numbers of the sampled rows.
    digest : str
        The digest of the plan.
    warnings : tuple of str
        Warnings for the reader of the report.
    timings : mapping of str to float
        Seconds by stage.
    classes : tuple of str
        The label of each class; empty if the classes have no labels.
    groups : int or None
        The number of groups, if the loss or a metric takes groups.
    units : UnitTables or None
        The sums by unit of all results, if there are intervals; not in `to_dict`.
    """

    count: int
    weight: float
    loss_name: str
    loss_text: str
    form: Form
    numbers: Numbers
    sample: tuple[int, ...] | None = None
    digest: str = ""
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    groups: int | None = None
    units: UnitTables | None = None

    @property
    def loss(self) -> float:
        """The mean loss."""
        value: float = self.numbers.loss["value"]
        return value

    @property
    def metrics(self) -> dict[str, Any]:
        """The value of each metric by name, a number or a list."""
        return {name: metric["value"] for name, metric in self.numbers.metrics.items()}

    def __repr__(self) -> str:
        found = {self.loss_name: self.numbers.loss, **self.numbers.metrics}
        numbers = [f"{name} {_format_number(value)}" for name, value in found.items()]
        warned = [f"warnings: {len(self.warnings)}"] if self.warnings else []
        return f"Result({', '.join([self.loss_text, f'{self.count} rows', *numbers, *warned])})"

    def _repr_html_(self) -> str:
        """Return the result for a notebook: its numbers, slices and warnings."""
        found = {self.loss_name: self.numbers.loss, **self.numbers.metrics}
        rows = [(name, _format_number(value)) for name, value in found.items()]
        parts = [
            notebook.html_heading(f"{self.loss_text}, from {self.form}: {self.count} rows"),
            notebook.html_table(rows),
        ]
        if self.numbers.slices:
            single = [n for n, v in self.metrics.items() if not isinstance(v, list | tuple)]
            parts.append(
                notebook.html_table(
                    [
                        (
                            f"{part['name']} {part['value']}",
                            str(part["count"]),
                            _format_number(part["loss"]),
                            *(_format_number(part["metrics"][name]) for name in single),
                        )
                        for part in self.numbers.slices
                    ],
                    ("slice", "rows", self.loss_name, *single),
                )
            )
        if self.warnings:
            parts.append(notebook.html_table(("warning", text) for text in self.warnings))
        return "".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain numbers, strings and lists, for JSON."""
        found = self.numbers
        plain: dict[str, Any] = {
            "lossfw": RESULT_VERSION,
            "count": self.count,
            "weight": self.weight,
            "loss": {
                "name": self.loss_name,
                "value": self.loss,
                "form": self.form,
                **{key: value for key, value in found.loss.items() if key != "value"},
            },
            "metrics": {name: dict(value) for name, value in found.metrics.items()},
        }
        if self.groups is not None:
            plain["groups"] = self.groups
        if self.classes:
            plain["classes"] = list(self.classes)
        if found.intervals is not None:
            plain["intervals"] = dict(found.intervals)
        if found.slices is not None:
            plain["slices"] = [dict(part) for part in found.slices]
        plain["sample"] = None if self.sample is None else list(self.sample)
        plain["digest"] = self.digest
        return plain


def _format_number(number: Mapping[str, Any]) -> str:
    """Return a number with its interval; of a list how many it has."""
    value = number["value"]
    if isinstance(value, list | tuple):
        nested = bool(value) and isinstance(value[0], list | tuple)
        return f"{len(value)} {'rows' if nested else 'numbers'}"
    return notebook.format_interval(value, number.get("interval"))
