"""What can be asked of intervals and slices, and what is refused."""

import pytest

from lossfw import ParameterError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.slices import BY, Slice


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"level": 1.0}, "level should be between 0 and 1, got 1.0"),
        ({"level": float("nan")}, "level should be"),
        ({"method": "bootstap"}, "Did you mean 'bootstrap'?"),
        ({"replicates": 99}, "from 100 to 100000, got 99"),
        ({"seed": -1}, "seed should be a whole number of at least 0, got -1"),
    ],
)
def test_intervals_that_make_no_sense(wrong, said):
    with pytest.raises(ParameterError) as error:
        Intervals(**wrong)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("by", "bins", "said"),
    [
        ("prediction.mx", [0.5], "got 'prediction.mx'. Did you mean 'prediction.max'?"),
        ("colour", [], f"by should be one of {', '.join(BY)}, got 'colour'."),
        ("loss", [], "bins are needed for by: loss"),
        ("prediction.argmax", [0.5], "bins cannot be used with by: prediction.argmax"),
        ("loss", [1.0, 1.0], "should increase"),
        ("loss", list(range(1001)), "at most 1000 edges, got 1001"),
    ],
)
def test_slices_that_make_no_sense(by, bins, said):
    with pytest.raises(ParameterError) as error:
        Slice("s", by, bins)
    assert said in str(error.value)


def test_parts_in_words():
    assert Slice("s", "loss", [0.5]).labels == ("< 0.5", ">= 0.5")
    assert Slice.of("target").labels == ()
