"""The text of a report: its first line, a finding for each cause, simple witnesses."""

import functools

import numpy as np
import pytest
from pydantic import PositiveFloat

from lossfw import Claims, DistanceLoss, MarginLoss
from lossfw.check import Report, check
from lossfw.check.core.gravity import grades
from lossfw.check.core.judge import Judgement
from lossfw.check.core.points import Points
from lossfw.check.core.search import Search
from lossfw.check.core.shrink import shrink
from lossfw.check.core.subject import subject_of_component
from lossfw.check.findings import shared_causes
from lossfw.check.refutation import Refutation
from lossfw.check.severity import grade_of
from lossfw.numerics import softplus


class NaiveGeman(DistanceLoss):
    """The quotient is infinity by infinity where the squares overflow."""

    c: PositiveFloat = 1.0

    def value(self, xp, r):
        return r * r / (r * r + self.c**2)

    def claims(self):
        return Claims(nonnegative=True, zero_at_target=True, bounded=1.0)


class WrongDerivative(MarginLoss):
    """The derivative has lost its factor, and the loss comes closer to 0 than it claims."""

    steepness: PositiveFloat = 2.0

    def value(self, xp, m):
        return softplus(xp, -self.steepness * m)

    def derivative(self, xp, m):
        return -1 / (1 + xp.exp(self.steepness * m))

    def claims(self):
        return Claims(lower_bound=0.1)


CASES = {
    "two causes": (
        [WrongDerivative(), WrongDerivative(steepness=0.3)],
        "wrong_derivative: wrong: gradient, claim:lower_bound",
        ["gradient", "claim:lower_bound"],
    ),
    "digits": (
        [NaiveGeman(), NaiveGeman(c=7.5)],
        ("naive_geman: nothing wrong, 1 note: gradient (no formula: the value was compared only "
         "with itself)"),
        ["gradient"],
    ),
}  # fmt: skip
of_each = pytest.mark.parametrize("name", CASES)


@functools.cache
def report_of(name):
    """Return the report on the losses of a case."""
    return Report.merge([check(loss, examples=60) for loss in CASES[name][0]])


@of_each
def test_the_first_line_is_the_verdict_and_a_cause_is_one_finding(name):
    report, (_, first_line, causes) = report_of(name), CASES[name]
    first, *lines = str(report).splitlines()
    assert first == first_line
    assert [cause.first.check for cause in report.causes] == causes
    assert len(lines) < 40


@of_each
def test_the_json_keeps_every_finding(name):
    report = report_of(name)
    shown = [finding for cause in report.causes for finding in cause.findings]
    assert sorted(map(repr, shown)) == sorted(map(repr, report.refuted))
    for finding in report.to_dict()["refuted"]:
        assert finding["grade"] in ("wrong", "digits", "extreme")
        assert finding["severity"] == ("wrong" if finding["grade"] == "wrong" else "note")


@of_each
def test_the_code_of_a_report_runs_from_the_first_finding_to_the_last(name):
    """A finding leaves out the lines that it has in common with the one before it."""
    report = report_of(name)
    lines = [line[6:] for line in report.lines() if line.startswith("      ")]
    printed = []
    exec("\n".join(lines), {"print": lambda *values: printed.append(values)})
    assert len(printed) == len(report.causes)


LOSS = subject_of_component(NaiveGeman())


@pytest.mark.parametrize(
    ("check_name", "y", "t", "grade"),
    [
        ("dtype:result", [3.0], [1.0], "convention"),
        # A law is broken at any one of its numbers, a claim by all of them together.
        ("purity:bits", [3.0, 1e200], [1.0, 1.0], "wrong"),
        ("claim:convex", [3.0, 1e200], [1.0, 1.0], "extreme"),
        ("claim:convex", [3.0, 1e29], [1.0, 1.0], "wrong"),
        ("weights", [[3.0, 1e200]], [[1.0, 1.0]], "wrong"),
        ("nan", [np.nan], [1.0], "wrong"),
    ],
)
def test_a_claim_and_a_law_hold_for_promised_sizes(check_name, y, t, grade):
    assert grade_of(check_name, LOSS, {"y": np.array(y), "t": np.array(t)}) == grade


@pytest.mark.parametrize(
    ("subject", "order", "dtype", "y", "actual", "expected", "grade"),
    [
        # Off both absolutely and as a share, at sizes of data.
        (LOSS, 0, "float64", 3.0, 0.5 + 9e-10, 0.5, "digits"),
        (LOSS, 0, "float64", 3.0, 2.0 + 4e-9, 2.0, "wrong"),
        (LOSS, 0, "float64", 3.0, 2e-9, 0.0, "wrong"),
        (LOSS, 0, "float64", 3.0, 2e-10, 0.0, "digits"),
        (LOSS, 0, "float64", 3e3, 1e6 + 1e-5, 1e6, "digits"),
        (LOSS, 0, "float64", 3e7, 2.0, 1.0, "extreme"),
        (LOSS, 0, "float32", 3.0, 2.0001, 2.0, "digits"),
        (LOSS, 0, "float32", 3.0, 2.001, 2.0, "wrong"),
        # A derivative that nobody wrote.
        (LOSS, 1, "float64", 3.0, 1.00001, 1.0, "digits"),
        (LOSS, 1, "float64", 3.0, 1.001, 1.0, "wrong"),
        (LOSS, 2, "float32", 3.0, 1.005, 1.0, "digits"),
        (LOSS, 2, "float32", 3.0, 1.1, 1.0, "wrong"),
        (subject_of_component(WrongDerivative()), 1, "float64", 3.0, 2.00001, 2.0, "wrong"),
        # A number is promised farther out than its digits.
        (LOSS, 1, "float64", 1e25, np.nan, 1.0, "wrong"),
        (LOSS, 0, "float32", 1e9, np.inf, 1.0, "wrong"),
        (LOSS, 0, "float64", 3.0, 27.6, np.inf, "wrong"),
        (LOSS, 0, "float64", 3.0, np.nan, np.inf, "wrong"),
    ],
)
def test_a_result_is_wrong_by_more_than_its_last_digits(
    subject, order, dtype, y, actual, expected, grade
):
    y, t, actual, expected = (np.array([x], dtype) for x in (y, 0.0, actual, expected))
    for is_wrong, its_grade in ((True, grade), (False, "")):
        judgement = Judgement(Points(y, t), actual, expected, np.array([is_wrong]))
        assert grades(subject, judgement, order).tolist() == [its_grade]


def too_large(points):
    return np.where(np.abs(points.y - points.t) > 20, 2, 0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("y", "t", "simple"),
    [
        (234.56789012, 1.2345678, (100.0, 0.0)),
        # A sign is a character.
        (-7.123e30, 3.3e-30, (0.0, 100.0)),
    ],
)
def test_a_witness_shrinks_to_simple_numbers_of_its_dtype(dtype, y, t, simple):
    small = shrink(LOSS, Search(), Points(np.array([y], dtype), np.array([t], dtype)), too_large)
    assert (small.y.item(), small.t.item(), small.y.dtype) == (*simple, dtype)


def finding(check_name, grade="wrong", inputs=None, component="A", error="other"):
    arrays = {name: np.array(x) for name, x in (inputs or {}).items()}
    return Refutation(check_name, None, "", arrays, grade=grade, component=component, error=error)


@pytest.mark.parametrize(
    ("findings", "count"),
    [
        # Value, gradient and Hessian, of every set of parameters.
        ([finding("value"), finding("hessian"), finding("value", component="B")], 1),
        # A NaN of the value is one of the derivatives, and one finding.
        ([finding("value", error="overflow"), finding("gradient", error="overflow"),
          finding("nan:legal")], 1),
        # A wrong derivative is another mistake than a value that overflows.
        ([finding("value", error="overflow"), finding("gradient")], 2),
        # A value that is right to eight digits has lost digits.
        ([finding("value", "digits"), finding("gradient", "digits")], 1),
        ([finding("value"), finding("gradient", "digits")], 2),
        # What is wrong at some parameters need not be told of others again.
        ([finding("gradient"), finding("gradient", "extreme")], 1),
        ([finding("gradient"), finding("hessian", "extreme")], 2),
        # Results that depend on their companions break whatever is called.
        ([finding("nan"), finding("purity:companions"), finding("hessian"), finding("mask")], 1),
        # Laws and claims: the same check, or the same numbers.
        ([finding("mask"), finding("mask", component="B"), finding("weights")], 2),
        ([finding("claim:nonnegative", inputs={"y": [1.0]}),
          finding("claim:lower_bound", inputs={"y": [1.0]})], 1),
        ([finding("claim:convex", inputs={"y": [1.0]}),
          finding("claim:bounded", inputs={"y": [2.0]})], 2)
    ]
)  # fmt: skip
def test_findings_of_one_cause_are_one(findings, count):
    found = shared_causes(findings)
    assert len(found) == count
    assert sum(len(cause.findings) for cause in found) == len(findings)


def test_an_array_is_not_printed_beyond_a_few_numbers():
    long = Refutation("mask", None, "wrong.", {"y": np.arange(9.0)}, "y = ...", component="A(b=1)")
    assert str(long).splitlines()[1:] == [
        "    at y of shape (9,) in float64: wrong.",
        "    to reproduce: the JSON has the code, for A(b=1)",
    ]
    assert "at y = [0.0, 0.1] in float32: " in str(
        Refutation("mask", None, "wrong.", {"y": np.array([0.0, 0.1], "float32")})
    )
