"""PromisedRange: sizes of numbers for which a loss promises its results."""

import re

import numpy as np
import pytest
from click.testing import CliRunner

import lossfw
from lossfw.cli import main
from lossfw.components.ranges import EVERY_SIZE, PROMISED, PromisedRange, parse_range
from lossfw.errors import ArgumentError

SMALL, LARGE = PromisedRange(1e-3, 10.0), PromisedRange(0.1, 1e6, float32=(1.0, 1e3))


@pytest.mark.parametrize(
    ("sizes", "dtype", "inside", "outside"),
    [
        (SMALL, "float64", [0.0, -0.0, 1e-3, -10.0, np.nan], [9e-4, -11.0, np.inf]),
        (LARGE, "float64", [0.1, 1e6], [0.09, 2e6]),
        (LARGE, "float32", [1.0, 1e3], [0.1, 1e4]),
        (LARGE, "float16", [0.0, 2.0], [0.5, 6e4]),
        (PromisedRange(1e-100, 1e100), "float16", [1.0, 6e4], [np.inf]),
        (PromisedRange(high=3.0), "int64", [0, -3], [4]),
        (PROMISED, "float64", [0.0, 1e-30, -1e30, np.nan], [9e-31, 2e30, np.inf]),
        (PROMISED, "float32", [0.0, 1.1e-10, -1e10], [9e-11, 2e10]),
        (PromisedRange(high=3.0), "float32", [0.0, 1.1e-10, 3.0], [9e-11, 4.0]),
        (PromisedRange(1e-20), "float32", [1e-20, 1e10], [1e-21, 2e10]),
        (EVERY_SIZE, "float64", [5e-324, 1.7e308], [np.inf, -np.inf]),
    ],
)
def test_a_range_is_of_sizes(sizes, dtype, inside, outside):
    assert sizes.contains(np.array(inside, dtype)).all()
    assert not sizes.contains(np.array(outside, dtype)).any()


def test_a_range_is_given_by_its_limits():
    for given, sizes in {
        "1e-100..1e100": PromisedRange(1e-100, 1e100),
        "..10": PromisedRange(high=10.0),
        "0.5..": PromisedRange(0.5),
        (1, 2): PromisedRange(1.0, 2.0),
        SMALL: SMALL,
    }.items():
        assert parse_range(given) == sizes


def test_what_is_not_a_range_is_refused_in_words():
    for given in ("3", "a..b", "5..1", "-1..2", "nan..1", "", "1..2..3", (1,), (1, "x"), 3.0):
        with pytest.raises(ArgumentError, match="is not a range of sizes: expected LOW"):
            parse_range(given)
    for sizes in ({"low": 2.0, "high": 1.0}, {"float32": (-1.0, 1.0)}):
        with pytest.raises(ArgumentError, match="the smaller one first"):
            PromisedRange(**sizes)
    for promised in (None, (0, 1), "0..1"):
        with pytest.raises(TypeError, match=r"target_range of Wrong is .*; expected a PromisedRan"):
            type("Wrong", (lossfw.DistanceLoss,), {"target_range": promised})


NEAR = """
import lossfw


class Near(lossfw.DistanceLoss):
    'A square.'

    target_range = lossfw.PromisedRange(high=5.0)

    def value(self, xp, r):
        return r * r
"""


def test_a_description_has_the_promise(tmp_path):
    file = tmp_path / "near.py"
    file.write_text(NEAR)
    shown = CliRunner().invoke(main, ["show", "near", "--plugin", str(file)]).output
    assert re.search("^results +promised for targets of size up to 5$", shown, re.MULTILINE)
    assert "promised" not in CliRunner().invoke(main, ["show", "huber"]).output
