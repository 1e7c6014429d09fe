"""The formula that an author wrote in LaTeX against the one that they wrote in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.check.core.points import first
from lossfw.check.core.session import NotApplicable, Refuted, Search, check, ordinary
from lossfw.check.core.subject import Subject
from lossfw.components.component import Component
from lossfw.components.latex import latex_problem
from lossfw.errors import ArgumentError
from lossfw.nn.activation import Activation
from lossfw.nn.letters import letters_of
from lossfw.numerics.arrays import Body, NDArray
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float
from lossfw.numerics.latex.evaluate import typeset_body

# Both formulas agree to this part: print has few digits of a constant, and an exact number
# has many.
_AGREEMENT = 1e-9

_COLUMNS = 3
_ROWS = 24


@check("value:latex")
def check_latex(subject: Subject, search: Search) -> None:
    """The LaTeX that an author gives says what the formula computes, at points."""
    loss = subject.component
    assert loss is not None
    body = _read(loss, letters_of(loss), subject.rows)
    points = ordinary(subject, search, "latex", _ROWS)
    y, t = points.y, subject.exact.full(points.y, points.t)
    apart = _apart(body, loss.unreduced_formula, search, subject.rows, y, t)
    if apart is not None:
        one, said = apart
        raise Refuted.at(points, one, f"the attribute latex, {loss.latex!r}, {said}")


@check("value:latex")
def check_latex_of_activation(activation: Activation, search: Search) -> None:
    """The LaTeX that an author gives says what the formula computes, at points."""
    body = _read(activation, lambda x: {"x": x}, activation.takes_rows)
    x = search.rng("latex").normal(size=(_ROWS, _COLUMNS)) * 2
    x = x if activation.takes_rows else x[:, 0]
    apart = _apart(body, activation.formula, search, activation.takes_rows, x)
    if apart is not None:
        one, said = apart
        text = f"the attribute latex, {activation.latex!r}, {said}"
        raise Refuted(text, "f(x)", x=x[one : one + 1])


def _read(component: Component, letters: Callable[..., Any], rows: bool) -> Body:
    """Return the body of an author's LaTeX."""
    text = component.latex
    if text is None:
        raise NotApplicable("the formula is made of the body")
    problem = latex_problem(text)
    if problem:
        raise Refuted(f"the attribute latex, {text!r}, {problem}.", "loss.latex")
    try:
        return typeset_body(text, letters, component.parameters, rows)
    except ArgumentError as error:
        raise Refuted(f"the attribute latex, {text!r}, {error}", "loss.latex") from None


def _apart(
    typeset: Body, formula: Body, search: Search, rows: bool, *arrays: NDArray
) -> tuple[int, str] | None:
    """Return the first point where the two differ, and how; None where they agree."""
    search.count(len(arrays[0]))
    try:
        said = to_float(evaluate(typeset, *arrays, rows=rows))
    except ArgumentError as error:
        return 0, str(error)
    true = to_float(evaluate(formula, *arrays, rows=rows))
    if said.shape != true.shape:
        kinds = {1: "one number", 2: "a row of numbers"}
        return 0, f"is {kinds[said.ndim]} of a row, and the formula {kinds[true.ndim]}."
    with np.errstate(invalid="ignore"):
        same = np.abs(said - true) <= _AGREEMENT * np.maximum(np.abs(said), np.abs(true))
    wrong = ~same & np.isfinite(true) & (said != true)
    wrong = wrong.reshape(len(wrong), -1)
    if not wrong.any():
        return None
    row = first(wrong.any(-1))
    column = first(wrong[row])
    values = (x.reshape(len(wrong), -1)[row, column] for x in (said, true))
    return row, "is {:.9g}, and the formula {:.9g}.".format(*values)
