"""One slip of an author is one finding, with its cause and its cure."""

import math
import re

import numpy as np
import pytest

from lossfw import REAL, CategoricalLoss, DistanceLoss, PointwiseLoss, numerics
from lossfw.check import check, check_function, parametrize_with_checks


def loss(body, base=DistanceLoss, **more):
    """Return a loss with a body."""
    if base is PointwiseLoss:
        more |= {"prediction": REAL, "target": REAL}
    return type("Slip", (base,), {"__doc__": "A slip.", "value": body, **more})()


def no_xp(self, r):
    return r**2


def numpy_for_xp(self, xp, r):
    return np.where(np.isnan(r), 0.0, 2 * np.log1p(r**2))


def numpy_that_takes_any(self, xp, r):
    return np.where(r > 0, r, -r)


def math_for_xp(self, xp, r):
    return math.log(1 + r * r)


def branching(self, xp, r):
    return r if r > 0 else -r


def writing(self, xp, r):
    r[r < 0] = 0
    return r


def returning_nothing(self, xp, r):
    r * r  # the slip


def averaging(self, xp, r):
    return xp.mean(r * r)


def without_self(xp, r):
    return r * r


def erring(self, xp, r):
    return xp.erf(r)


def unheard_of(self, xp, r):
    return xp.softabs(r)


def softmax_with_axis(self, xp, y, t):
    return -xp.sum(t * xp.log(numerics.softmax(xp, y, axis=-1)), axis=-1)


def axis_by_position(self, xp, y, t):
    return numerics.logsumexp(xp, y) - xp.sum(t * y, -1)


def square(self, xp, r):
    return r * r


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (loss(no_xp), r"value takes \(r\); expected \(xp, r\): xp, the array namespace"),
        (loss(square, derivative=no_xp), r"derivative takes \(r\)"),
        (loss(numpy_for_xp), "`return np.where.*` uses numpy directly: take xp"),
        (loss(numpy_that_takes_any), "`value` uses numpy directly: take xp"),
        (loss(math_for_xp), "takes single numbers, as functions of math do"),
        (loss(branching), "branches on an array: choose with xp.where"),
        (loss(writing), "writes into an array: return a new one"),
        (loss(returning_nothing), "returned a NoneType"),
        (loss(averaging), r"returned shape \(\)"),
        (loss(without_self), r"value lacks self: write value\(self, xp, "),
        (loss(erring), r"`return xp.erf\(r\)` asks xp .* lossfw.numerics has erf\(xp, ...\)"),
        (loss(unheard_of), "it has those of the Python array API standard"),
        (loss(softmax_with_axis, CategoricalLoss),
         r"write softmax\(xp, z\), which goes along the last axis")
    ]
)  # fmt: skip
def test_a_slip_of_a_loss_is_one_finding(slip, words):
    report = check(slip, examples=5)
    (refutation,) = report.refuted
    assert re.search(words, refutation.message)
    assert len(report.not_run) > 20
    assert report.passed == []
    assert str(report).count("\n") < 40


def test_an_option_by_position_is_told_with_its_cure():
    report = check(loss(axis_by_position, CategoricalLoss), examples=5, only=["value"])
    finding = report.refuted[0]
    assert "xp.sum(t * y, -1)` calls xp.sum in a way" in finding.message
    assert "as in xp.sum(x, axis=-1)" in finding.message


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda y, t: np.mean((y - t) ** 2),
         "one number, .* their mean; expected the unreduced loss"),
        (lambda y, t: ((y - t) ** 2).sum(),
         "their sum; expected the unreduced loss, one result for each element"),
        (lambda y, t: 3.0, "one number, 3, for predictions of shape"),
        (lambda y, t: None, "returns None, which is not an array of numbers"),
    ],
)  # fmt: skip
def test_a_function_that_reduces_is_one_finding(function, words):
    report = check_function(function, kind="distance", prediction="REAL", target="REAL",
                            against="squared_error", examples=5)  # fmt: skip
    (refutation,) = report.refuted
    assert re.search(words, refutation.message)
    assert report.passed == []


def test_a_slip_fails_one_case_of_pytest():
    cases = parametrize_with_checks([loss(no_xp)], examples=5).args[1]
    outcomes = []
    for component, case in (case.values for case in cases):
        try:
            case(component)
        except (pytest.fail.Exception, pytest.skip.Exception) as outcome:
            outcomes.append(type(outcome))
    assert outcomes.count(pytest.fail.Exception) == 1


def test_an_error_that_is_expected_hides_no_other():
    report = check(loss(no_xp), examples=5, expected_failures={"shape:result": "a slip"})
    assert report.refuted
    assert not report.ok


class Forgiving(DistanceLoss):
    """A body that takes NaN for a large residual."""

    def value(self, xp, r):
        return xp.where(xp.abs(r) < 1, r * r, xp.ones_like(r))


def test_a_swallowed_nan_is_one_finding():
    report = check(Forgiving(), examples=20)
    assert [refutation.check for refutation in report.refuted] == ["nan"]
    assert report.not_run["mask"] == "the error that nan reports"


class Dithered(DistanceLoss):
    """A body that draws."""

    def value(self, xp, r):
        return r * r + np.random.random()  # noqa: NPY002  # as an author would write it


def test_results_of_chance_leave_nothing_to_compare():
    report = check(Dithered(), examples=20)
    assert "purity:repeat" in {refutation.check for refutation in report.refuted}
    assert report.not_run["value"] == "purity:repeat leaves no points to check"
    assert len(report.refuted) < 5
