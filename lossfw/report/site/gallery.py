"""The gallery: a card for each component, and boxes that choose among them by properties.

Without scripts it is a list of all cards by kind. No facet says that a component lacks a
property: what is not claimed is unknown. Within a facet any of the chosen values will do, except
for claims, of which all are required.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from lossfw.report.site.claims_table import words
from lossfw.report.site.content import CHAPTERS, PageSubject, SiteContent
from lossfw.report.site.curve_svg import thumbnail
from lossfw.report.site.figure import sampled
from lossfw.report.site.markup import breakable, fenced, inline_html, raw

_DOCUMENT = "components/index"

# The page needs its whole width.
_WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n"

Values = Mapping[str, Sequence[str]]

# Claims by which one looks for a component, with more words where the name is not enough.
_CLAIMS = {
    "convex": "convex",
    "strictly_convex": "strictly convex",
    "lipschitz": "bounded slope (robust)",
    "bounded": "bounded (redescending)",
    "smooth": "smooth",
    "twice_smooth": "twice smooth",
    "symmetric": "symmetric",
    "monotone": "monotone",
    "proper": "proper",
    "strictly_proper": "strictly proper",
    "calibrated": "calibrated",
}

_FACETS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("kind", "Kind", {kind: kind for kind in CHAPTERS}),
    ("claim", "Claims", _CLAIMS),
    ("target", "Target", {}),
    ("takes", "Takes", {}),
    ("elicits", "Elicits", {}),
)


def gallery_page(content: SiteContent) -> str:
    """Return the page of the gallery, as MyST Markdown."""
    values = {id(one): values_of(one) for one in content.subjects}
    chapters = [kind for kind in CHAPTERS if any(one.kind == kind for one in content.subjects)]
    tree = [f"{kind}/index" for kind in chapters]
    blocks = ["# Components", raw(_form(list(values.values())))]
    for kind in chapters:
        members = [one for one in content.subjects if one.kind == kind]
        cards = "\n".join(_card(one, values[id(one)], content, _DOCUMENT) for one in members)
        # A heading of Markdown would not be hidden with its empty chapter.
        chapter = f'<h2>{CHAPTERS[kind]}</h2>\n<ul class="cards">{cards}</ul>'
        blocks.append(raw(f'<section class="chapter">{chapter}</section>'))
    return _WIDE + "\n\n".join([*blocks, fenced("{toctree}", ":hidden:", "", *tree)]) + "\n"


def chapter_pages(content: SiteContent) -> Iterator[tuple[str, str]]:
    """Yield for each kind the document of its chapter, and the page: its cards, and its menu."""
    for kind, title in CHAPTERS.items():
        members = [one for one in content.subjects if one.kind == kind]
        if members:
            document = f"components/{kind}/index"
            cards = "\n".join(_card(one, values_of(one), content, document) for one in members)
            pages = (posixpath.basename(one.document) for one in members)
            tree = fenced("{toctree}", ":hidden:", "", *pages)
            listed = raw(f'<ul class="cards">{cards}</ul>')
            yield document, f"{_WIDE}# {title}\n\n{listed}\n\n{tree}\n"


def _form(values: Sequence[Values]) -> str:
    search = '<label>Name or words <input type="search" name="text" autocomplete="off"></label>'
    boxes = "".join(_facet_boxes(facet, values) for facet in facets(values))
    details = f'<details class="facets"><summary>Filters</summary><div>{boxes}</div></details>'
    return filter_form(details, search, f"{len(values)} of {len(values)} components")


def _facet_boxes(facet: Facet, values: Sequence[Values]) -> str:
    words_by_value = {
        value: f"{escape(words)} <small>{counted(values, facet.name, value)}</small>"
        for value, words in facet.values
    }
    more = (
        '<label class="wider"><input type="checkbox" name="parameters" value="some"> '
        "also where a claim is made at other parameters than the defaults</label>"
    )
    more = more if facet.name == "claim" else ""
    return fieldset(facet.name, facet.title, words_by_value, more)


def filter_form(boxes: str, search: str = "", count: str = "") -> str:
    """Return a form that a script shows and answers: how many cards are left, and its boxes."""
    return (
        f'<form id="filters" class="filters" hidden><div class="filters-head">{search}'
        f'<output id="count" aria-live="polite">{count}</output>'
        f'<button type="reset">Clear</button></div>{boxes}</form>'
    )


def fieldset(name: str, title: str, words_by_value: Mapping[str, str], more: str = "") -> str:
    """Return a box for each value, with its words as HTML."""
    labels = "".join(
        f'<label><input type="checkbox" name="{name}" value="{escape(value)}"> {words}</label>'
        for value, words in words_by_value.items()
    )
    return f"<fieldset><legend>{escape(title)}</legend>{labels}{more}</fieldset>"


def _card(subject: PageSubject, values: Values, content: SiteContent, page: str) -> str:
    description = subject.description
    drawn = sampled(subject.sample)
    picture = thumbnail(drawn) if drawn is not None else '<span class="thumbnail"></span>'
    spoken = [subject.name, *description["aliases"], description["title"], description["when"]]
    data = "".join(
        f' data-{name}="{escape(" ".join(found))}"'
        for name, found in {**values, "text": [" ".join(spoken).lower().replace("`", "")]}.items()
    )
    return (
        f'<li{data}><a href="{content.href(subject, page)}">{picture}'
        f'<span class="kind">{subject.kind}</span> <b>{breakable(subject.name)}</b>'
        f"<small>{inline_html(description['title'])}</small></a></li>"
    )


@dataclass(frozen=True)
class Facet:
    """A property with its values."""

    name: str
    title: str
    values: Sequence[tuple[str, str]]


def values_of(subject: PageSubject) -> Mapping[str, Sequence[str]]:
    """Return the values of a component, by the name of the facet."""
    description = subject.description
    claims = description.get("claims", {})
    somewhere = _claimed_somewhere(subject)
    of = {
        "kind": [subject.kind],
        "claim": [name for name in _CLAIMS if name in claims],
        "some": sorted(set(_CLAIMS) & set(somewhere) - set(claims)),
        "target": [description["target"]["name"]] if "target" in description else [],
        "takes": [description["takes"]] if "takes" in description else [],
        "elicits": sorted(somewhere.get("elicits", ())),
    }
    return {name: values for name, values in of.items() if values}


def _claimed_somewhere(subject: PageSubject) -> Mapping[str, set[str]]:
    """Return the claims at the parameters of any variant, and the values that they have."""
    found: dict[str, set[str]] = {}
    for claims in subject.claims_of_variants if subject.kind in ("loss", "activation") else ():
        for name, value in claims.items():
            # The probability of a quantile does not matter here.
            found.setdefault(name, set()).add(str(value).partition("(")[0])
    return found


def facets(values: Sequence[Mapping[str, Sequence[str]]]) -> Iterator[Facet]:
    """Yield the facets that have more than one value."""
    for name, title, spelled in _FACETS:
        found = {value for one in values for value in one.get(name, ())}
        order = [value for value in spelled if value in found] + sorted(found - set(spelled))
        if len(order) > 1:
            yield Facet(name, title, [(value, spelled.get(value, words(value))) for value in order])


def counted(values: Sequence[Mapping[str, Any]], facet: str, value: str) -> int:
    """Return how many components have a value."""
    return sum(value in one.get(facet, ()) for one in values)
