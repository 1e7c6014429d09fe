"""An error of 1 % in one region of the arguments is found, and called wrong in ordinary numbers."""

from collections import Counter

import numpy as np
import pytest

from lossfw.check import check
from support.honest import HONEST
from support.planted import every_planted

# So many are drawn, in parts that run side by side, and so many of each part are found at least.
DRAWN, PARTS, LEAST = 300, 3, 0.99

# One of each family and of each kind of loss.
SAMPLE = [
    "Bell gradient: r in -1e5 .. 1e6",
    "Logistic value: m in -1e4 .. 1e5",
    "Spread value: scale in +1e-6 .. 1e-5",
    "Shares hessian: y 1e-5 .. 1e-4 from 1",
    "Entropy gradient: soft targets with a 0",
    "Flags value: a = 1, b = 1",
    "Times gradient: 128 to 255 rows",
    "Times value: any time in +1e3 .. 1e4",
]


def of_text(text):
    return next(one for one in every_planted() if str(one) == text)


@pytest.mark.turns(3)
@pytest.mark.parametrize("text", SAMPLE)
def test_an_error_in_one_region_is_found(text):
    assert of_text(text).is_found()


@pytest.mark.parametrize("loss", HONEST, ids=lambda loss: loss.__name__)
@pytest.mark.slow
def test_an_honest_loss_is_right_in_ordinary_numbers(loss):
    refuted = check(loss(), only=["value", "gradient", "hessian"]).refuted
    assert [one for one in refuted if one.grade == "wrong"] == []


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.slow
@pytest.mark.long
def test_nearly_all_errors_are_found(part):
    every = every_planted()
    drawn = np.random.default_rng(0).choice(len(every), DRAWN, replace=False)[part::PARTS]
    tried, missed = Counter(), []
    for one in (every[number] for number in drawn):
        tried[one.region.family] += 1
        if not one.is_found():
            missed.append(str(one))
    print("\n".join([f"tried {dict(tried)}, missed {len(missed)}", *missed]))
    assert len(missed) <= (1 - LEAST) * len(drawn), missed
