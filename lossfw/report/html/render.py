"""Render HTML pages from templates, with escaped user text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lossfw.components.naming import printable
from lossfw.errors import MissingExtraError
from lossfw.extras import install_command
from lossfw.report.text.tables import interval_text, number_text, percent_text, rounded_text

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


class NumberCard(NamedTuple):
    """A number at the top of a page, with its name and the text below it."""

    name: str
    value: str
    sub: str = ""


def breakable(text: str) -> Markup:
    """Return text that a browser may break after a comma, a dot or an equals sign.

    Examples
    --------
    >>> str(breakable("a<b=1,c"))
    'a&lt;b=<wbr>1,<wbr>c'
    """
    from markupsafe import Markup, escape

    escaped = str(escape(printable(text)))
    for mark in ",=.":
        escaped = escaped.replace(mark, f"{mark}<wbr>")
    return Markup(escaped)  # noqa: S704  # escaped above


def require_report() -> None:
    """Check before a long computation that pages can be rendered."""
    try:
        import jinja2  # noqa: F401  # whether it is there
        import matplotlib  # noqa: F401  # whether it is there
    except ImportError as error:
        raise MissingExtraError(
            f"report.html needs jinja2 and matplotlib ({error}): install them with "
            f"{install_command('report')}"
        ) from None


def render(template: str, **values: Any) -> str:
    """Return a page."""
    require_report()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Control characters in texts of users become escapes.
        finalize=lambda x: printable(x) if isinstance(x, str) and not isinstance(x, Markup) else x,
    )
    environment.filters.update(
        breakable=breakable,
        interval=interval_text,
        number=number_text,
        rounded=rounded_text,
        share=percent_text,
    )
    return environment.get_template(template).render(**values)
