"""The gallery: one card per component, and checkboxes to filter them by properties.

Without scripts it is a list of all cards by kind. Facets never say that a component lacks a
property, because what is not claimed is unknown. Chosen values of a facet are alternatives, except
for claims, which are all required.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from lossfw.report.site.claims_table import claim_in_words
from lossfw.report.site.content import KINDS, PageSubject, SiteContent
from lossfw.report.site.curve_svg import thumbnail
from lossfw.report.site.markup import breakable_name, fence_block, inline_html, raw_html
from lossfw.report.text.show_component import CHAPTERS

_DOCUMENT = "components/index"

# The page needs its whole width.
_WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n"

Values = Mapping[str, Sequence[str]]

# Claims by which one looks for a component, with more words where the name is not enough.
_CLAIMS = {
    "convex": "convex",
    "strictly_convex": "strictly convex",
    "lipschitz": "bounded gradient (robust)",
    "bounded": "bounded (redescending)",
    "smooth": "smooth",
    "twice_smooth": "twice smooth",
    "symmetric": "symmetric",
    "monotone": "monotone",
    "proper": "proper",
    "strictly_proper": "strictly proper",
    "calibrated": "calibrated",
}

# What a target is, in words, and the spaces of each.
_TARGETS = {
    "numbers": ("numbers", ("REAL", "NONZERO", "ABOVE_MINUS_ONE")),
    "amounts": ("amounts, never negative", ("NONNEGATIVE", "POSITIVE")),
    "counts": ("counts", ("COUNT", "NONNEGATIVE")),
    "yes-no": ("yes or no", ("SIGN", "BINARY", "UNIT")),
    "classes": ("classes", ("CLASS_INDEX", "CLASSES", "SIMPLEX")),
    "vectors": ("vectors", ()),
    "times": ("times until an event", ()),
    "columns": ("several columns", ()),
}

_FACETS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("kind", "Kind", {kind: kind for kind in KINDS}),
    ("claim", "Claims", _CLAIMS),
    (
        "target",
        "Target",
        {value: claim_in_words for value, (claim_in_words, _) in _TARGETS.items()},
    ),
    ("takes", "Takes", {}),
    ("elicits", "Elicits", {}),
)


def gallery_page(content: SiteContent) -> str:
    """Return the page of the gallery, as MyST Markdown."""
    by_kind = _subjects_by_kind(content)
    values = [values_of(one) for members in by_kind.values() for one in members]
    blocks = ["# Components", raw_html(_facet_form(values))]
    for kind, members in by_kind.items():
        # A heading of Markdown would not be hidden with its empty chapter.
        chapter = f"<h2>{CHAPTERS[kind]}</h2>\n{_cards(members, content, _DOCUMENT)}"
        blocks.append(raw_html(f'<section class="chapter">{chapter}</section>'))
    tree = fence_block("{toctree}", ":hidden:", "", *(f"{kind}/index" for kind in by_kind))
    return _WIDE + "\n\n".join([*blocks, tree]) + "\n"


def chapter_pages(content: SiteContent) -> Iterator[tuple[str, str]]:
    """Yield the document and the page of each kind: its cards, and its menu."""
    for kind, members in _subjects_by_kind(content).items():
        document = f"components/{kind}/index"
        pages = (posixpath.basename(one.document) for one in members)
        tree = fence_block("{toctree}", ":hidden:", "", *pages)
        listed = raw_html(_cards(members, content, document))
        yield document, f"{_WIDE}# {CHAPTERS[kind]}\n\n{listed}\n\n{tree}\n"


def _subjects_by_kind(content: SiteContent) -> dict[str, list[PageSubject]]:
    """Return the subjects of each kind that has any."""
    members = {kind: [one for one in content.subjects if one.kind == kind] for kind in KINDS}
    return {kind: found for kind, found in members.items() if found}


def _cards(members: Sequence[PageSubject], content: SiteContent, page: str) -> str:
    cards = "\n".join(_card(one, content, page) for one in members)
    return f'<ul class="cards">{cards}</ul>'


def _facet_form(values: Sequence[Values]) -> str:
    search = '<label>Name or words <input type="search" name="text" autocomplete="off"></label>'
    boxes = "".join(_facet_boxes(facet, values) for facet in facets(values))
    details = f'<details class="facets"><summary>Filters</summary><div>{boxes}</div></details>'
    return filter_form(details, search, f"{len(values)} of {len(values)} components")


def _facet_boxes(facet: Facet, values: Sequence[Values]) -> str:
    counts = Counter(value for one in values for value in one.get(facet.name, ()))
    words_by_value = {
        value: f"{escape(words)} <small>{counts[value]}</small>" for value, words in facet.values
    }
    more = (
        '<label class="wider"><input type="checkbox" name="parameters" value="some"> '
        "also where a claim is made at other parameters than the defaults</label>"
    )
    more = more if facet.name == "claim" else ""
    return fieldset(facet.name, facet.title, words_by_value, more)


def filter_form(boxes: str, search: str = "", count: str = "") -> str:
    """Return the form of a script: its checkboxes, and the number of remaining cards."""
    return (
        f'<form id="filters" class="filters" hidden><div class="filters-head">{search}'
        f'<output id="count" aria-live="polite">{count}</output>'
        f'<button type="reset">Clear</button></div>{boxes}</form>'
    )


def fieldset(name: str, title: str, words_by_value: Mapping[str, str], more: str = "") -> str:
    """Return one checkbox per value, with its label as HTML."""
    labels = "".join(
        f'<label><input type="checkbox" name="{name}" value="{escape(value)}"> {words}</label>'
        for value, words in words_by_value.items()
    )
    return f"<fieldset><legend>{escape(title)}</legend>{labels}{more}</fieldset>"


def _card(subject: PageSubject, content: SiteContent, page: str) -> str:
    description = subject.description
    drawn = subject.curve
    picture = thumbnail(drawn) if drawn is not None else '<span class="thumbnail"></span>'
    spoken = [subject.name, *description["aliases"], description["title"], description["when"]]
    values = {**values_of(subject), "text": [" ".join(spoken).lower().replace("`", "")]}
    data = "".join(f' data-{name}="{escape(" ".join(of))}"' for name, of in values.items())
    return (
        f'<li{data}><a href="{content.href(subject, page)}">{picture}'
        f'<span class="kind">{subject.kind}</span> <b>{breakable_name(subject.name)}</b>'
        f"<small>{inline_html(description['title'])}</small></a></li>"
    )


class Facet(NamedTuple):
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
        "target": _target_facets(description["target"]["name"]) if "target" in description else [],
        "takes": [description["takes"]] if "takes" in description else [],
        "elicits": sorted(somewhere.get("elicits", ())),
    }
    return {name: values for name, values in of.items() if values}


def _target_facets(space: str) -> list[str]:
    """Return what the targets of a space are, as values of its facet.

    Examples
    --------
    >>> _target_facets("NONNEGATIVE"), _target_facets("Columns(time=POSITIVE, event=BINARY)")
    (['amounts', 'counts'], ['times'])
    """
    if space.startswith("Vector"):
        return ["vectors"]
    if space.startswith("Columns"):
        # Censored times are a time and whether its event was seen, or two ends.
        return ["times" if re.search(r"\bevent=|\bupper=", space) else "columns"]
    # A space of a plugin's own has no word here.
    return [one for one, (_, spaces) in _TARGETS.items() if space in spaces] or ["numbers"]


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
            yield Facet(
                name, title, [(value, spelled.get(value, claim_in_words(value))) for value in order]
            )
