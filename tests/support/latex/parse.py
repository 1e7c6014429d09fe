r"""Read a formula that an author wrote in LaTeX.

::

    parse(text) -> Typeset

A formula is read as it is read aloud. A product needs no sign. A function without brackets
takes one factor, ``\log y\,t`` is log(y) t. A sum over an index takes the product behind it.
A power behind brackets is that of the function, ``\max(0, x)^{2}``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NoReturn

from support.latex.tokens import Token, tokens, unread
from support.latex.tree import Over, Phrase, Sides, Typeset

GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda"),
    *("mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
)
_NAMES = {rf"\{name}": name for name in GREEK} | {r"\varepsilon": "epsilon", r"\varphi": "phi"}

_FUNCTIONS = {
    rf"\{name}": name for name in ("log", "exp", "sinh", "cosh", "tanh", "sin", "cos", "tan")
} | {r"\arcsin": "asin", r"\arccos": "acos", r"\arctan": "atan"}
# The names behind \operatorname.
_OPERATORS = {name: name for name in ("erf", "erfc", "sign", "round", "trunc", "exp", "log")}
_OPERATORS |= {"sgn": "sign", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh"}

_CLOSING = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", r"\lvert": r"\rvert"}
_CLOSING |= {r"\lfloor": r"\rfloor", r"\lceil": r"\rceil", "|": "|"}
_OF_BRACKETS = {r"\lvert": "abs", "|": "abs", r"\lfloor": "floor", r"\lceil": "ceil"}

_RELATIONS = {
    "<": "less",
    r"\lt": "less",
    r"\le": "less_equal",
    ">": "greater",
    r"\gt": "greater",
    r"\ge": "greater_equal",
    "=": "equal",
    r"\ne": "not_equal",
}
_OVER = {r"\sum": "sum", r"\prod": "prod", r"\min": "min", r"\max": "max"}
_OF_TWO = {"min": "minimum", "max": "maximum"}
_OTHERWISE = ("otherwise", "else")
_IF = ("if", "for", "when")
_WITH = ("with", "where")


@functools.lru_cache(maxsize=256)
def parse(text: str) -> Typeset:
    r"""Return the tree of a formula.

    Parameters
    ----------
    text : str
        The right side of a formula in LaTeX, without dollar signs.

    Raises
    ------
    ArgumentError
        If it cannot be read; the message says where, and what can be.

    Examples
    --------
    >>> parse(r"\frac{r^{2}}{2}").right.op
    'divide'
    >>> parse(r"\lVert r \rVert")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    lossfw.errors.ArgumentError: cannot be read at column 1, ... unknown. Read are: ...
    """
    return _Parser(text).formula()


class _Parser:
    """The signs of a formula, and the place where the reader is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        # The bars that are open: there a bar closes.
        self.bars = 0

    # Signs.

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def fail(self, what: str) -> NoReturn:
        raise unread(what, self.text, self.next.column)

    def take(self, *texts: str) -> Token | None:
        """Return the next sign and go on, if it is one of these."""
        found = self.next
        if found.text not in texts or not found.text:
            return None
        self.at += 1
        return found

    def word(self, *words: str) -> bool:
        r"""Tell whether the next sign is ``\text`` with one of these words, and go on."""
        return self.next.word in words and self.take(r"\text") is not None

    def need(self, text: str) -> Token:
        found = self.take(text)
        if found is None:
            self.fail(f"{text} is missing")
        return found

    # A formula and its parts, the loosest first.

    def formula(self) -> Typeset:
        if not self.next.text:
            self.fail("there is nothing")
        right = self.expression()
        definitions: list[Sides] = []
        self.take(",")
        while self.word(*_WITH) or (definitions and (self.take(",") or self.word("and"))):
            left = self.expression()
            self.need("=")
            definitions.append(Sides(left, self.expression()))
        if self.next.text == "=":
            self.fail("the right side of the formula is wanted, and nothing else")
        if self.next.text:
            self.fail("this has no place here" if self.begins() else "this is unknown")
        return Typeset(self.text, right, tuple(definitions))

    def expression(self) -> Phrase:
        sign = self.take("+", "-")
        found = self.term()
        if sign is not None and sign.text == "-":
            found = Phrase("negative", (found,))
        while sign := self.take("+", "-"):
            op = "add" if sign.text == "+" else "subtract"
            found = Phrase(op, (found, self.term()))
        return found

    def term(self) -> Phrase:
        found = self.factor()
        while True:
            if self.take("/"):
                found = Phrase("divide", (found, self.factor()))
            elif self.take(r"\cdot") or self.begins():
                found = Phrase("multiply", (found, self.factor()))
            else:
                return found

    def begins(self) -> bool:
        """Tell whether the next sign begins a factor."""
        text = self.next.text
        if text == "|":
            return not self.bars
        return text[:1].isalnum() or text in _CLOSING or text in _READERS or text in _NAMES

    def factor(self) -> Phrase:
        found = self.atom()
        while sign := self.take("^", "!"):
            if sign.text == "!":
                found = Phrase("factorial", (found,))
            else:
                found = Phrase("pow", (found, self.group()))
        return found

    def group(self) -> Phrase:
        """Read a phrase in braces, or a single sign."""
        if self.take("{"):
            return self.closed("{", self.expression)
        if self.next.text[:1].isdigit() and len(self.next.text) > 1:
            self.fail("a number of several digits needs braces here")
        return self.atom()

    def closed(self, opening: str, read: Callable[[], Phrase]) -> Phrase:
        """Read a phrase up to the bracket that closes it; the opening one was read."""
        before, self.bars = self.bars, int(opening == "|")
        found = read()
        self.bars = before
        self.need(_CLOSING[opening])
        return found

    def atom(self) -> Phrase:
        token = self.next
        self.at += 1
        text = token.text
        if text[:1].isdigit():
            self.take(r"\ldots")
            return Phrase("number", (), float(text), token.column)
        if text.isalpha() or text in _NAMES:
            return self.name(_NAMES.get(text, text), token)
        if text in _OF_BRACKETS:
            return Phrase(_OF_BRACKETS[text], (self.closed(text, self.expression),))
        if text == "[":
            return self.closed(text, self.indicator)
        if text in _CLOSING:
            return self.closed(text, self.expression)
        if text not in _READERS:
            self.at -= 1
            self.fail("this is unknown" if text else "something is missing")
        return _READERS[text](self, token)

    # Names.

    def name(self, name: str, token: Token) -> Phrase:
        if not self.take("_"):
            return Phrase("name", (), name, token.column)
        braced = self.take("{")
        sub = self.next.text
        if not (sub.isdigit() or (sub.isalpha() and len(sub) == 1)):
            self.fail("a subscript is an index or a number, counted from 1")
        self.at += 1
        if braced:
            self.need("}")
        return Phrase("element", (), (name, sub), token.column)

    def long_name(self, token: Token) -> Phrase:
        return self.name(token.word, token)

    # Functions.

    def function(self, token: Token) -> Phrase:
        known = _FUNCTIONS.get(token.text) or _OPERATORS.get(token.word)
        if known is None:
            self.at -= 1
            self.fail(f"the function {token.word!r} is unknown")
        if known == "log" and self.take("_"):
            base = self.group()
            if base.value not in (2, 10):
                self.fail("a logarithm has the base 2, 10 or e")
            known = f"log{int(base.value)}"
        power = self.group() if self.take("^") else None
        found = Phrase(known, (self.argument(),))
        return found if power is None else Phrase("pow", (found, power))

    def argument(self) -> Phrase:
        """Read brackets without their power, or a single factor."""
        opening = self.take("(", "[", r"\{")
        return self.closed(opening.text, self.expression) if opening else self.factor()

    def fraction(self, token: Token) -> Phrase:
        return Phrase("divide", (self.group(), self.group()))

    def root(self, token: Token) -> Phrase:
        index = self.closed("[", self.expression) if self.take("[") else None
        inside = self.group()
        if index is None:
            return Phrase("sqrt", (inside,))
        return Phrase("pow", (inside, Phrase("divide", (Phrase("number", (), 1.0), index))))

    def infinity(self, token: Token) -> Phrase:
        return Phrase("number", (), float("inf"), token.column)

    def over(self, token: Token) -> Phrase:
        """Read a sum, a product, a minimum or a maximum; the last two also of a list."""
        op = _OVER[token.text]
        if self.take("_"):
            over = self.range(op)
            return Phrase("over", (self.term(),), over, token.column)
        if op not in _OF_TWO:
            self.fail("an index is missing, as in _{k}")
        opening = self.take("(", r"\{", "[")
        if opening is None:
            self.fail("a list in brackets is wanted, or an index, as in _{k}")
        return self.closed(opening.text, lambda: self.listed(_OF_TWO[op]))

    def listed(self, op: str) -> Phrase:
        found = self.expression()
        while self.take(","):
            found = Phrase(op, (found, self.expression()))
        return found

    def range(self, op: str) -> Over:
        braced = self.take("{")
        index = self.next.text
        if not (index.isalpha() and len(index) == 1):
            self.fail("an index is a letter")
        self.at += 1
        but, first, last = "", None, None
        if braced:
            if self.take(r"\ne"):
                but = self.next.text
                self.at += 1
            elif self.take("="):
                first = self.expression()
            self.need("}")
        if self.take("^"):
            last = self.group()
        return Over(op, index, but, first, last)

    # Conditions.

    def environment(self, token: Token) -> Phrase:
        if token.word != "cases":
            self.at -= 1
            self.fail(f"the environment {token.word!r} is unknown")
        rows: list[Phrase] = []
        while self.next.text != r"\end":
            rows += self.row()
            if not self.take(r"\\"):
                break
        if self.need(r"\end").word != "cases":
            self.fail(r"\end{cases} is missing")
        return Phrase("cases", tuple(rows), None, token.column)

    def row(self) -> tuple[Phrase, Phrase]:
        value = self.expression()
        self.take(",")
        self.take("&")
        if self.word(*_OTHERWISE):
            return Phrase("always", (), True), value
        self.word(*_IF)
        return self.condition(), value

    def condition(self) -> Phrase:
        found = self.conjunction()
        while self.word("or") or self.take(r"\lor"):
            found = Phrase("logical_or", (found, self.conjunction()))
        return found

    def conjunction(self) -> Phrase:
        found = self.comparison()
        while self.word("and") or self.take(r"\land"):
            found = Phrase("logical_and", (found, self.comparison()))
        return found

    def comparison(self) -> Phrase:
        if self.word("not") or self.take(r"\lnot"):
            return Phrase("logical_not", (self.comparison(),))
        for word in ("always", "never"):
            if self.word(word):
                return Phrase("always", (), word == "always")
        left, found = self.expression(), None
        while relation := self.take(*_RELATIONS):
            right = self.expression()
            holds = Phrase(_RELATIONS[relation.text], (left, right))
            found = holds if found is None else Phrase("logical_and", (found, holds))
            left = right
        if found is None:
            self.fail(r"a condition needs one of < > = \le \ge \ne")
        return found

    def indicator(self) -> Phrase:
        """Read a condition, which is 1 or 0, or an expression."""
        begun = self.at
        found = self.expression()
        if self.next.text not in _RELATIONS:
            return found
        self.at = begun
        return Phrase("indicator", (self.condition(),))

    def one_if(self, token: Token) -> Phrase:
        r"""Read ``\mathbb{1}`` with its condition behind it, in brackets or below."""
        if token.word != "1":
            self.at -= 1
            self.fail("this is unknown")
        self.take("_")
        opening = self.take("[", "(", "{", r"\{")
        if opening is None:
            self.fail("a condition in brackets is missing")
        return Phrase("indicator", (self.closed(opening.text, self.condition),))


_READERS: dict[str, Callable[[_Parser, Token], Phrase]] = {
    **dict.fromkeys((*_FUNCTIONS, r"\operatorname"), _Parser.function),
    **dict.fromkeys(_OVER, _Parser.over),
    **dict.fromkeys((r"\mathbb", r"\mathbf"), _Parser.one_if),
    r"\mathrm": _Parser.long_name,
    r"\frac": _Parser.fraction,
    r"\sqrt": _Parser.root,
    r"\infty": _Parser.infinity,
    r"\begin": _Parser.environment,
}
