"""Results at single points where a body in a plain form overflows or loses its digits.

The expected ones are of 60 digits, at the nearest floats of the arguments.
"""

import numpy as np
import pytest

import lossfw

# Units in the last place.
MOST = 16

# Loss, parameters, method, dtype, prediction, target, entry of the result, what is expected.
POINTS = [
    # A weight times a logarithm overflows, and the share makes it small.
    ("binary_cross_entropy", {"from_logits": True, "pos_weight": 7.5}, "__call__", "float32",
     -5.1533439838307745e37, 6.70156335350117e-31, (), 259015958.92519534),
    # A margin that float32 does not have, next to the kink.
    ("multiclass_hinge", {"margin": 0.3}, "__call__", "float32",
     [-0.39830291271209717, -0.6982147693634033, -1.4188635349273682], 0, (), 8.814334869383655e-5),
    # A square overflows before its share makes it small.
    *[
        ("multiclass_hinge", {"power": 2, "form": form}, "__call__", "float32",
         [-3.452402189786415e18, 1.1657570933983412e19, -1.326205856558298e19,
          8.091312940751258e17],
         [0.06479712575674057, 0.1737561821937561, 0.11556942760944366, 0.6458772420883179],
         (), expected)
        for form, expected in [
            ("crammer_singer", 1.6257355127880189e38),
            ("weston_watkins", 1.977540421051719e38),
            ("multi_margin", 1.977540421051719e38 / 4),
        ]
    ],
    # Below the margin it is 0, where that of the cosine is infinite.
    ("cosine_embedding", {}, "hessian", "float32", [[1e-30, 1e-30], [-1.0, -1.0]], -1,
     (0, 0), 0.0),
    # The scale is so small that the rounding of log(t) would count.
    ("lognormal_nll", {}, "__call__", "float64",
     [[6.61472560020376, -104.0]], [746.0], 0, 1.8517712347065913e59),
    # The logarithm is linear in a log scale that no exponential takes.
    ("student_t_nll", {}, "gradient", "float64",
     [[-0.6297789812088013, -6156035.5, 0.9427078366279602]], [-0.04976330325007439],
     (0, 2), 15802063.544985519),
    # The share of the row that leads by 561 is 1, and that of the other one exp of minus that.
    ("cox", {}, "gradient", "float64",
     [[262.3296494878949, 530.6141819014952, 154.02765480572955, -30.630459988022444]],
     [[[0.1, 0.0], [2.0, 1.0], [0.05, 0.0], [20.0, 0.0]]], (0, 3), 1.7970039412352583e-244),
    # The row of the first event is far below all others, and not the scale of their shares.
    ("cox", {}, "gradient", "float64",
     [[0.0, 1.0, -1e300]], [[[1.0, 1.0], [2.0, 0.0], [0.5, 1.0]]], (0, 0), -0.46211715726000976),
    # -37 beside 1e25 decides that the loss is 0.
    ("triplet_margin", {}, "gradient", "float64",
     [[[2.0**-52, 37.0], [-1e25, -20.0], [-1e-7, -1e25]]], [0.0], (0, 0, 0), 0.0),
    ("aft", {}, "__call__", "float64", [1e200], [[0.2, 0.6]], 0, np.inf),
    ("zero_inflated_poisson_nll", {}, "gradient", "float64",
     [[298.0, 5.6971119768889]], [298.0], (0, 0), 2.6287882636624796e129),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameters", "method", "dtype", "y", "t", "entry", "expected"), POINTS
)
def test_a_point_at_the_end_of_the_range(name, parameters, method, dtype, y, t, entry, expected):
    loss = lossfw.loss(name, **parameters)
    target = t if isinstance(t, int) else np.asarray(t, dtype)
    found = getattr(loss, method)(np.asarray(y, dtype), target, reduction="none")[entry]
    assert found.dtype == dtype
    unit = np.spacing(np.asarray(abs(expected), dtype))
    assert found == expected or abs(float(found) - expected) <= MOST * unit
