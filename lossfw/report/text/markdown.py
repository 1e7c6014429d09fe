"""Descriptions of components as Markdown: the reference page of a plugin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from lossfw.report.text.show_component import facts, shown
from lossfw.report.text.tables import markdown_table

# A component's kind as the title of its chapter.
_TITLES = {
    "loss": "Losses",
    "activation": "Activations",
    "metric": "Metrics",
    "source": "Data sources",
    "optimizer": "Optimizers",
}


def markdown(found: Sequence[dict[str, Any]]) -> str:
    """Return a page with a chapter for each kind and a section for each component.

    Parameters
    ----------
    found : sequence of dict
        What `lossfw.report.text.component.describe` returned, those of a kind together.
    """
    chapters = []
    for kind, members in groupby(found, key=lambda one: one["kind"]):
        sections = [_section(one) for one in members]
        chapters.append("\n\n".join([f"# {_TITLES[kind]}", *sections]))
    return "\n\n".join(chapters) + "\n"


def _section(found: dict[str, Any]) -> str:
    parts = [f"## {found['name']}", _prose(found["summary"])]
    parts += [_prose(paragraph) for paragraph in found["description"]]
    parts.append(_table(("", ""), [row for row in facts(found) if row[0] != "kind"]))
    if found["parameters"]:
        parts.append(_parameters(found["parameters"]))
    if "claims" in found:
        parts.append(_claims(found))
    parts += [_prose(paragraph) for paragraph in found["notes"]]
    if found["see_also"]:
        parts.append("\n".join(_sibling(*item) for item in found["see_also"].items()))
    return "\n\n".join(parts)


def _parameters(parameters: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            f"`{one['name']}`",
            ", ".join(filter(None, [one["type"], one["bounds"]])),
            shown(one["default"]) if "default" in one else "needed",
            one["meaning"],
        )
        for one in parameters
    ]
    return _table(("parameter", "type", "default", "meaning"), rows)


def _claims(found: dict[str, Any]) -> str:
    made = [
        f"`{name}`" if value is True else f"`{name}` {shown(value)}"
        for name, value in found["claims"].items()
    ]
    return f"Claims at these parameters: {', '.join(made) or 'none'}."


def _sibling(name: str, text: str) -> str:
    return f"- See also {name}{': ' if text else ''}{_prose(text)}"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown_table(headers, [[_cell(text) for text in row] for row in rows])


def _cell(text: str) -> str:
    return _prose(text).replace("|", r"\|")


def _prose(text: str) -> str:
    """Return text of a docstring as Markdown: an asterisk between spaces is a product."""
    return text.replace(" * ", r" \* ").replace("<", "&lt;")
