"""The fast path of small calls: which calls take it, and that it changes no bit."""

import math
import os

import numpy as np
import pytest

import lossfw
from lossfw.losses.call import prepare_call, run_call
from lossfw.losses.engine import fast_path
from lossfw.losses.engine.reduction import Reduction
from support.loss_settings import ALL, arguments

pytestmark = pytest.mark.skipif(
    os.environ.get("LOSSFW_ENGINE") == "compiled", reason="every call goes to kernels"
)

SQUARED = lossfw.loss("squared_error")
LOGITS = lossfw.loss("cross_entropy", from_logits=True)
NAN, INF = math.nan, math.inf
FORMS = ("value", "gradient", "hessian", "both")


def usual(loss, y, t, form="value", reduction="mean"):
    """Return a result by the usual path."""
    call = prepare_call(loss, (y, t, None, None, None))
    return run_call(loss, call, form, Reduction(reduction))


def fast(loss, y, t, form="value", reduction="mean"):
    """Return a result by the fast path, None if it does not take the call."""
    traits = loss._fast_path_traits
    return fast_path.compute(loss, traits, y, t, form, Reduction(reduction))


def compare(loss, y, t, forms=FORMS, *, always=True):
    for form in forms:
        for reduction in ("mean", "sum", "none"):
            if reduction == "none" and form in ("value", "both"):
                continue
            result = fast(loss, y, t, form, reduction)
            if result is None and not always:
                continue
            expected = usual(loss, y, t, form, reduction)
            pairs = zip(result, expected, strict=True) if form == "both" else [(result, expected)]
            for one, other in pairs:
                np.testing.assert_array_equal(one, other, strict=isinstance(other, np.ndarray))
                assert not np.shares_memory(one, y)


@pytest.mark.turns(3)
@pytest.mark.parametrize("loss", [loss for loss in ALL if not loss.takes_rows], ids=repr)
def test_elements_have_the_bits_of_the_usual_path(loss):
    for dtype in ("float32", "float64"):
        y, t = (x.astype(dtype) for x in arguments(loss))
        compare(loss, y[:9], t[:9])
        for count in {1, 2, len(y)}:
            compare(loss, y[:count], t[:count], ["value"])


@pytest.mark.turns(3)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [0.1, 3.0, 40.0])
@pytest.mark.parametrize("classes", [1, 2, 10, 64])
def test_a_row_of_logits_has_the_bits_of_the_usual_path(classes, scale, dtype):
    random = np.random.default_rng(classes)
    for number in range(60):
        z = (scale * random.normal(size=(1, classes))).astype(dtype)
        if number % 3 == 0:
            z[0, random.integers(0, classes)] = random.choice([NAN, INF, -INF, 0.0, 1e30, 7.0])
        t = np.array([random.integers(0, classes)])
        forms = ["value", "gradient", "both"]
        compare(LOGITS, z, t, forms, always=scale == 3.0 and number % 3 > 0 and classes == 10)


def drawn_groups(loss, lead, dtype):
    """Return members of the spaces of a loss of groups."""
    rng = np.random.default_rng(len(lead))
    spaces = loss.prediction_space, loss.target_space
    inner = [(2, 5) if space.axes == 2 else (space.size or 5,) * space.axes for space in spaces]
    y, t = rng.normal(size=lead + inner[0]), rng.integers(0, 3, lead + inner[1])
    if inner[1]:
        t = np.stack([rng.random(lead), t[..., 0] > 0], axis=-1)  # a time and whether it was seen
    return y.astype(dtype), t.astype(dtype)


GROUPS = [
    *("pairwise_logistic", "pairwise_hinge", "lambda_ndcg", "softmax_ranking", "listmle", "cox"),
    *("info_nce", "nt_xent", "supervised_contrastive"),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", GROUPS)
def test_groups_of_one_size_have_the_bits_of_the_usual_path(name, dtype):
    loss = lossfw.loss(name)
    for lead in ((4, 16), (1, 3), (7, 1)):
        y, t = drawn_groups(loss, lead, dtype)
        compare(loss, y, t)
        out = np.full_like(y, np.nan)
        assert loss.gradient(y, t, out=out) is out
        np.testing.assert_array_equal(out, usual(loss, y, t, "gradient"))
    if not loss.needs_group:
        compare(loss, *drawn_groups(loss, (6,), dtype))


RANKING, CONTRASTIVE = lossfw.loss("pairwise_logistic"), lossfw.loss("nt_xent")
SCORES = np.zeros((2, 3))

ONES = np.ones(6)
NOT_TAKEN = {
    "a list": (SQUARED, ONES, [2.0] * 6),
    "no axes": (SQUARED, np.array(1.0), np.array(2.0)),
    "nothing": (SQUARED, ONES[:0], ONES[:0]),
    "two dtypes": (SQUARED, ONES, ONES.astype(np.float32)),
    "another byte order": (SQUARED, ONES.astype(">f8"), ONES.astype(">f8")),
    "integers": (SQUARED, ONES.astype(int), ONES.astype(int)),
    "every second": (SQUARED, ONES[::2], ONES[::2]),
    "too many": (SQUARED, np.zeros(4096), np.zeros(4096)),
    "two shapes": (SQUARED, ONES, ONES[:, None]),
    "row sums": (SQUARED.replace(per="row"), ONES[None], ONES[None]),
    "a row of many columns": (LOGITS, np.ones((1, 65)), np.array([3])),
    "a mask of its own": (lossfw.loss("masked", of=SQUARED, ignore=7.0), ONES, ONES),
    "groups without ids": (RANKING, ONES, ONES),
    "groups of no rows": (RANKING, SCORES[:, :0], SCORES[:, :0]),
    "groups of two shapes": (RANKING, SCORES, SCORES[:1]),
    "groups of a transposed array": (RANKING, SCORES.T, SCORES.T),
    "groups of several stacks": (RANKING, np.zeros((1024, 9)), np.zeros((1024, 9))),
    "groups outside of a space": (CONTRASTIVE, np.zeros((2, 3, 4)), SCORES),
    "outside of a space": (lossfw.loss("poisson_deviance"), -ONES, ONES),
    "no class": (LOGITS, np.ones((1, 3)), np.array([3])),
    "classes that are not integers": (LOGITS, np.ones((1, 3)), np.array([1.0])),
    "smoothed labels": (LOGITS.replace(label_smoothing=0.1), np.ones((1, 3)), np.array([1])),
}


@pytest.mark.parametrize("case", NOT_TAKEN.values(), ids=NOT_TAKEN.keys())
def test_it_leaves_to_the_usual_path(case):
    assert [fast(*case, form) for form in FORMS] == [None] * 4


def test_rows_of_elements_and_a_body_without_shape():
    y, t = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    assert fast(SQUARED, y, t) == usual(SQUARED, y, t)
    assert fast(SQUARED, y, t, reduction="none") is None

    class Constant(lossfw.DistanceLoss):
        def value(self, xp, r):
            return 1.0

    with pytest.raises(lossfw.ShapeError, match=r"Constant\.value returned a float"):
        Constant()(ONES, ONES)
    # Warnings are off.
    assert SQUARED(1e300 * ONES, ONES) == INF
