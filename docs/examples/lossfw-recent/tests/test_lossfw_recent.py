"""No loss is wrong in ordinary numbers, at its defaults."""

import pytest
from lossfw.check import check

import lossfw_recent
from lossfw_recent import elements, rows

CLASSES = [
    getattr(rows if module.endswith("rows") else elements, name)
    for module, name in (path.split(":") for path in lossfw_recent.lossfw_losses().values())
]


@pytest.mark.parametrize("cls", CLASSES)
def test_it_is_right_in_ordinary_numbers(cls):
    report = check(cls(), examples=20)
    assert all(found.grade in ("digits", "extreme") for found in report.refuted), report
