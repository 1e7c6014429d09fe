"""The page of one component, as MyST Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lossfw.report.site.claims_table import claims_section, marks
from lossfw.report.site.content import PageSubject, SiteContent
from lossfw.report.site.curve_svg import thumbnail
from lossfw.report.site.figure import figure, sampled
from lossfw.report.site.figures_tables import accuracy_section, cost_section
from lossfw.report.site.formula import formula
from lossfw.report.site.markup import (
    breakable,
    cell,
    citation,
    fenced,
    inline_html,
    prose,
    raw,
    table,
    tabs,
)
from lossfw.report.site.usage import usage
from lossfw.report.text.show_component import facts, shown

_EFFECTS = {"kept": "keeps", "lost": "loses", "changed": "changes", "depends": "depends"}


def component_page(subject: PageSubject, content: SiteContent) -> str:
    """Return the page of a component.

    Parameters
    ----------
    subject : PageSubject
    content : SiteContent
        Has the pages that it links to, and the measured figures.
    """
    sections = [
        ("Formula", _formula(subject)),
        ("What it takes", _takes(subject)),
        ("Parameters", _parameters(subject)),
        ("Use", [tabs(usage(subject, content.bridges))]),
        ("Claims", _claims(subject, content)),
        ("What it does to claims", _wrapper(subject)),
        ("Accuracy", accuracy_section(subject, content.measured)),
        ("Cost", cost_section(subject)),
        ("In other libraries", _peers(subject)),
        ("Notes", map(prose, subject.description["notes"])),
        ("References", _references(subject)),
        ("See also", _related(subject, content)),
        ("Source", _source(subject)),
    ]
    blocks = list(_head(subject))
    for title, section in sections:
        paragraphs = [paragraph for paragraph in section if paragraph]
        if paragraphs:
            blocks += [f"## {title}", *paragraphs]
    return "\n\n".join(blocks) + "\n"


def _head(subject: PageSubject) -> Iterator[str]:
    description = subject.description
    yield f"# {subject.name}"
    for name in (subject.name, *description["aliases"]):
        yield fenced(f"{{{subject.kind}}} {name}")
    yield "{.subtitle}\n" + prose(f"{description['title']}.")
    if description["when"]:
        yield "{.when}\n" + prose(description["when"])
    origin = f"{description['plugin']} {description['version']}".rstrip()
    also = ", ".join(f"`{alias}`" for alias in description["aliases"])
    called = f" · also called {also}" if also else ""
    yield "{.meta}\n" + f"{subject.kind} · {prose(origin)}{called}"


def _formula(subject: PageSubject) -> Iterator[str]:
    yield from formula(subject)
    yield from map(prose, subject.description["description"])
    drawn = figure(subject)
    if drawn:
        yield raw(drawn)
    of = marks(subject) if "claims" in subject.description else ""
    if of:
        yield raw(of)


def _takes(subject: PageSubject) -> Iterator[str]:
    left_out = ("kind", "plugin", "aliases")
    yield "\n".join(
        f"- **{name}**: {prose(text)}"
        for name, text in facts(dict(subject.description), here=False)
        if name not in left_out
    )


def _parameters(subject: PageSubject) -> Iterator[str]:
    rows = [
        (
            f"`{one['name']}`",
            cell(", ".join(filter(None, [one["type"], one["bounds"]]))),
            cell(shown(one["default"])) if "default" in one else "needed",
            cell(one["meaning"]),
        )
        for one in subject.description["parameters"]
    ]
    if rows:
        yield table(("name", "type", "default", "meaning"), rows)


def _claims(subject: PageSubject, content: SiteContent) -> Iterator[str]:
    if "claims" in subject.description:
        yield from claims_section(subject, content.measured)


def _wrapper(subject: PageSubject) -> Iterator[str]:
    effects = subject.description.get("wrapper", ())
    rows = [
        (
            f"`{one['claim']}`",
            _EFFECTS[one["effect"]],
            cell(one["rule"] if one["effect"] != "lost" else ""),
        )
        for one in effects
    ]
    if rows:
        yield "What happens to a claim that its part makes:"
        yield table(("claim", "", "rule"), rows)


def _peers(subject: PageSubject) -> Iterator[str]:
    rows = [
        (cell(one["library"]), f"`{one['call']}`", _times(one["times"]), cell(_when(one["when"])))
        for one in subject.description.get("peers", ())
    ]
    if rows:
        yield f"`{subject.name}` is the function in the second column times the factor."
        given = any(row[-1] for row in rows)
        headers = ("library", "call", "factor", "with")
        yield table(headers, rows) if given else table(headers[:-1], [row[:-1] for row in rows])


def _times(times: float | str) -> str:
    return f"`{times}`" if isinstance(times, str) else f"{times:g}"


def _when(when: dict[str, Any]) -> str:
    return ", ".join(f"``{key}={value!r}``" for key, value in when.items())


def _references(subject: PageSubject) -> Iterator[str]:
    yield "\n".join(map(citation, subject.description["references"]))


def _related(subject: PageSubject, content: SiteContent) -> Iterator[str]:
    cards = [
        _card(one, entry["relation"], content.href(one, subject.document))
        for entry in subject.description["see_also"]
        for name in entry["names"]
        if (one := content.find(subject.kind, name)) is not None
    ]
    if cards:
        yield raw(f'<ul class="cards related">{"".join(cards)}</ul>')
    away = [
        f"- `{name}`: {prose(entry['relation'])}"
        for entry in subject.description["see_also"]
        for name in entry["names"]
        if content.find(subject.kind, name) is None
    ]
    yield "\n".join(away)


def _card(subject: PageSubject, relation: str, href: str) -> str:
    drawn = sampled(subject.sample)
    picture = thumbnail(drawn) if drawn is not None else ""
    return (
        f'<li><a href="{href}">{picture}<b>{breakable(subject.name)}</b>'
        f"<small>{inline_html(relation or subject.description['title'])}</small></a></li>"
    )


def _source(subject: PageSubject) -> Iterator[str]:
    import inspect

    description = subject.description
    module, _, name = description["class"].partition(":")
    yield f"`{description['file']}`, line {description['line']}: class `{name}` of `{module}`."
    bodies = [
        inspect.cleandoc("\n" + inspect.getsource(getattr(subject.cls, function)))
        for function in ("formula", "value")
        if function in vars(subject.cls)
    ]
    if bodies:
        code = fenced("python", "\n\n".join(bodies))
        yield fenced("{dropdown} formula and value", code, mark="````")
