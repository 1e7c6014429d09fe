"""The typeset formula of a component."""

from __future__ import annotations

from collections.abc import Iterator

from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import Wrapper
from lossfw.nn.activation import Activation
from lossfw.nn.letters import arguments_of
from lossfw.report.formulas.latex import latex
from lossfw.report.site.content import PageSubject
from lossfw.report.site.markup import fenced, prose

# The meanings of letters in formulas, by the first argument of the function.
_LETTERS = {
    "r": "r = y - t, the prediction less the target",
    "m": "m = t y, the target times the prediction",
    "z": "z the logit and t the target",
    "y": "y the prediction and t the target",
    "x": "x the argument",
}
_ROWS = "; k runs over the columns of a row"


def formula(subject: PageSubject) -> Iterator[str]:
    """Yield the formula and the meaning of its letters; without a formula, the summary."""
    typeset = typeset_formula(subject)
    if not typeset:
        rest = subject.description["summary"].removeprefix(subject.description["title"])
        yield prose(rest.lstrip(",:; "))
        return
    yield fenced("{math}", typeset)
    sample = subject.sample
    if isinstance(sample, Loss | Activation):
        letters = _LETTERS[arguments_of(sample)[0]] + (_ROWS if sample.takes_rows else "")
        if isinstance(sample, Wrapper):
            letters = f"\N{SCRIPT SMALL L} the loss of its part, {letters}"
        yield "{.where}\n" + prose(f"With {letters}.")


def typeset_formula(subject: PageSubject) -> str:
    """Return the formula as LaTeX, with its left side; empty where there is none."""
    sample = subject.sample
    if issubclass(subject.cls, Wrapper) and subject.cls.latex_of_parts:
        return subject.cls.latex_of_parts
    if isinstance(sample, Loss | Activation):
        try:
            right = latex(sample)
        except LossfwError:
            return ""
        left = "f" if isinstance(sample, Activation) else r"\ell"
        return f"{left}({', '.join(arguments_of(sample))}) = {right}"
    return str(subject.cls.latex or "")
