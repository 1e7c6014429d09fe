"""Losses as people write them end with the exit code that their numbers deserve."""

import ast
import inspect
import textwrap

import pytest

from lossfw import Loss
from lossfw.check import check
from support.forms import FORMS, HONEST, MISTAKES

METHODS = ("formula", "value", "derivative", "second_derivative", "claims")


def source(method):
    """Return the code of a method, without its name."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(method))).body
    function.name = ""
    return ast.dump(function)


def body(form):
    """Return the code of a form, of classes of its own and of those that it inherits from."""
    methods = {name: getattr(form, name) for name in METHODS if hasattr(form, name)}
    spaces = [repr(getattr(form, name, None)) for name in ("prediction", "target")]
    own = {n: source(m) for n, m in methods.items() if not m.__module__.startswith("lossfw.")}
    return repr((*spaces, own))


def test_a_body_has_one_exit_code():
    codes = {}
    for form in FORMS:
        codes.setdefault(body(form), {}).setdefault(form.ending.code, form.__name__)
    assert [both for both in codes.values() if len(both) > 1] == []


def test_every_form_has_a_reason():
    assert min(len(form.ending.why) for form in FORMS) > 20


def test_there_are_as_many_forms_as_were_collected():
    assert (len(HONEST), len(MISTAKES)) == (45, 35)


def test_most_honest_forms_end_with_nothing_wrong():
    assert sum(form.ending.code == 0 for form in HONEST) >= 38


# Wrong by the rule, at points that the search does not draw: float32 rows along an axis, 1e-6 long.
MISSED = ("HonestCosineByProducts", "CosineByDots")


@pytest.mark.turns(40)
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(
            form,
            id=form.__name__,
            marks=[pytest.mark.xfail(reason="the search misses it", strict=False)]
            * (form.__name__ in MISSED),
        )
        for form in FORMS
    ],
)
def test_a_check_of_a_form_ends_as_it_must(form: type[Loss]):
    report = check(form())
    assert int(not report.ok) == form.ending.code, f"{form.ending.why}\n{report}"
