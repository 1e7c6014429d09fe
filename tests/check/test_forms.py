"""Losses as people write them end with the exit code that their numbers deserve."""

import pytest

from lossfw.check import check
from support.forms import FORMS


@pytest.mark.turns(12)
@pytest.mark.parametrize(("form", "code", "why"), FORMS, ids=lambda x: getattr(x, "__name__", ""))
def test_a_check_of_a_form_ends_as_it_must(form, code, why):
    report = check(form())
    assert int(not report.ok) == code, f"{why}\n{report}"
