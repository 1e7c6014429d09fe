r"""The textbook formula of a component in LaTeX, for KaTeX, MathJax and LaTeX itself.

::

    latex(component)          the right side of its formula, as "\frac{r^{2}}{2}"
"""

from __future__ import annotations

from lossfw.components.component import Component
from lossfw.components.docstrings import latex_problem
from lossfw.errors import ArgumentError
from lossfw.report.formulas.traced import traced
from lossfw.report.formulas.typeset import latex_of


def latex(component: Component) -> str:
    r"""Return the textbook formula of a loss or an activation, its right side, as LaTeX.

    Parameters have their names. An author's own text, the class attribute `latex`, comes
    first. For the names of the arguments see `lossfw.report.formulas.traced.Traced`.

    Examples
    --------
    >>> import lossfw
    >>> print(latex(lossfw.loss("squared_error", factor=0.5)))
    \mathrm{factor}\,r^{2}
    """
    if component.latex is not None:
        problem = latex_problem(component.latex)
        if problem:
            raise ArgumentError(
                f"the LaTeX of {component.name}, {component.latex!r}, {problem}: mend "
                "the class attribute latex."
            )
        return component.latex
    return latex_of(traced(component, textbook=True).graph)
