"""Formulas as MathML, made when pages are built: a reader needs no script and no network."""

from __future__ import annotations

import re
from typing import Any

# A function before what is no bracket, as in log y: print has a thin space there, and
# browsers leave none.
_FUNCTION = re.compile(r"(<mo>&ApplyFunction;</mo>)(?!\s*<mo[^>]*>[(\[|])")
_THIN_SPACE = '<mspace width="0.1667em"></mspace>'


def setup(app: Any) -> None:
    """Make `mathml` a renderer of formulas."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))


def _inline(writer: Any, node: Any) -> None:
    _write(writer, node, "{}", as_block=False)


def _block(writer: Any, node: Any) -> None:
    # A long formula scrolls, by mouse and by keyboard.
    box = '<div class="formula" tabindex="0" role="group" aria-label="formula">{}</div>'
    _write(writer, node, box, as_block=True)


def _write(writer: Any, node: Any, around: str, *, as_block: bool) -> None:
    from docutils import nodes

    writer.body.append(around.format(typeset(node.astext(), as_block=as_block)))
    raise nodes.SkipNode


def typeset(latex: str, *, as_block: bool) -> str:
    """Return LaTeX as MathML."""
    from docutils.utils.math.latex2mathml import tex2mathml

    return _FUNCTION.sub(rf"\1{_THIN_SPACE}", str(tex2mathml(latex, as_block=as_block)))
