"""The reference page of components, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from lossfw.report.text.show_component import cited, facts, shown
from lossfw.report.text.tables import markdown_table

# The title of the chapter of each kind.
_TITLES = {
    "loss": "Losses",
    "activation": "Activations",
    "metric": "Metrics",
    "source": "Data sources",
    "optimizer": "Optimizers",
    "bridge": "Bridges",
}


def markdown(descriptions: Sequence[dict[str, Any]]) -> str:
    """Return a page with a chapter for each kind and a section for each component.

    Parameters
    ----------
    descriptions : sequence of dict
        From `lossfw.report.text.component.describe`, sorted by kind.
    """
    chapters = []
    for kind, members in groupby(descriptions, key=lambda one: one["kind"]):
        sections = [_section(one) for one in members]
        chapters.append("\n\n".join([f"# {_TITLES[kind]}", *sections]))
    return "\n\n".join(chapters) + "\n"


def _section(description: dict[str, Any]) -> str:
    parts = [f"## {description['name']}", _prose(description["summary"])]
    parts += [_prose(description["when"])] if description["when"] else []
    parts += [_prose(paragraph) for paragraph in description["description"]]
    rows = [row for row in facts(description, here=False) if row[0] != "kind"]
    parts.append(_table(("", ""), rows))
    if description["parameters"]:
        parts.append(_parameters(description["parameters"]))
    if "claims" in description:
        parts.append(_claims(description))
    parts += [_prose(paragraph) for paragraph in description["notes"]]
    parts += [_prose(sentence) for sentence in cited(description["references"])]
    if description["see_also"]:
        parts.append("\n".join(map(_sibling, description["see_also"])))
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


def _claims(description: dict[str, Any]) -> str:
    made = [
        f"`{name}`" if value is True else f"`{name}` {shown(value)}"
        for name, value in description["claims"].items()
    ]
    made += [f"not `{name}`" for name in description["denied"]]
    return f"Claims at these parameters: {', '.join(made) or 'none'}."


def _sibling(one: dict[str, Any]) -> str:
    text = one["relation"]
    return f"- See also {', '.join(one['names'])}{': ' if text else ''}{_prose(text)}"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown_table(headers, [[_cell(text) for text in row] for row in rows])


def _cell(text: str) -> str:
    return _prose(text).replace("|", r"\|")


def _prose(text: str) -> str:
    """Escape text of a docstring for Markdown; an asterisk between spaces is a product."""
    return text.replace(" * ", r" \* ").replace("<", "&lt;")
