"""SVG: pictures of matplotlib that stand in a page and follow its colours.

A picture is drawn in stand-in colours, which no picture would use by chance, and
each of them is then replaced by the variable of the page's style that it stands
for. So the same picture is light where the page is light and dark where it is dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from lossfw.report.plots.style import SETTINGS

if TYPE_CHECKING:
    from markupsafe import Markup

# Stand-in -> variable of the style sheet.
INK, MUTED, GRID, SURFACE = "#1a1b01", "#5a5b01", "#d0d101", "#fefd01"
SERIES = ("#01a001", "#01a002", "#01a003", "#01a004", "#01a005", "#01a006")
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)), (0, (9, 3)), (0, (3, 3)))
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    SURFACE: "surface",
    **{colour: f"s{index}" for index, colour in enumerate(SERIES)},
}

# Inches: a picture of this width fills a phone's screen at its own size.
WIDTH = 4.6

_THEME: dict[str, Any] = {
    **SETTINGS,
    "svg.fonttype": "none",
    "font.size": 10.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}


@contextmanager
def drawing(height: float, width: float = WIDTH) -> Iterator[Any]:
    """Give an empty figure with the settings of the page's pictures.

    Parameters
    ----------
    height, width : float
        In inches.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_THEME):
        yield Figure(figsize=(width, height), layout="constrained")


def inline(figure: Any, name: str, title: str, description: str) -> Markup:
    """Return a figure as an element of a page; call it within `drawing`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn in the stand-in colours.
    name : str
        Letters, digits and hyphens: no other picture of the page is called so.
    title : str
        What it shows, in some words.
    description : str
        What can be seen in it, for those who cannot see it.
    """
    from markupsafe import Markup

    content = io.StringIO()
    # Neither the date nor the version, which would change without the picture.
    figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    text = content.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    # Its own size is that of its place; names are its own in a page of several pictures.
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"(font: [^\"]*?px) [^;\"]+", r"\1 var(--sans)", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    labels = f'role="img" aria-labelledby="{name}-title {name}-description"'
    told = (
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>'
    )
    head, _, rest = text.partition(">")
    return Markup(f"{head} {labels}>{told}{rest}")  # noqa: S704  # drawn here; its text is escaped
