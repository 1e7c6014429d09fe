"""A look at the LaTeX that an author gives a component."""

from __future__ import annotations

import re

# A brace or a dollar sign with a backslash is a sign to be shown.
_TOKEN = re.compile(
    r"(?<!\\)(?:\\\\)*([{}$]|\\left(?![a-z])|\\right(?![a-z])|\\(?:begin|end)\{(\w+\*?)\})"
)


def latex_problem(text: object) -> str:
    r"""Return the fault of an author's LaTeX, empty if there is none.

    Braces, ``\left`` and ``\right``, and environments have to be closed in their order, and
    there is no dollar sign: the text stands inside of a formula.

    Examples
    --------
    >>> latex_problem(r"\frac{r^{2}}{2}"), latex_problem(r"\frac{r}{2")
    ('', 'has a { that is not closed')
    """
    if not isinstance(text, str) or not text.strip():
        return "is no text"
    open_parts: list[str] = []
    for sign, environment in _TOKEN.findall(text):
        if sign == "$":
            return "has a dollar sign: it stands inside of a formula already"
        kind = "{" if sign == "}" else r"\left" if sign == r"\right" else environment
        if sign in ("{", r"\left") or sign.startswith(r"\begin"):
            open_parts.append(kind if sign.startswith(r"\begin") else sign)
        elif not open_parts or open_parts.pop() != kind:
            return f"closes with {sign} what is not open"
    return f"has a {open_parts[-1]} that is not closed" if open_parts else ""
