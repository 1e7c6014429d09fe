"""The style of every picture: matplotlib's settings, colours and dashes.

A picture in a page is drawn in stand-in colours, which `lossfw.report.html.picture`
replaces by variables of the style sheet. matplotlib is imported on use. The same picture
gives the same file, byte for byte, with the same version of it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from lossfw.errors import MissingExtraError
from lossfw.extras import install_command

# Control characters that no file of XML may have, not even as an entity.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")

# More labels of a logarithmic axis would run into each other on a phone.
_MOST_TICKS = 6

# Dots per inch of a PNG.
_DPI = 144

_SETTINGS: dict[str, Any] = {
    # A dollar sign in a name is one, and begins no formula.
    "text.parse_math": False,
    # Names of clipping paths and the like come from this and not from chance.
    "svg.hashsalt": "lossfw",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}

# Stand-ins for the colours of text, of axes, of grids and of the page behind a picture.
INK, MUTED, GRID, SURFACE = "#1a1b01", "#5a5b01", "#d0d101", "#fefd01"

_PAGE_SETTINGS: dict[str, Any] = {
    **_SETTINGS,
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


class Theme(NamedTuple):
    """The style of pictures of one kind."""

    settings: dict[str, Any]
    colours: tuple[str, ...]
    dashes: tuple[Any, ...]
    surface: str

    def line_style(self, index: int, *, dashed: bool = True) -> dict[str, Any]:
        """Return colour and dashes of a line by its number."""
        return {
            "color": self.colours[index % len(self.colours)],
            "linestyle": self.dashes[index % len(self.dashes) if dashed else 0],
        }


# The palette of Okabe and Ito, which the colour-blind can tell apart, without its yellow.
FILE = Theme(
    _SETTINGS,
    ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"),
    ("-", "--", "-.", ":"),
    "white",
)
# Stand-ins again, which no picture would use by chance; the style sheet says the colours.
PAGE = Theme(
    _PAGE_SETTINGS,
    ("#01a001", "#01a002", "#01a003", "#01a004", "#01a005", "#01a006"),
    ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)), (0, (9, 3)), (0, (3, 3))),
    SURFACE,
)


@contextmanager
def drawing(width: float, height: float, theme: Theme = FILE) -> Iterator[Any]:
    """Return an empty figure with the settings of a theme."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            f"a picture needs matplotlib ({error}): install it with {install_command('report')}"
        ) from None

    with rc_context(theme.settings):
        yield Figure(figsize=(width, height), layout="constrained")


def use_log_scale(axes: Any, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, with powers of ten written as 1e-05.

    matplotlib's own labels are TeX, which these settings do not render.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(LogLocator(numticks=_MOST_TICKS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def figure_bytes(figure: Any, form: str) -> bytes:
    """Return a figure as the content of a file; call it within `drawing`."""
    content = io.BytesIO()
    # Neither the date nor the version, which would change without the picture.
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    figure.savefig(content, format=form, dpi=_DPI, metadata=metadata)
    if form == "svg":
        # Names from files may have any character, and XML has no control characters at all.
        return _CONTROL.sub(lambda found: repr(found[0])[2:-1].encode(), content.getvalue())
    return content.getvalue()
