"""HTML: pages from templates, with everything that comes from users escaped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lossfw.errors import MissingExtraError
from lossfw.report.numbers import as_interval, as_number, as_rounded, as_share

TEMPLATES = Path(__file__).parent / "templates"

FILTERS: dict[str, Callable[..., str]] = {
    "number": as_number,
    "share": as_share,
    "interval": as_interval,
    "rounded": as_rounded,
}


def need_report() -> None:
    """See before a long computation whether pages can be made.

    Raises
    ------
    MissingExtraError
        If jinja2 or matplotlib is not installed.
    """
    try:
        import jinja2  # noqa: F401  # whether it is there
        import matplotlib  # noqa: F401  # whether it is there
    except ImportError as error:
        raise MissingExtraError(
            f"report.html needs jinja2 and matplotlib ({error}): install them with "
            "pip install 'lossfw[report]'"
        ) from None


def render(template: str, **values: Any) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        Its name in the folder of templates.
    **values
        What stands in it. Text is escaped, whoever it comes from; only pictures,
        which `lossfw.report.page.svg` makes, are put in as they are.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
    """
    need_report()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment.get_template(template).render(**values)
