"""Losses of columns and groups keep their digits where floats do not suffice for the way there."""

import numpy as np
import pytest

import lossfw

FAR_TRIPLET = [[2.0**-52, 37.0], [-1e25, -20.0], [-1e-7, -1e25]]

# Name, function, prediction, target, and the entry of the result with its value by mpmath.
CASES = [
    # The scale is so small that the rounding of log(t) would count.
    ("lognormal_nll", "value", [6.61472560020376, -104.0], 746.0, 0, 1.8517712347065913e59),
    # The logarithm is linear in a log scale that no exponential takes.
    ("student_t_nll", "gradient", [-0.6297789812088013, -6156035.5, 0.9427078366279602],
     -0.04976330325007439, 2, 15802063.544985519),
    # The share of the row that leads by 561 is 1, and that of the other one exp of minus that.
    ("cox", "gradient", [[262.3296494878949, 530.6141819014952, 154.02765480572955,
      -30.630459988022444]],
     [[[0.1, 0.0], [2.0, 1.0], [0.05, 0.0], [20.0, 0.0]]], 3, 1.7970039412352583e-244),
    # The row of the first event is far below all others, and not the scale of their shares.
    ("cox", "gradient", [[0.0, 1.0, -1e300]], [[[1.0, 1.0], [2.0, 0.0], [0.5, 1.0]]], 0,
     -0.46211715726000976),
    # -37 beside 1e25 decides that the loss is 0.
    ("triplet_margin", "gradient", FAR_TRIPLET, 0.0, 0, 0.0),
    ("aft", "value", 1e200, [0.2, 0.6], 0, np.inf),
    ("zero_inflated_poisson_nll", "gradient", [298.0, 5.6971119768889], 298.0, 0,
     2.6287882636624796e129),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "function", "y", "t", "entry", "expected"),
    CASES,
    ids=[f"{name}-{number}" for number, (name, *_) in enumerate(CASES)],
)
def test_far_arguments_keep_their_digits(name, function, y, t, entry, expected):
    loss = lossfw.loss(name)
    of = loss if function == "value" else loss.gradient
    y, t = (y, t) if loss.takes_groups else ([y], [t])
    found = np.asarray(of(np.asarray(y), np.asarray(t), reduction="none")).ravel()[entry]
    np.testing.assert_allclose(found, expected, rtol=4e-15)
