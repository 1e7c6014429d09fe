"""The description of a component as text, and descriptions as a page of Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from lossfw.report.text.component import cost_table, engine_line
from lossfw.report.text.tables import markdown_table, show_table
from lossfw.runs.files import write_stdout

# Width of prose, for a terminal of 80 columns.
_WIDTH = 79

_WRITTEN_BY = {
    "author": "written by its author",
    "dual numbers": "from dual numbers",
    "parts": "from its parts",
    "none": "none: a row's has three axes",
}

_TAKES = {
    "elements": "elements, each for itself",
    "rows": "rows, along the last axis",
    "groups": "groups of rows, one loss for each",
}

# The section of a training, for each way in which a model learns.
TRAIN = {"rounds": "train: {rounds: 100}", "epochs": "train: {epochs: 10}", "once": "train: {}"}

_LEARNS = {
    "rounds": f"in rounds: {TRAIN['rounds']}",
    "epochs": f"in epochs: {TRAIN['epochs']}",
    "once": f"at once: {TRAIN['once']}",
    None: "no: it makes the predictions of a file",
}

# The title of the chapter of each kind.
CHAPTERS = {
    "loss": "Losses",
    "activation": "Activations",
    "metric": "Metrics",
    "source": "Data sources",
    "optimizer": "Optimizers",
    "bridge": "Bridges",
    "model": "Models",
}


def show_description(description: dict[str, Any]) -> None:
    """Write a description by `lossfw.report.text.component.describe` to standard output."""
    write_stdout(f"{description['name']}: {description['summary']}\n")
    show_table(("", ""), short_facts(description, on_this_machine=True))
    if description["parameters"]:
        write_stdout("")
        _show_parameters(description["parameters"])
    if "claims" in description:
        write_stdout("")
        _show_claims(description)
    if "costs" in description:
        write_stdout("")
        _show_costs(description["costs"])
    for paragraph in [
        *filter(None, [description["when"]]),
        *description["description"],
        *description["notes"],
        *cite_references(description["references"]),
        *_show_related(description["see_also"]),
    ]:
        write_stdout("")
        write_stdout(textwrap.fill(paragraph, _WIDTH))


def short_facts(description: dict[str, Any], *, on_this_machine: bool) -> list[tuple[str, str]]:
    """Return the short properties: kind, plugin, spaces, derivatives.

    With `on_this_machine` they include what this installation lacks, which a page leaves out.
    """
    origin = f"{description['plugin']} {description['version']}".rstrip()
    rows = [("kind", description["kind"]), ("plugin", f"{origin}, {description['class']}")]
    if description["aliases"]:
        rows.append(("aliases", ", ".join(description["aliases"])))
    for name in ("prediction", "target", "result"):
        if name in description:
            rows.append((name, _space_text(description[name])))
    if description.get("results"):
        rows.append(("results", description["results"]))
    if "takes" in description:
        rows.append(("takes", _TAKES[description["takes"]]))
    if description.get("form", "prediction") != "prediction":
        rows.append(("form", f"predictions are {description['form']}"))
    if description.get("output_activation"):
        rows.append(("output activation", f"{description['output_activation']}, before the loss"))
    if "derivative" in description:
        rows.append(("derivative", _WRITTEN_BY[description["derivative"]]))
        rows.append(("second derivative", _WRITTEN_BY[description["second_derivative"]]))
    if description.get("gradient_to_value"):
        ratio = description["gradient_to_value"]
        rows.append(("gradient", f"{ratio:.1f} times as long as the value, in tiles"))
    if "engine" in description:
        rows.append(("engine", engine_line(description["engine"], on_this_machine=on_this_machine)))
    return rows + list(
        _model_facts(description["model"], on_this_machine) if "model" in description else ()
    )


def _model_facts(model: dict[str, Any], on_this_machine: bool) -> Iterator[tuple[str, str]]:
    yield "learns", _LEARNS[model["training_mode"]]
    if model["takes"]:
        words = {"missing": "missing values", "categories": "categories"}
        yield "inputs", f"numbers, {', '.join(words[one] for one in reversed(model['takes']))}"
    if model["ending"]:
        yield "file", f"{model['ending']}, which a training writes"
    if model["library"]:
        state = model["version"] or f"not installed: {model['install']}"
        needed = f"the extra `{model['extra']}`" if model["extra"] else model["install"]
        yield "library", f"{model['library']}, {state if on_this_machine else needed}"


def _space_text(space: dict[str, str]) -> str:
    # A class index may always be given as a distribution too.
    more = ", or distributions over classes" if space["name"] == "CLASS_INDEX" else ""
    return f"{space['name']}: {space['meaning']}{more}"


def _show_parameters(parameters: list[dict[str, Any]]) -> None:
    write_stdout("Parameters:")
    for one in parameters:
        name, limits, default, meaning = parameter_row(one)
        given = f" = {format_value(one['value'])}" if "value" in one else ""
        default = f"default {default}" if "default" in one else default
        write_stdout(f"  {name}{given}  ({limits}; {default})")
        if meaning:
            write_stdout(
                textwrap.fill(meaning, _WIDTH, initial_indent="    ", subsequent_indent="    ")
            )


def parameter_row(parameter: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return name, type with bounds, default and meaning of a parameter."""
    limits = ", ".join(filter(None, [parameter["type"], parameter["bounds"]]))
    default = format_value(parameter["default"]) if "default" in parameter else "needed"
    return parameter["name"], limits, default, parameter["meaning"]


def _show_claims(description: dict[str, Any]) -> None:
    values = [f"{one['name']}={format_value(one['value'])}" for one in description["parameters"]]
    write_stdout(f"It claims{' at ' if values else ''}{', '.join(values)}:")
    width = max(map(len, description["claims"]), default=0)
    for name, value in description["claims"].items():
        write_stdout(f"  {name.ljust(width)}  {format_value(value)}")
    if not description["claims"]:
        write_stdout("  nothing")
    if description["denied"]:
        write_stdout(f"It denies: {', '.join(description['denied'])}.")
    rest = ", ".join(description["not_claimed"]) or "nothing"
    write_stdout(textwrap.fill(f"Not claimed: {rest}.", _WIDTH))


def cite_references(references: list[dict[str, str]]) -> list[str]:
    """Return a list with one sentence that names the sources; empty if there are none."""
    listed = [f"{one['text']}{', doi:' if one['doi'] else ''}{one['doi']}" for one in references]
    return [f"Source: {'; '.join(listed)}."] if listed else []


def _show_related(related: list[dict[str, Any]]) -> list[str]:
    listed = [
        ", ".join(one["names"]) + (f": {text}" if (text := one["relation"].rstrip(".")) else "")
        for one in related
    ]
    return [f"See also {'; '.join(listed)}."] if listed else []


def format_value(value: Any) -> str:
    """Return a parameter or the value of a claim as in YAML."""
    if value is True or value is False:
        return str(value).lower()
    if value is None:
        return "none"
    if isinstance(value, list):
        return f"[{', '.join(map(format_value, value))}]"
    return str(value)


def _show_costs(costs: dict[str, Any]) -> None:
    where = f"(one thread of {costs['processor']}, NumPy {costs['numpy']})"
    write_stdout(textwrap.fill(f"CPU nanoseconds per element {where}:", _WIDTH))
    show_table(*cost_table(costs))


def components_markdown(descriptions: Sequence[dict[str, Any]]) -> str:
    """Return a page with one chapter per kind and one section per component."""
    chapters = []
    for kind, members in groupby(descriptions, key=lambda one: one["kind"]):
        sections = [_section(one) for one in members]
        chapters.append("\n\n".join([f"# {CHAPTERS[kind]}", *sections]))
    return "\n\n".join(chapters) + "\n"


def _section(description: dict[str, Any]) -> str:
    parts = [f"## {description['name']}", _escape_prose(description["summary"])]
    parts += [_escape_prose(description["when"])] if description["when"] else []
    parts += [_escape_prose(paragraph) for paragraph in description["description"]]
    rows = [row for row in short_facts(description, on_this_machine=False) if row[0] != "kind"]
    parts.append(_table_lines(("property", "value"), rows))
    if description["parameters"]:
        parameters = [parameter_row(one) for one in description["parameters"]]
        named = [(f"`{name}`", *cells) for name, *cells in parameters]
        parts.append(_table_lines(("parameter", "type", "default", "meaning"), named))
    if "claims" in description:
        claims = [
            f"`{name}`" if value is True else f"`{name}` {format_value(value)}"
            for name, value in description["claims"].items()
        ]
        claims += [f"not `{name}`" for name in description["denied"]]
        parts.append(f"Claims at these parameters: {', '.join(claims) or 'none'}.")
    parts += [_escape_prose(paragraph) for paragraph in description["notes"]]
    parts += [_escape_prose(sentence) for sentence in cite_references(description["references"])]
    if description["see_also"]:
        siblings = [
            f"- See also {', '.join(one['names'])}{': ' if one['relation'] else ''}"
            f"{_escape_prose(one['relation'])}"
            for one in description["see_also"]
        ]
        parts.append("\n".join(siblings))
    return "\n\n".join(parts)


def _table_lines(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown_table(headers, [[_escape_cell(text) for text in row] for row in rows])


def _escape_cell(text: str) -> str:
    return _escape_prose(text).replace("|", r"\|")


def _escape_prose(text: str) -> str:
    """Escape text of a docstring for Markdown; an asterisk between spaces is a product."""
    return text.replace(" * ", r" \* ").replace("<", "&lt;")
