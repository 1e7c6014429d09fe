"""Put pictures of matplotlib into a page, in the colours of the page.

The stand-in colours of `lossfw.report.plots.style` become variables of the style sheet, so
the same picture is light where the page is light and dark where it is dark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from lossfw.components.naming import printable
from lossfw.report.plots.style import GRID, INK, MUTED, PAGE, SURFACE, content_of

if TYPE_CHECKING:
    from markupsafe import Markup

# Inches: a picture of this width fills a phone's screen at its own size.
WIDTH = 4.6

# Stand-in -> variable of the style sheet.
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    SURFACE: "surface",
    **{colour: f"s{index}" for index, colour in enumerate(PAGE.colours)},
}

# Names of elements and of attributes have the namespace before them.
_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"


def inline(figure: Any, name: str, title: str, description: str) -> Markup:
    """Return a figure as an element of a page; call it within `lossfw.report.plots.style.drawing`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn in the theme of pages.
    name : str
        Letters, digits and hyphens, unique among the pictures of the page.
    title : str
        The subject, in some words.
    description : str
        A description for readers who cannot see the picture.
    """
    from markupsafe import Markup

    root = ElementTree.fromstring(content_of(figure, "svg"))  # noqa: S314  # drawn here
    for metadata in root.findall(f"{_SVG}metadata"):
        root.remove(metadata)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.attrib = {
            key.replace(_LINK, "xlink:href"): _in_page(key, value, name)
            for key, value in element.attrib.items()
        }
    # The page decides the size.
    del root.attrib["width"], root.attrib["height"]
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    for place, (tag, id_, text) in enumerate(
        (("title", "title", title), ("desc", "description", description))
    ):
        label = ElementTree.Element(tag, {"id": f"{name}-{id_}"})
        label.text = printable(text)
        root.insert(place, label)
    text = ElementTree.tostring(root, encoding="unicode")
    return Markup(text)  # noqa: S704  # drawn here; its text is escaped


def _in_page(key: str, value: str, name: str) -> str:
    """Return the value of an attribute with unique ids, the page's font and its colours."""
    if key == "id":
        return f"{name}-{value}"
    if key == _LINK:
        return f"#{name}-{value.removeprefix('#')}"
    value = value.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        value = value.replace(colour, f"var(--{variable})")
    if key != "style":
        return value
    return "; ".join(map(_in_font, value.split("; ")))


def _in_font(declaration: str) -> str:
    """Return a declaration of a style, with the page's font in place of matplotlib's."""
    property_, _, value = declaration.partition(": ")
    if property_ == "font-family":
        return "font-family: var(--sans)"
    if property_ == "font":
        return f"font: {value.partition('px')[0]}px var(--sans)"
    return declaration
