"""LaTeX of components: the formulas of textbooks, with parameters by name."""

import numpy as np
import pytest

import lossfw
from lossfw.check.core.search import Search, ordinary_points
from lossfw.check.core.subject import subject_of_component
from lossfw.check.instances import variants
from lossfw.components.docstrings import latex_problem
from lossfw.errors import ArgumentError, TraceError
from lossfw.nn.letters import argument_names
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.symbolic.written import write
from lossfw.report.formulas.latex import latex
from lossfw.report.formulas.traced import trace_function
from support.latex import typeset_body
from support.loss_settings import ALL, arguments

REGISTRY = lossfw.registry()
COMPONENTS = [
    component
    for kind in ("loss", "activation")
    for entry in REGISTRY.entries(kind)
    for component in variants(REGISTRY.class_of(entry), others=False)[:3]
]

# As the sources that the docstrings name print them.
FORMULAS = {
    lossfw.loss("absolute_error"): r"\left|r\right|",
    lossfw.loss("binary_cross_entropy", guard="none"):
        r"-t\,\log y - \left(1 - t\right)\,\log\!\left(1 - y\right)",
    lossfw.loss("brier"): r"\sum_{k} \left(y_{k} - t_{k}\right)^{2}",
    lossfw.loss("cauchy"): r"\frac{c^{2}}{2}\,\log\!\left(1 + \frac{r^{2}}{c^{2}}\right)",
    lossfw.loss("cosine_distance"):
        r"1 - \frac{\sum_{k} y_{k}\,t_{k}}{\sqrt{\sum_{k} y_{k}^{2}}\,\sqrt{\sum_{k} t_{k}^{2}}}",
    lossfw.loss("cross_entropy", guard="none"): r"-\sum_{k} t_{k}\,\log y_{k}",
    lossfw.loss("hinge"): r"\max\!\left(0,\, \mathrm{margin} - m\right)",
    lossfw.loss("huber"):
        r"\begin{cases} \frac{r^{2}}{2} & \text{if } \left|r\right| \le \delta \\ "
        r"\delta\,\left(\left|r\right| - \frac{\delta}{2}\right) & \text{otherwise} \end{cases}",
    lossfw.loss("log_cosh"): r"\log\!\left(\cosh r\right)",
    lossfw.loss("poisson_deviance"): r"2\,\left(t\,\log\!\left(\frac{t}{y}\right) - t + y\right)",
    lossfw.loss("pseudo_huber"):
        r"\delta^{2}\,\left(\sqrt{1 + \frac{r^{2}}{\delta^{2}}} - 1\right)",
    lossfw.loss("zero_one"):
        r"\begin{cases} 1 & \text{if } m \le 0 \\ 0 & \text{otherwise} \end{cases}",
    lossfw.activation("softmax"): r"\frac{e^{x_{k}}}{\sum_{j} e^{x_{j}}}",
    lossfw.activation("log_softmax"): r"x_{k} - \log\!\left(\sum_{j} e^{x_{j}}\right)",
    lossfw.activation("sigmoid"): r"\frac{1}{1 + e^{-x}}",
    lossfw.activation("gelu"):
        r"\frac{x}{2}\,\operatorname{erfc}\!\left(-\frac{x}{\sqrt{2}}\right)",
}  # fmt: skip


@pytest.mark.parametrize(("component", "formula"), FORMULAS.items(), ids=map(repr, FORMULAS))
def test_a_component_has_the_formula_of_its_source(component, formula):
    assert latex(component) == formula


def test_a_wrapper_has_that_of_its_parts_and_every_formula_is_closed():
    assert latex(2 * lossfw.loss("absolute_error")) == r"\mathrm{scale}\,\left|y - t\right|"
    both = lossfw.loss("squared_error") + lossfw.loss("absolute_error")
    assert latex(both) == r"\left(y - t\right)^{2} + \left|y - t\right|"
    assert [one for one in COMPONENTS if latex_problem(latex(one))] == []


def is_read(component):
    """Leave out vectors, and authors' formulas of columns and groups in letters of their own."""
    if not isinstance(component, lossfw.Loss):
        return True
    named = component.has_columns or component.takes_groups or component.name == "cumulative_link"
    return component.prediction_space.axes < 2 and not (named and component.latex)


def letters_of(loss):
    """Return a function from prediction and target to the values of the letters of a formula."""

    def letters(y, t):
        if loss.has_columns:
            return {**parts(loss.prediction_space, "y", y), **parts(loss.target_space, "t", t)}
        first = argument_names(loss)[0]
        return {first: {"r": y - t, "m": t * y}[first] if first in "rm" else y, "y": y, "t": t}

    def parts(space, letter, x):
        split = space.to_record(x)
        named = isinstance(space, lossfw.Columns)
        return dict(zip(space.names, split, strict=True)) if named else {letter: split}

    return letters


@pytest.mark.parametrize("component", [*filter(is_read, COMPONENTS)], ids=repr)
def test_a_formula_says_what_is_computed(component):
    # Read from print, on exact numbers: no digit is lost, and none that is printed is missing.
    text, rows = latex(component), component.takes_rows
    if isinstance(component, lossfw.Activation):
        points = (np.array([[0.5, -2.0, 1.25], [3.0, 0.0, -0.75]]),)
        formula, letters = component.formula, lambda x: {"x": x}
        points = points if rows else (points[0].ravel(),)
    else:
        subject, formula = subject_of_component(component), component._unreduced_formula
        drawn = ordinary_points(subject, Search(), "latex", 6)
        points = drawn.y, subject.exact.class_rows(drawn.y, drawn.t)
        letters = letters_of(component)
    body = typeset_body(text, letters, component.parameters, rows)
    printed = evaluate(body, *points, rows=rows).astype(float)
    exact = evaluate(formula, *points, rows=rows).astype(float)
    np.testing.assert_allclose(printed, exact, rtol=1e-5 if "ldots" in text else 1e-12)


@pytest.mark.parametrize("name", ["mae", "mse", "rmse", "quantile_coverage"])
def test_a_metric_of_sums_is_what_its_formula_says(name):
    rng = np.random.default_rng(0)
    y, t, w = rng.normal(size=9), rng.normal(size=9), rng.uniform(size=9)
    metric = REGISTRY.create("metric", name)
    body = typeset_body(
        metric.latex, lambda y, t, w: {"y": y, "t": t, "w": w}, metric.parameters, rows=True
    )
    printed = body(np, y[None], t[None], w[None])
    found = metric(y, t, sample_weight=w)
    np.testing.assert_allclose(printed[0], getattr(found, "value", found), rtol=1e-12)


@pytest.mark.parametrize("loss", [loss for loss in ALL if not loss.takes_rows], ids=repr)
def test_a_graph_with_names_is_the_formula_at_other_parameters_too(loss):
    found = trace_function(loss, textbook=True)
    if any(node.op == "lgamma" for node in found.graph.nodes):
        pytest.skip("NumPy has no lgamma")
    moved = {name: value * 0.75 for name, value in found.parameters.items()}
    try:
        other = loss.replace(**moved)
    except lossfw.ParameterError:
        other, moved = loss, found.parameters
    y, t = arguments(loss)
    given = {"r": y - t, "m": y * t, "y": y, "z": y, "t": t}
    chosen = {name: given[name] for name in found.graph.inputs()}
    shown = write(found.graph)(**{**chosen, **moved})[0]
    with np.errstate(all="ignore"):
        exact = other.exact(y, t).astype(np.float64)
    # The textbook formula loses digits where it cancels, overflows or divides 0 by 0.
    right = np.isclose(shown, exact, rtol=1e-6, atol=1e-6)
    assert right.mean() > 0.6
    assert (right | ~np.isfinite(shown) | ~np.isfinite(exact) | (np.abs(y) > 30) | (y < 1e-6)).all()


class Own(lossfw.DistanceLoss):
    latex = r"\left|r\right|^{4}"

    def value(self, xp, r):
        return xp.square(xp.square(r))


class Broken(Own):
    latex = r"\frac{r^{4}}{4"


class Decides(lossfw.DistanceLoss):
    def value(self, xp, r):
        return r if (r > 0).any() else -r


def test_an_authors_text_comes_first_and_is_looked_at():
    assert latex(Own()) == Own.latex
    with pytest.raises(ArgumentError, match=r"has a \{ that is not closed"):
        latex(Broken())
    # What has no formula says why.
    with pytest.raises(TraceError, match=r"the attribute \.any"):
        latex(Decides())
    with pytest.raises(ArgumentError, match="digits is not a loss"):
        latex(lossfw.registry().create("source", "digits"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (r"\left( x \right)", ""),
        (r"\{ x \} \$ \\{ }", ""),
        (r"\begin{cases} x \end{cases}", ""),
        ("$x$", "dollar"),
        ("x}", "closes }, which is not open"),
        (r"\left( x", r"has a \left that"),
        (r"\begin{cases} x \end{array}", r"closes \end{array}, which is not open"),
        (r"{\left( } \right)", "closes }, which is not open"),
        ("", "not a text"),
        (3, "not a text"),
    ],
)
def test_what_is_closed(text, told):
    assert told in latex_problem(text)
    assert bool(latex_problem(text)) == bool(told)
