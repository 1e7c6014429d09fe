"""Student's t, Satterthwaite's freedom, and what can be asked of intervals and slices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw import ParameterError
from lossfw.evaluation.intervals.freedom import degrees_of_freedom
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.student import t_quantile, two_sided_p_value
from lossfw.evaluation.slices import BY, Slice

stats = pytest.importorskip("scipy.stats")


@given(st.floats(0.01, 0.999), st.floats(1.0, 1e7))
def test_quantiles_of_t(level, freedom):
    wanted = stats.t.ppf((1 + level) / 2, freedom)
    assert t_quantile(level, freedom) == pytest.approx(wanted, rel=1e-10)


@given(st.floats(0.0, 40.0), st.floats(1.0, 1e6))
def test_p_values_of_t(t, freedom):
    assert two_sided_p_value(t, freedom) == pytest.approx(
        2 * stats.t.sf(t, freedom), rel=1e-8, abs=1e-14
    )


def by_dense_matrices(size, spread):
    """Return tr(QO)^2 / tr(QOQO) from the leave-one-out values of each basis vector."""
    total = size.sum()
    rest = total - size
    # The change of the mean without unit c for errors u: (m - u_c) / rest, with m = size-weighted.
    change = (np.ones((len(size), 1)) * np.ones(len(size)) - np.eye(len(size))) / rest[:, None]
    change = change - 1.0 / total
    q = change.T @ change @ np.diag(spread)
    return np.trace(q) ** 2 / np.trace(q @ q)


@given(st.lists(st.floats(0.1, 100.0), min_size=3, max_size=12), st.integers(0, 9))
def test_degrees_of_freedom_are_those_of_dense_matrices(size, seed):
    """Errors u sum to a residual: u_c stands for sum(w (l - m)) of a unit."""
    size = np.array(size)
    spread = np.random.default_rng(seed).uniform(0.5, 2.0, len(size)) * size
    # m_c - m = (U - u_c) / (W - w_c) - U / W, U the sum of all u.
    wanted = max(by_dense_matrices(size, spread), 1.0)
    assert degrees_of_freedom(size, spread) == pytest.approx(wanted, rel=1e-8)


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
