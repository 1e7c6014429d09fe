"""Pictures in a page: matplotlib's as SVG in the colours of the page, and inputs as PNG.

The stand-in colours of `lossfw.report.plots.style` become variables of the style sheet, so a
picture follows the light or dark mode of the page.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from lossfw.components.naming import printable
from lossfw.numerics.arrays import NDArray
from lossfw.report.plots.style import GRID, INK, MUTED, PAGE, SURFACE, drawing, figure_bytes

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

# Rows of numbers are taken for square images of at least this side: smaller images than
# 8 x 8 are not in use, and fewer numbers are more often a table.
_LEAST_SIDE = 8

# A page of many images would be too large with larger ones.
_MOST_SIDE = 512

# The channels of an image: grey, or red, green and blue.
_GREY, _COLOUR = 1, 3

_CHANNELS = (_GREY, _COLOUR)


@contextmanager
def page_axes(height: float) -> Iterator[Any]:
    """Return empty axes in the width and style of a page, for `to_picture`."""
    with drawing(WIDTH, height, PAGE) as figure:
        yield figure.subplots()


class Picture(NamedTuple):
    """A picture in a page, with a caption that describes it in sentences."""

    svg: Markup
    caption: str


def to_picture(figure: Any, name: str, title: str, caption: str) -> Picture:
    """Return a figure as a picture of a page; call it within `drawing` of the style.

    The caption also describes it for readers who cannot see it. The name has letters, digits and
    hyphens, and is unique among the pictures of the page.
    """
    from markupsafe import Markup

    root = ElementTree.fromstring(figure_bytes(figure, "svg"))  # noqa: S314  # drawn here
    for metadata in root.findall(f"{_SVG}metadata"):
        root.remove(metadata)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.attrib = {
            key.replace(_LINK, "xlink:href"): _adapt_attribute(key, value, name)
            for key, value in element.attrib.items()
        }
    # The page decides the size.
    del root.attrib["width"], root.attrib["height"]
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    labels = (("title", "title", title), ("desc", "description", caption))
    for place, (tag, id_, text) in enumerate(labels):
        label = ElementTree.Element(tag, {"id": f"{name}-{id_}"})
        label.text = printable(text)
        root.insert(place, label)
    text = ElementTree.tostring(root, encoding="unicode")
    return Picture(Markup(text), caption)  # noqa: S704  # drawn here; its text is escaped


def _adapt_attribute(key: str, value: str, name: str) -> str:
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
    return "; ".join(map(_replace_font, value.split("; ")))


def _replace_font(declaration: str) -> str:
    """Return a declaration of a style, with the page's font in place of matplotlib's."""
    property_, _, value = declaration.partition(": ")
    if property_ == "font-family":
        return "font-family: var(--sans)"
    if property_ == "font":
        return f"font: {value.partition('px')[0]}px var(--sans)"
    return declaration


def to_images(rows: NDArray) -> NDArray | None:
    """Return rows of inputs as images of bytes, or None if they are not images.

    Rows have the shape (N, H, W), (N, H, W, 1 or 3), (N, 1 or 3, H, W) or (N, side * side), and
    images (N, H, W, 1 or 3). 0 is black, and the largest number of all rows is white; rows with
    negative numbers are not images.

    Examples
    --------
    >>> to_images(np.ones((2, 64))).shape, to_images(np.ones((2, 65)))
    ((2, 8, 8, 1), None)
    """
    shaped = _reshape_to_images(rows)
    if shaped is None or not np.isfinite(shaped).all() or shaped.min() < 0:
        return None
    return np.round(shaped.astype(np.float64) * (255 / (shaped.max() or 1))).astype(np.uint8)


def _reshape_to_images(rows: NDArray) -> NDArray | None:
    shape = rows.shape[1:]
    if len(shape) == 1:
        side = math.isqrt(shape[0])
        shape = (side, side) if side * side == shape[0] else ()
    if len(shape) == 2:
        shape = (*shape, _GREY)
    if len(shape) != 3 or not rows.size:
        return None
    if shape[2] not in _CHANNELS and shape[0] in _CHANNELS:
        rows, shape = np.moveaxis(rows, 1, -1), (*shape[1:], shape[0])
    fits = all(_LEAST_SIDE <= side <= _MOST_SIDE for side in shape[:2]) and shape[2] in _CHANNELS
    return rows.reshape(len(rows), *shape) if fits else None


def image_to_data_uri(image: NDArray) -> str:
    """Return an image, of the shape (H, W, 1 or 3), as a data URI of a PNG."""
    # matplotlib brings it.
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2] == _GREY else image).save(
        content, "PNG", optimize=True
    )
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
