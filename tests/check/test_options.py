"""What is run and what counts: selected checks, severities, tolerances, outside functions."""

import numpy as np
import pytest

import lossfw
from lossfw.check import check, check_function, parametrize_with_checks, subject
from lossfw.check.runner import run, suite_of_subject
from lossfw.components.registry import registry
from lossfw.errors import ArgumentError
from support.liars.claims import huber
from support.liars.honest import distance

FALSE = distance(huber, lipschitz=0.5, strictly_convex=True, convex=True)


def off(y, t):
    """The squared error, with a digit wrong and with conventions of its own."""
    return (np.asarray(y) - t) ** 2 * (1 + 4e-9)


def overflowing(y, t):
    r = np.abs(np.asarray(y, float) - t)
    return np.log(np.cosh(r))


DESCRIBED = {"against": "squared_error", "examples": 20}


@pytest.mark.parametrize(
    ("only", "skip", "ran"),
    [
        (["value:negative_zero", "convex"], [], {"value:negative_zero", "claim:convex"}),
        (["weights", "claim"], ["weights", "lipschitz"], {"claim:convex", "claim:nonnegative"}),
    ],
)
def test_checks_are_chosen_by_name_claim_or_group(only, skip, ran):
    report = check("huber", examples=5, only=only, skip=skip)
    held = {one.check for one in report.passed}
    assert ran <= held
    assert all(name in ran or name.startswith("claim:") for name in held)
    assert report.not_run["dtype:result"] == "deselected"
    assert report.ok


def test_the_gravest_finding_is_told_first():
    report = check_function(overflowing, against="log_cosh", examples=40)
    grades = [refutation.grade for refutation in report.refuted]
    assert grades[0] == "wrong"
    assert grades == sorted(grades, key=["wrong", "digits", "extreme", "convention"].index)
    assert "convention" in grades


def test_conventions_of_an_outside_function_count_on_request():
    report = check_function(off, **DESCRIBED, rtol=1e-8)
    assert {refutation.grade for refutation in report.refuted} == {"convention"}
    assert (report.failures, report.notes) == ([], [])
    assert report.ok
    assert not check_function(off, **DESCRIBED, rtol=1e-8, conventions=True).ok
    assert not check_function(off, **DESCRIBED).ok


@pytest.mark.slow
def test_values_and_derivatives_may_be_off_by_a_part():
    def derivative(y, t):
        return 2 * (np.asarray(y) - t) * (1 + 4e-9)

    for rtol, ok in ((0.0, False), (3.9e-9, False), (4.1e-9, True)):
        report = check_function(
            off, gradient=derivative, rtol=rtol, only=["value", "gradient"], **DESCRIBED
        )
        assert report.ok == ok, rtol


def test_a_report_raises_what_a_person_needs():
    check("huber", examples=5, only=["value"]).raise_if_refuted()
    with pytest.raises(AssertionError, match=r"(?s)off: wrong: value.*to reproduce:.*value\(y, t"):
        check_function(off, **DESCRIBED).raise_if_refuted()


def test_an_outside_function_has_cases_of_pytest():
    described = subject(off, against="squared_error")
    cases = {c.values[1].name: c for c in parametrize_with_checks([described], examples=10).args[1]}
    assert "dtype:result" not in cases
    assert cases["value"].id == "off-value"
    component, case = cases["value"].values
    assert component is described
    with pytest.raises(pytest.fail.Exception, match="wrong: value"):
        case(component)
    strict = parametrize_with_checks([described], examples=10, conventions=True).args[1]
    assert "dtype:result" in {c.values[1].name for c in strict}


def cases(*components, **options):
    return parametrize_with_checks(list(components), **options)


OF_DISTANCE = {"kind": "distance", "prediction": "REAL", "target": "REAL"}


@pytest.mark.parametrize(
    ("function", "arguments", "options", "message"),
    [
        (check, ["huber"], {"examples": 0}, "examples=0; expected a whole number of at least 1"),
        (check, ["huber"], {"seed": "a"}, "seed='a'; expected a whole number of at least 0"),
        (check, ["huber"], {"only": ["vale"]}, r"only='vale' .* Did you mean 'value'"),
        (check, [type(lossfw.loss("huber"))], {}, r"give an object of it, Huber\(\)"),
        (check, [off], {}, "`check_function` and `subject` take functions"),
        (check, [registry().create("optimizer", "sgd")], {}, "losses, activations, models and"),
        (check_function, [3], {"against": "huber"}, "value is 3; expected a function"),
        (subject, [off], {}, "kind, prediction, target must be given"),
        (subject, [off], {"kind": "pointwise"}, "prediction, target must be given"),
        (subject, [off], {"kind": "distanc"}, "'distanc' is not known: choose one of distance"),
        (subject, [off], {**OF_DISTANCE, "prediction": "REALS"}, "REALS"),
        (subject, [off], {**OF_DISTANCE, "claims": {"convx": True}}, "Did you mean 'convex'"),
        (run, [suite_of_subject(FALSE)], {"expected_failures": {"convx": "because"}},
         "Did you mean 'convex'"),
        (run, [suite_of_subject(FALSE)], {"expected_failures": {"convex": " "}},
         "has no reason"),
        (parametrize_with_checks, ["huber"], {}, r"components should be a list: \['huber'\]"),
        (parametrize_with_checks, [lossfw.loss("huber")], {}, "components should be a list"),
        (cases, [], {}, "no components"),
        (cases, ["huber"], {"examples": 0}, "examples=0"),
        (cases, ["huber"], {"expected_failures": {"hinge": {"convex": "x"}}},
         "none of the components"),
        (cases, ["huber"], {"expected_failures": {"convx": "x"}}, "Did you mean 'convex'"),
        (cases, ["huber"], {"expected_failures": {"convex": ""}}, "no reason"),
        (lossfw.registry().class_of, ["huber"], {},
         r"component_class\(kind, name\) takes names")
    ]
)  # fmt: skip
def test_a_wrong_argument_is_told_in_words(function, arguments, options, message):
    with pytest.raises(ArgumentError, match=message):
        function(*arguments, **options)


def test_one_word_is_a_sequence_of_one():
    assert {one.check for one in check("huber", only="value", examples=2).passed} <= {
        "value", "value:negative_zero", "value:roundtrip"
    }  # fmt: skip
