"""JavaScript of components; `tests/browser/test_formulas.py` runs it in a browser."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, TraceError
from lossfw.numerics.symbolic.replay import replay
from lossfw.report.formulas.javascript import javascript
from support.loss_settings import ALL, arguments

ORDERS = {"value": "unreduced", "derivative": "unreduced_gradient"}
ELEMENTWISE = [loss for loss in ALL if not loss.takes_rows]


def test_source_has_arguments_then_parameters():
    assert javascript(lossfw.loss("huber")).source == (
        "function value(r, delta) {\n"
        "  const v1 = Math.abs(r);\n"
        "  const v3 = Math.min(v1, delta);\n"
        "  return (v3 * (v1 - (0.5 * v3)));\n"
        "}"
    )
    named = javascript(lossfw.activation("elu"), "derivative", name="slope")
    assert named.source.startswith("function slope(x, alpha) {")
    assert (named.arguments, named.parameters) == (("x",), {"alpha": 1.0})


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=repr)
def test_a_script_computes_the_body(loss):
    y, t = arguments(loss)
    given = {"r": y - t, "m": y * t, "y": y, "z": y, "t": t}
    for which, function in ORDERS.items():
        script = javascript(loss, which)
        chosen = {name: given[name] for name in script.traced.graph.inputs()}
        with np.errstate(all="ignore"):
            found = replay(script.traced.graph, **{**chosen, **script.parameters})[0]
            wanted = getattr(loss, function)(np, y, t)
        if which == "derivative" and loss.argument == "margin":
            found = t * found
        if script.textbook:
            some = np.isfinite(wanted) & np.isfinite(found) & (np.abs(y) < 5) & (np.abs(y) > 0.05)
            if getattr(loss, "guard", "") == "floor":
                # At a kink the textbook's slope is between those of both sides.
                some &= ~np.isin(y, (loss.delta, 1 - loss.delta))
            np.testing.assert_allclose(found[some], wanted[some], rtol=1e-6, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, wanted)


def test_a_parameter_whose_name_is_lost_is_a_number_in_the_source():
    class Rooted(lossfw.DistanceLoss):
        "A body, and so a formula, that takes the root of a number."

        c: float = 4.0

        def value(self, xp, r):
            import math

            return r * r * math.sqrt(self.c)

    script = javascript(Rooted())
    assert script.fixed == ("c",)
    assert script.source == "function value(r) {\n  return ((r * r) * 2.0);\n}"


def test_the_formula_stands_in_for_a_stable_form_without_names():
    script = javascript(lossfw.loss("cauchy"))
    assert script.textbook
    assert list(script.parameters) == ["c"]


def test_what_has_no_javascript_says_why():
    with pytest.raises(TraceError, match="cross_entropy is a function of rows"):
        javascript(lossfw.loss("cross_entropy"))
    with pytest.raises(ArgumentError, match="is not a valid name"):
        javascript(lossfw.loss("huber"), name="a b")
    with pytest.raises(ArgumentError, match="digits is not a loss"):
        javascript(lossfw.registry().create("source", "digits"))
