"""Formulas of a page as print has them."""

import pytest

pytest.importorskip("docutils", reason="docutils is not installed")

from lossfw.report.site.extension import typeset

SPACE = '<mspace width="0.1667em"></mspace>'


@pytest.mark.parametrize(
    ("latex", "spaces"), [(r"\log y", 1), (r"\log (y)", 0), (r"\log\!\left(y\right)", 1), ("y", 0)]
)
def test_a_function_keeps_off_what_has_no_bracket(latex, spaces):
    # Before \left( the space that \! takes back.
    assert typeset(latex, as_block=False).count(SPACE) == spaces
