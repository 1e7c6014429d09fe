"""Results at single points where a body in a plain form overflows or loses its digits.

The expected ones are of 60 digits, at the nearest floats of the arguments.
"""

import numpy as np
import pytest

import lossfw

# Units in the last place.
MOST = 8

# Loss, parameters, method, dtype, prediction, target, entry of the result, what is expected.
POINTS = [
    # A weight times a logarithm overflows, and the share makes it small.
    ("binary_cross_entropy", {"from_logits": True, "pos_weight": 7.5}, "__call__", "float32",
     -5.1533439838307745e37, 6.70156335350117e-31, (), 259015958.92519534),
    # The slope overflows before its weight makes it small.
    ("focal", {"alpha": 0.3}, "gradient", "float64",
     4.53493011365542e-309, 0.8860744888161005, (), -5.861663575462727e307),
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
    # A target over a probability is subnormal, and over its square not.
    ("poly_cross_entropy", {"epsilon": 0.0}, "hessian", "float32",
     [0.9999502301216125, 4.974512557964772e-05], [1.0, 1.401298464324817e-45],
     (1,), 5.662778610095622e-37),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameters", "method", "dtype", "y", "t", "entry", "expected"), POINTS
)
def test_a_point_at_the_end_of_the_range(name, parameters, method, dtype, y, t, entry, expected):
    loss = lossfw.loss(name, **parameters)
    target = t if isinstance(t, int) else np.asarray(t, dtype)
    found = getattr(loss, method)(np.asarray(y, dtype), target, reduction="none")[entry]
    assert found.dtype == dtype
    assert abs(float(found) - expected) <= MOST * np.spacing(np.asarray(abs(expected), dtype))
