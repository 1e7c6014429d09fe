"""The gallery: a card for each component, and boxes that choose among them.

Without scripts it is a list of all cards by kind.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from lossfw.report.site.content import CHAPTERS, PageSubject, SiteContent
from lossfw.report.site.curve_svg import thumbnail
from lossfw.report.site.facets import Facet, counted, facets, values_of
from lossfw.report.site.figure import sampled
from lossfw.report.site.markup import breakable, fenced, inline_html, raw

_DOCUMENT = "components/index"

# The page needs its whole width.
_WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n"

Values = Mapping[str, Sequence[str]]


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
    boxes = "".join(_fieldset(facet, values) for facet in facets(values))
    return (
        '<form id="filters" class="filters" hidden>'
        '<div class="filters-head"><label>Name or words <input type="search" name="text" '
        'autocomplete="off"></label>'
        f'<output id="count" aria-live="polite">{len(values)} of {len(values)} components</output>'
        '<button type="reset">Clear</button></div>'
        f'<details class="facets"><summary>Filters</summary><div>{boxes}</div></details></form>'
    )


def _fieldset(facet: Facet, values: Sequence[Values]) -> str:
    labels = "".join(
        f'<label><input type="checkbox" name="{facet.name}" value="{escape(value)}"> '
        f"{escape(spelled)} <small>{counted(values, facet.name, value)}</small></label>"
        for value, spelled in facet.values
    )
    if facet.name == "claim":
        labels += (
            '<label class="wider"><input type="checkbox" name="parameters" value="some"> '
            "also where a claim is made at other parameters than the defaults</label>"
        )
    return f"<fieldset><legend>{escape(facet.title)}</legend>{labels}</fieldset>"


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
