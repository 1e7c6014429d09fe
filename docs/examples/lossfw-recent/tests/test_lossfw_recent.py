"""No loss is wrong in ordinary numbers, at its defaults."""

import pytest
from lossfw.check import check

import lossfw_recent
from lossfw_recent import elements, rows

CLASSES = [
    getattr(rows if module.endswith("rows") else elements, name)
    for module, name in (path.split(":") for path in lossfw_recent.lossfw_losses().values())
]


# Their second derivatives are not written.
DUAL = "dual numbers take one branch at a tie, and lose the digits of a tiny curvature"


@pytest.mark.parametrize("cls", CLASSES)
def test_it_is_right_in_ordinary_numbers(cls):
    known = {"hessian": DUAL} if cls.__name__ in ("HawkEye", "Hill") else None
    report = check(cls(), examples=20, expected_failures=known)
    assert all(found.grade in ("digits", "extreme") for found in report.refuted), report
