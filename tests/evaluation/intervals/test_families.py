"""Stars for all differences of a table, differences of recipes, and the winner of a sweep.

The numbers of `cases.json` are statsmodels' and SciPy's.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from lossfw.evaluation.intervals.families import (
    holm_adjusted,
    max_t_quantile,
    simultaneous_quantile,
)
from lossfw.evaluation.intervals.left_out import LeaveOneOut
from lossfw.evaluation.intervals.recipes import (
    difference_over_folds,
    difference_over_seeds,
    wider_of,
)
from lossfw.evaluation.intervals.student import t_quantile
from lossfw.evaluation.intervals.winner import best_of

CASES = {
    case["kind"]: case
    for case in json.loads((Path(__file__).parent / "cases.json").read_text())["cases"]
}
UNITS = 40


def of_means(losses):
    """Return the means of units (U, numbers), and without each unit, one by one."""
    total, freedom = losses.sum(axis=0), len(losses) - 1.0
    numbers = zip(total / len(losses), ((total - losses) / freedom).T, strict=True)
    return [LeaveOneOut(np.asarray(middle), column, freedom) for middle, column in numbers]


def test_holm_and_the_studentized_maximum_modulus_are_those_of_other_libraries():
    case = CASES["Holm"]
    found = holm_adjusted(case["inputs"]["p"])
    assert found == pytest.approx(case["expected"]["adjusted"], rel=1e-12)
    case = CASES["simultaneous, unrelated numbers"]
    found = max_t_quantile(np.eye(case["inputs"]["numbers"]), case["inputs"]["freedom"], 0.95)
    assert found == pytest.approx(case["expected"]["multiplier"], rel=case["rtol"])


def test_repeated_cross_validation_is_the_formula_of_nadeau_and_bengio():
    case = CASES["repeated cross-validation"]
    found, expected = difference_over_folds(case["inputs"]["differences"]), case["expected"]
    assert found.value == pytest.approx(expected["value"], rel=1e-12)
    assert found.error == pytest.approx(expected["standard_error"], rel=1e-12)
    assert found.freedom == expected["freedom"]
    assert found.ends(case["level"]) == pytest.approx(expected["interval"], rel=1e-12)


def test_equal_differences_count_once_and_those_that_do_not_vary_not_at_all():
    (one,) = of_means(np.random.default_rng(2).normal(size=(UNITS, 1)))
    alone = simultaneous_quantile([one], 0.95)
    assert alone == t_quantile(0.95, UNITS - 1.0)
    assert simultaneous_quantile([one] * 5, 0.95) == pytest.approx(alone, rel=0.03)
    still = LeaveOneOut(np.asarray(0.0), np.zeros(UNITS), UNITS - 1.0)
    assert simultaneous_quantile([one, still], 0.95) == alone


def test_seeds_widen_an_interval_of_units_and_few_seeds_say_nothing():
    by_seed = [0.1, 0.3, 0.2, 0.0]
    found = difference_over_seeds(by_seed, 0.05, 39.0)
    # The variances add up, and Satterthwaite's freedom is between the two.
    of_seeds = np.var(by_seed, ddof=1) / 4
    assert found.error == pytest.approx(np.sqrt(0.05**2 + of_seeds), rel=1e-14)
    assert 3.0 < found.freedom < 39.0 + 3.0
    assert difference_over_seeds(by_seed, 0.0, 39.0).freedom == pytest.approx(3.0)
    assert difference_over_seeds(by_seed[:2], 0.05, 39.0) is None
    folds = difference_over_folds([[0.1, 0.5], [0.3, -0.2], [0.0, 0.4]])
    assert wider_of(found, folds, 0.95) is folds


def test_one_unit_leaves_nothing_to_judge_by():
    alone = [LeaveOneOut(np.array(1.0), np.array([np.nan]), 0.0)] * 2
    assert np.isnan(best_of(alone, np.ones(1), 0.95).corrected)
