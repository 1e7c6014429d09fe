"""Regions of examples, and searches that are narrowed to them."""

import numpy as np
import pytest

import lossfw
from lossfw.check.core.extra_points import branch_points
from lossfw.check.core.points import Points
from lossfw.check.core.region import Region, regions_of_points
from lossfw.check.core.search import Search
from lossfw.check.core.subject import subject_of_component
from lossfw.check.laws.formula import judgements

ORDINARY, FAR, WIDE = Region


@pytest.mark.parametrize(
    ("name", "y", "t", "expected"),
    [
        ("squared_error", 2.5, 0.0, ORDINARY),
        ("squared_error", 2e3, 0.0, FAR),
        ("squared_error", 1e-4, 0.0, FAR),
        ("squared_error", 2e6, 0.0, WIDE),
        ("squared_error", 1e-7, 0.0, WIDE),
        ("squared_error", 1.0, 1e20, WIDE),
        # Their difference is small beside both.
        ("squared_error", 3.0001, 3.0, FAR),
        ("squared_error", 3.0000001, 3.0, WIDE),
        ("logistic", 99.0, 1.0, ORDINARY),
        ("logistic", -101.0, 1.0, FAR),
        ("binary_cross_entropy", 0.5, 1.0, ORDINARY),
        ("binary_cross_entropy", 1.0, 1.0, ORDINARY),
        ("binary_cross_entropy", 1 - 1e-9, 1.0, WIDE),
        ("binary_cross_entropy", 1e-30, 1.0, WIDE),
        ("cross_entropy", [0.4, 0.6], 1, ORDINARY),
        ("cross_entropy", [1e-5, 1 - 1e-5], 1, FAR),
        ("cross_entropy", [1e-7, 1 - 1e-7], 1, WIDE),
    ],
)
def test_the_worst_number_of_a_pair_is_its_region(name, y, t, expected):
    subject = subject_of_component(lossfw.loss(name))
    assert regions_of_points(subject, Points(np.array([y]), np.array([t]))) == [expected]


@pytest.mark.parametrize("name", ["huber", "cross_entropy", "heteroscedastic_gaussian_nll"])
def test_narrowed_searches_share_out_the_points(name):
    subject, search = subject_of_component(lossfw.loss(name)), Search(examples=20)
    parts = [search.narrow(ORDINARY, FAR), search.narrow(WIDE)]

    def looked_at(search):
        some = [*search.points(subject), *branch_points(subject, search, "float64")]
        some += [judgement.points for judgement in judgements(subject, search, 1)]
        return [f"{y} {t}" for points in some for y, t in zip(points.y, points.t, strict=True)]

    ordinary, others = map(looked_at, parts)
    assert sorted(looked_at(search)) == sorted(ordinary + others)
    (first, *_) = parts[0].points(subject)
    assert (regions_of_points(subject, first) <= FAR).all()
