"""Results at single points where a body in a plain form overflows or loses its digits.

The expected ones are of 60 digits, at the nearest floats of the arguments.
"""

import numpy as np
import pytest

import lossfw
from lossfw.losses.engine.engine_mode import use_engine

# Units in the last place.
MOST = 16

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
    # A target times its class's factor is subnormal, or over a probability.
    ("categorical_focal", {"alpha": 7.5}, "__call__", "float64",
     [5e-324, 1.0], [5e-324, 1.0], (), 2.7585169869295594e-320),
    ("categorical_focal", {"alpha": (1.0, 0.5)}, "hessian", "float64",
     [0.9126554862837093, 0.08734451371629082], [1.0, 5e-324], (1,), 3.8500386473621831e-322),
    ("categorical_focal", {"gamma": 0.3}, "hessian", "float64",
     [0.054868404815150505, 0.9451315951848495], [5e-324, 1.0], (0,), 1.6664586898378065e-321),
    # The probabilities of all classes but one are subnormal.
    ("categorical_focal", {"from_logits": True}, "hessian", "float64",
     [-674.0768467876807, 66.85907457984828], [0.49175578389340724, 0.5082442161065928],
     (1,), -1.1931916167569732e-319),
    ("categorical_focal", {"from_logits": True, "gamma": 7.5}, "hessian", "float64",
     [482.64113207823294, -236.47594483224287], [0.13045967980491358, 0.8695403201950864],
     (0,), -2.297639836826765e-309),
    ("categorical_focal", {"from_logits": True, "alpha": (0.5, 2.0, 1.0)}, "hessian", "float64",
     [701.3861547194233, -24.749304348168867, -286.04232496115276],
     [0.5777805351996301, 0.3622646614889825, 0.05995480331138744],
     (0,), -4.6127294493910961e-313),
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


@pytest.mark.parametrize(("method", "parameters"), [("__call__", {}), ("hessian", {"alpha": 2.0})])
def test_a_kernel_leaves_rare_rows_to_the_body(method, parameters):
    pytest.importorskip("llvmlite", reason="llvmlite is not installed")
    y, t = np.random.default_rng(0).dirichlet(np.ones(3), (2, 100))
    t[::7] = [5e-324, 0.75, 0.25]
    call = getattr(lossfw.loss("categorical_focal", **parameters), method)
    with use_engine("tiles"):
        expected = call(y, t, reduction="none")
    with use_engine("compiled"):
        assert call(y, t, reduction="none").tolist() == expected.tolist()
