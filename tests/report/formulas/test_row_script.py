"""Functions of rows as graphs of numbers: what they compute is what the component computes."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import TraceError
from lossfw.numerics.symbolic.replay import replay
from lossfw.report.formulas.columns import row_traced

X = np.array([0.03, 0.2, 0.71, 0.93])
ROWS = np.stack([X, 1 - X], -1)
ONE_HOT = np.tile([0.0, 1.0], (4, 1))
LOSSES = {
    "brier": {}, "cosine_distance": {}, "cross_entropy": {}, "dice": {"smooth": 0.5}, "jaccard": {},
    "generalised_cross_entropy": {"q": 0.3}, "js_divergence": {}, "kl_divergence": {},
    "poly_cross_entropy": {"epsilon": 2.0}, "tversky": {"alpha": 0.3, "beta": 2.0},
    "categorical_focal": {"gamma": 1.5}, "multiclass_hinge": {"form": "weston_watkins"},
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_and_its_derivatives_by_the_first_column(name):
    loss = lossfw.loss(name, **LOSSES[name])
    given = {"y0": X, "y1": 1 - X, "t0": ONE_HOT[:, 0], "t1": ONE_HOT[:, 1]}
    wanted = [
        loss(ROWS, ONE_HOT, reduction="none"),
        loss.gradient(ROWS, ONE_HOT, reduction="none")[:, 0],
        loss.hessian(ROWS, ONE_HOT, reduction="none")[:, 0],
    ]
    for order, truth in enumerate(wanted):
        found = row_traced(loss, order)
        (result,) = replay(found.graph, **given, **found.parameters)
        np.testing.assert_allclose(result, truth, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sparsemax"])
def test_the_first_column_of_an_activation(name):
    f = lossfw.activation(name)
    rows = np.stack([4 * X - 2, np.zeros(4)], -1)
    found = row_traced(f, 0)
    (result,) = replay(found.graph, y0=rows[:, 0], y1=rows[:, 1])
    np.testing.assert_allclose(result, f(rows)[:, 0], rtol=1e-13)


def test_a_parameter_stands_by_name():
    assert row_traced(lossfw.loss("dice", smooth=0.5), 0).parameters == {"smooth": 0.5}


def test_a_formula_that_compares_all_columns_is_refused():
    class Pairs(lossfw.CategoricalLoss):
        """Sums |y_j - y_k|."""

        def value(self, xp, y, t):
            return xp.sum(xp.sum(xp.abs(y[..., None] - y[..., None, :]), axis=-1), axis=-1)

    with pytest.raises(TraceError):
        row_traced(Pairs(), 0)
