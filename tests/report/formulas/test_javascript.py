"""JavaScript of components computes what the components compute, rows of two included."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, TraceError
from lossfw.numerics.symbolic.written import write
from lossfw.report.formulas.javascript import javascript
from lossfw.report.formulas.row_items import trace_row_function
from support.loss_settings import ALL, arguments

ORDERS = {"value": "_unreduced", "derivative": "_unreduced_gradient"}
ELEMENTWISE = [loss for loss in ALL if not loss.takes_rows]


def test_source_has_arguments_then_parameters():
    assert javascript(lossfw.loss("huber")).source == (
        "function value(r, delta) {\n"
        "  const v1 = Math.abs(r);\n"
        "  const v3 = Math.min(v1, delta);\n"
        "  return (v3 * (v1 - (0.5 * v3)));\n"
        "}"
    )
    named = javascript(lossfw.activation("elu"), "derivative", name="gradient")
    assert named.source.startswith("function gradient(x, alpha) {")
    assert (named.traced.arguments, named.traced.parameters) == (("x",), {"alpha": 1.0})


@pytest.mark.turns(3)
@pytest.mark.parametrize("loss", ELEMENTWISE, ids=repr)
def test_a_script_computes_the_body(loss):
    y, t = arguments(loss)
    given = {"r": y - t, "m": y * t, "y": y, "z": y, "t": t}
    for which, function in ORDERS.items():
        script = javascript(loss, which)
        chosen = {name: given[name] for name in script.traced.graph.inputs()}
        with np.errstate(all="ignore"):
            found = write(script.traced.graph)(**{**chosen, **script.traced.parameters})[0]
            wanted = getattr(loss, function)(np, y, t)
        if which == "derivative" and loss._argument == "margin":
            found = t * found
        if script.textbook:
            some = np.isfinite(wanted) & np.isfinite(found) & (np.abs(y) < 5) & (np.abs(y) > 0.05)
            if getattr(loss, "guard", "") == "floor":
                # At a kink the textbook's gradient is between those of both sides.
                some &= ~np.isin(y, (loss.delta, 1 - loss.delta))
            np.testing.assert_allclose(found[some], wanted[some], rtol=1e-6, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, wanted)


def test_a_parameter_whose_name_is_lost_is_a_number_in_the_source():
    class Rooted(lossfw.DistanceLoss):
        c: float = 4.0

        def value(self, xp, r):
            import math

            return r * r * math.sqrt(self.c)

    script = javascript(Rooted())
    assert script.traced.fixed == ("c",)
    assert script.source == "function value(r) {\n  return ((r * r) * 2.0);\n}"
    # The formula stands in for a stable form without names.
    script = javascript(lossfw.loss("dwd"))
    assert script.textbook
    assert list(script.traced.parameters) == ["q"]


def test_what_has_no_javascript_says_why():
    with pytest.raises(TraceError, match="cross_entropy is a function of rows"):
        javascript(lossfw.loss("cross_entropy"))
    with pytest.raises(ArgumentError, match="is not a valid name"):
        javascript(lossfw.loss("huber"), name="a b")
    with pytest.raises(ArgumentError, match="digits is not a loss"):
        javascript(lossfw.registry().create("source", "digits"))

    class Pairs(lossfw.CategoricalLoss):
        def value(self, xp, y, t):
            return xp.sum(xp.sum(xp.abs(y[..., None] - y[..., None, :]), axis=-1), axis=-1)

    # A formula that compares all columns.
    with pytest.raises(TraceError):
        trace_row_function(Pairs(), 0)


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
        found = trace_row_function(loss, order)
        (result,) = write(found.graph)(**given, **found.parameters)
        np.testing.assert_allclose(result, truth, rtol=1e-11, atol=1e-12)
        assert set(LOSSES[name]) - {"form"} <= set(found.parameters)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sparsemax"])
def test_the_first_column_of_an_activation(name):
    f, rows = lossfw.activation(name), np.stack([4 * X - 2, np.zeros(4)], -1)
    (result,) = write(trace_row_function(f, 0).graph)(y0=rows[:, 0], y1=rows[:, 1])
    np.testing.assert_allclose(result, f(rows)[:, 0], rtol=1e-13)
