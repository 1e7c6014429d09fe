"""The description of a component as text."""

from __future__ import annotations

import textwrap
from typing import Any

from lossfw.report.text.tables import show_table
from lossfw.runs.files import say

# Prose is set this wide: a comfortable line, and a terminal's usual 80 columns.
_WIDTH = 79

_WRITTEN_BY = {
    "author": "written by its author",
    "dual numbers": "from dual numbers",
    "parts": "from its parts",
    "none": "none: a row's has three axes",
}


def show_description(found: dict[str, Any]) -> None:
    """Write what `lossfw.report.text.component.describe` found to standard output."""
    say(f"{found['name']}: {found['summary']}\n")
    show_table(("", ""), facts(found))
    if found["parameters"]:
        say("")
        _show_parameters(found["parameters"])
    if "claims" in found:
        say("")
        _show_claims(found)
    for paragraph in [*found["description"], *found["notes"], *_see_also(found["see_also"])]:
        say("")
        say(textwrap.fill(paragraph, _WIDTH))


def facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what there is to say in a word or two: kind, plugin, spaces, derivatives."""
    origin = f"{found['plugin']} {found['version']}".rstrip()
    rows = [("kind", found["kind"]), ("plugin", f"{origin}, {found['class']}")]
    if found["aliases"]:
        rows.append(("aliases", ", ".join(found["aliases"])))
    for name in ("prediction", "target", "result"):
        if name in found:
            rows.append((name, _space(found[name])))
    if "takes" in found:
        rows.append(("takes", _TAKES[found["takes"]]))
    if found.get("form") == "logits":
        rows.append(("form", "predictions are logits"))
    if found.get("link"):
        rows.append(("link", f"{found['link']}, the activation whose results it expects"))
    if "derivative" in found:
        rows.append(("derivative", _WRITTEN_BY[found["derivative"]]))
        rows.append(("second derivative", _WRITTEN_BY[found["second_derivative"]]))
    return rows


def _space(space: dict[str, str]) -> str:
    # A class may always be given as a distribution too.
    more = ", or distributions over classes" if space["name"] == "CLASS_INDEX" else ""
    return f"{space['name']}: {space['meaning']}{more}"


_TAKES = {"elements": "elements, each for itself", "rows": "rows, along the last axis"}


def _show_parameters(parameters: list[dict[str, Any]]) -> None:
    say("Parameters:")
    for one in parameters:
        limits = ", ".join(filter(None, [one["type"], one["bounds"]]))
        given = f" = {shown(one['value'])}" if "value" in one else ""
        default = f"default {shown(one['default'])}" if "default" in one else "needed"
        say(f"  {one['name']}{given}  ({limits}; {default})")
        if one["meaning"]:
            say(
                textwrap.fill(
                    one["meaning"], _WIDTH, initial_indent="    ", subsequent_indent="    "
                )
            )


def _show_claims(found: dict[str, Any]) -> None:
    values = [f"{one['name']}={shown(one['value'])}" for one in found["parameters"]]
    say(f"It claims{' at ' if values else ''}{', '.join(values)}:")
    width = max(map(len, found["claims"]), default=0)
    for name, value in found["claims"].items():
        say(f"  {name.ljust(width)}  {shown(value)}")
    if not found["claims"]:
        say("  nothing")
    rest = ", ".join(found["not_claimed"]) or "nothing"
    say(textwrap.fill(f"Not claimed: {rest}.", _WIDTH))


def _see_also(siblings: dict[str, str]) -> list[str]:
    if not siblings:
        return []
    listed = "; ".join(
        f"{name}: {text.rstrip('.')}" if text else name for name, text in siblings.items()
    )
    return [f"See also {listed}."]


def shown(value: Any) -> str:
    """Return a parameter or the value of a claim as YAML would write it."""
    if value is True or value is False:
        return str(value).lower()
    if value is None:
        return "none"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return str(value)
