"""Metrics under check: built-in ones, those that take no rows, and what their laws look at."""

from typing import ClassVar

import numpy as np
import pytest

import lossfw
from lossfw.check import check, parametrize_with_checks
from lossfw.check.instances import instances_to_check
from lossfw.metrics import ElementMetric
from support.liars.metrics import Distance, Forgetful

KNOWN = lossfw.registry()
METRICS = [KNOWN.class_of(entry) for entry in KNOWN.entries("metric") if entry.plugin.builtin]


@parametrize_with_checks([Distance()])
def test_an_honest_metric(component, check):
    check(component)


@pytest.mark.turns(3)
@pytest.mark.parametrize("cls", METRICS, ids=lambda cls: cls.__name__)
def test_the_built_in_metrics_keep_their_laws(cls):
    reports = [check(instance.component) for instance in instances_to_check(cls)]
    assert not [one.message for report in reports for one in report.refuted]
    # Each takes rows of a kind, at one set of parameters at least.
    assert any("metric:weights" in {one.check for one in report.passed} for report in reports)


def test_a_metric_that_takes_no_rows_says_why():
    class Broken(ElementMetric):
        def elements(self, prediction, target):
            return prediction + undefined  # noqa: F821

    report = check(Broken())
    assert not report.ok
    assert "takes no rows of those that are drawn; numbers: NameError" in str(
        report.not_applicable["metric:split"]
    )


def test_a_factor_of_the_weights_may_multiply_a_result():
    class Total(Forgetful):
        weight_factor: ClassVar = "multiplies"

        def value(self, sums, columns):
            return sums[:, 0]

        def unpack(self, arrays):
            return super(Forgetful, self).unpack(arrays)

    assert not [one for one in check(Total()).refuted if one.check == "metric:weights"]

    class Denies(Total):
        weight_factor: ClassVar = "ignored"

    (refuted,) = (one for one in check(Denies()).refuted if one.check == "metric:weights")
    assert "with all weights times 2.5" in refuted.message
    assert np.shape(refuted.inputs["y"])[0] == 60
