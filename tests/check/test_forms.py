"""Losses as people write them end with the exit code that their numbers deserve."""

import pytest

from lossfw import Loss
from lossfw.check import check
from support.forms import FORMS


@pytest.mark.turns(20)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_check_of_a_form_ends_as_it_must(form: type[Loss]):
    report = check(form())
    assert int(not report.ok) == form.ending.code, f"{form.ending.why}\n{report}"
