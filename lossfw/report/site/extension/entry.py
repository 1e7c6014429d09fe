"""The entry of the extension, which Sphinx calls."""

from __future__ import annotations

from typing import Any

from lossfw.components.registry import KINDS
from lossfw.report.site.extension import copies, mathml


def setup(app: Any) -> dict[str, bool]:
    """Register the parts of the extension; Sphinx calls it.

    Each kind of component is a type of object, so that ``{loss}`huber``` in a page, and
    ``:loss:`huber``` in another project, lead to the page of a component.
    """
    for kind in KINDS:
        app.add_crossref_type(kind, kind, objname=kind)
    mathml.setup(app)
    copies.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
