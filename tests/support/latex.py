r"""Formulas in LaTeX, read and computed on any numbers: what a component prints is what it is.

::

    typeset_body(text, letters, parameters, rows) -> body(xp, *arrays)

A formula is read as it is read aloud. A product needs no sign. A function without brackets
takes one factor, ``\log y\,t`` is log(y) t. A sum over an index takes the product behind it.
A power behind brackets is that of the function, ``\max(0, x)^{2}``. As in print, 0 log 0 is 0:
a product with a factor 0 is 0 whatever the other one is. Behind ``\text{with}`` equations
define names.
"""

import functools
import re
from typing import NamedTuple

from support.phrases import (
    ARITHMETIC,
    OVER,
    Phrase,
    Scope,
    apply,
    call,
    cases,
    constant,
    define,
    factorial,
    over,
    product,
)

# Signs.

_TOKEN = re.compile(
    r"""
      \\(?P<kind>text|mathrm|operatorname|begin|end)\*?\s*\{(?P<word>[^{}]*)\}
    | \\(?:left|right)(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\?[^A-Za-z\s\\])
    | \\[A-Za-z]+
    | \\.
    | [0-9]+(?:\.[0-9]+)?
    | \S
    """,
    re.VERBOSE,
)
_UNSAID = {r"\,", r"\;", r"\!", r"\ ", "~", r"\quad", r"\qquad"}
_ALIKE = {r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\times": r"\cdot", r"\ln": r"\log"}


class Token(NamedTuple):
    r"""A sign; `word` is in the braces of ``\text``, ``\mathrm``, ``\begin`` and the like."""

    text: str
    word: str = ""


def tokens(text):
    """Yield the signs of a formula, and an empty one for its end."""
    for match in _TOKEN.finditer(text):
        sign = match.group()
        if match["kind"]:
            yield Token(f"\\{match['kind']}", match["word"].strip().replace(r"\_", "_"))
        elif sign not in _UNSAID:
            for side, bar in ((r"\left", r"\lvert"), (r"\right", r"\rvert")):
                delimiter = sign.removeprefix(side).strip()
                if delimiter != sign and not delimiter[:1].isalpha():
                    sign = bar if delimiter == "|" else delimiter
            yield Token(_ALIKE.get(sign, sign))
    yield Token("")


# The reader, from the loosest parts to the tightest.

_GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "kappa", "lambda", "mu", "pi", "rho",
          "sigma", "tau", "phi", "omega")  # fmt: skip
_NAMES = {rf"\{name}": name for name in _GREEK} | {r"\varepsilon": "epsilon"}
_FUNCTIONS = {
    **{rf"\{name}": name for name in ("log", "exp", "sinh", "cosh", "tanh", "sin", "cos")},
    r"\arcsin": "asin",
    r"\arccos": "acos",
    r"\arctan": "atan",
    "arsinh": "asinh",
    **{name: name for name in ("erf", "erfc", "sign", "round", "trunc")},
}
_CLOSING = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", r"\lvert": r"\rvert",
            r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}  # fmt: skip
_OF_BRACKETS = {r"\lvert": "abs", r"\lfloor": "floor", r"\lceil": "ceil"}
_RELATIONS = {"<": "less", r"\le": "less_equal", ">": "greater", r"\ge": "greater_equal",
              "=": "equal", r"\ne": "not_equal"}  # fmt: skip


class Reader:
    """The signs of a formula, and the place where the reader is."""

    def __init__(self, text):
        self.text, self.tokens, self.place = text, list(tokens(text)), 0

    @property
    def next(self):
        return self.tokens[self.place]

    def skip(self):
        self.place += 1
        return self.tokens[self.place - 1]

    def take(self, *texts):
        """Return the next sign and go on, if it is one of these."""
        return self.skip() if self.next.text in texts and self.next.text else None

    def word(self, *words):
        r"""Tell whether the next sign is ``\text`` with one of these words, and go on."""
        return self.next.word in words and self.take(r"\text") is not None

    def need(self, text):
        if self.take(text) is None:
            raise ValueError(f"{text} is missing before {self.next.text!r} in {self.text}")

    def formula(self):
        """Return the right side, and the pairs of sides of the definitions."""
        right, definitions = self.expression(), []
        while self.word("with", "where") or (definitions and self.take(",")):
            left = self.expression()
            self.need("=")
            definitions.append((left, self.expression()))
        if self.next.text:
            raise ValueError(f"cannot read {self.next.text} in {self.text}")
        return right, definitions

    def expression(self):
        sign = self.take("+", "-")
        result = self.term()
        if sign and sign.text == "-":
            result = call("negative", result)
        while sign := self.take("+", "-"):
            name = "add" if sign.text == "+" else "subtract"
            result = apply(ARITHMETIC[name], result, self.term())
        return result

    def term(self):
        result = self.factor()
        while True:
            if self.take("/"):
                result = apply(ARITHMETIC["divide"], result, self.factor())
            elif self.take(r"\cdot") or self.begins():
                result = apply(product, result, self.factor())
            else:
                return result

    def begins(self):
        """Tell whether the next sign begins a factor."""
        text = self.next.text
        return text[:1].isalnum() or text in _CLOSING or text in _READERS or text in _NAMES

    def factor(self):
        result = self.atom()
        while sign := self.take("^", "!"):
            if sign.text == "!":
                result = apply(factorial, result)
            else:
                result = apply(ARITHMETIC["pow"], result, self.group())
        return result

    def group(self):
        """Read a phrase in braces, or a single sign."""
        return self.closed("{") if self.take("{") else self.atom()

    def closed(self, opening, read=None):
        """Read a phrase up to the bracket that closes it; the opening one was read."""
        result = (read or self.expression)()
        self.need(_CLOSING[opening])
        return result

    def atom(self):
        token = self.skip()
        text = token.text
        if text[:1].isdigit():
            self.take(r"\ldots")
            return constant(float(text))
        if text.isalpha() or text in _NAMES:
            return self.letter(_NAMES.get(text, text))
        if text == "[":
            return self.closed(text, self.indicator)
        if text in _CLOSING:
            inside = self.closed(text)
            return call(_OF_BRACKETS[text], inside) if text in _OF_BRACKETS else inside
        if text not in _READERS:
            raise ValueError(f"cannot read {text!r} in {self.text}")
        return _READERS[text](self, token)

    def letter(self, name):
        sub = ""
        if self.take("_"):
            braced = self.take("{")
            sub = self.skip().text
            if braced:
                self.need("}")
        return Phrase(
            lambda scope: scope.letter(name, sub), frozenset({(name, sub)}), is_letter=True
        )

    def function(self, token):
        name = _FUNCTIONS[token.word or token.text]
        name = "lgamma" if name == "log" and self.take(r"\Gamma") else name
        power = self.group() if self.take("^") else None
        opening = self.take("(", "[", r"\{")
        result = call(name, self.closed(opening.text) if opening else self.factor())
        return apply(ARITHMETIC["pow"], result, power) if power else result

    def root(self, token):
        index = self.closed("[") if self.take("[") else None
        inside = self.group()
        if index is None:
            return call("sqrt", inside)
        return apply(lambda xp, x, n: x ** (1.0 / n), inside, index)

    def over(self, token):
        """Read a sum, a product, a minimum or a maximum; the last two also of a list."""
        if not self.take("_"):
            return self.closed(self.skip().text, lambda: self.listed(OVER[token.text][0]))
        braced = self.take("{")
        letter, left_out, first = self.skip().text, "", None
        if braced:
            if self.take(r"\ne"):
                left_out = self.skip().text
            elif self.take("="):
                first = self.expression()
            self.need("}")
        last = self.group() if self.take("^") else None
        return over(token.text, letter, left_out, first, last, self.term())

    def listed(self, join):
        result = self.expression()
        while self.take(","):
            result = apply(join, result, self.expression())
        return result

    def environment(self, token):
        parts = []
        while self.next.text != r"\end":
            value = self.expression()
            self.take(",")
            self.take("&")
            if self.word("otherwise", "else"):
                parts += [Phrase(lambda scope: True), value]
            else:
                self.word("if", "for")
                parts += [self.condition(), value]
            self.take(r"\\")
        self.skip()
        return apply(cases, *parts)

    def indicator(self):
        """Read an expression, or a condition, which is 1 or 0."""
        start = self.place
        result = self.expression()
        if self.next.text not in _RELATIONS:
            return result
        self.place = start
        return apply(cases, self.condition(), *_ONE_OR_ZERO)

    def condition(self):
        result = self.conjunction()
        while self.word("or") or self.take(r"\lor"):
            result = call("logical_or", result, self.conjunction())
        return result

    def conjunction(self):
        result = self.comparison()
        while self.word("and") or self.take(r"\land"):
            result = call("logical_and", result, self.comparison())
        return result

    def comparison(self):
        if self.word("not") or self.take(r"\lnot"):
            return call("logical_not", self.comparison())
        for word in ("always", "never"):
            if self.word(word):
                return Phrase(lambda scope, holds=word == "always": holds)
        left, results = self.expression(), []
        while relation := self.take(*_RELATIONS):
            right = self.expression()
            results.append(call(_RELATIONS[relation.text], left, right))
            left = right
        return functools.reduce(functools.partial(call, "logical_and"), results)


_ONE_OR_ZERO = (constant(1.0), Phrase(lambda scope: True), constant(0.0))
_READERS = {
    **dict.fromkeys((*_FUNCTIONS, r"\operatorname"), Reader.function),
    **dict.fromkeys(OVER, Reader.over),
    r"\mathrm": lambda reader, token: reader.letter(token.word),
    r"\frac": lambda reader, _: apply(ARITHMETIC["divide"], reader.group(), reader.group()),
    r"\sqrt": Reader.root,
    r"\infty": lambda reader, token: constant(float("inf")),
    r"\begin": Reader.environment,
}


def typeset_body(text, letters, parameters, rows):
    r"""Return a formula in LaTeX as a body.

    `letters` returns what the letters of the formula stand for, from the arguments of the body,
    and numbers among the parameters have their names. With `rows`, letters stand for rows, of
    which a formula takes elements: ``y_{k}``; one with an index that no sum binds gives a row.

    >>> import numpy as np
    >>> body = typeset_body(r"c\,r^{2}", lambda y, t: {"r": y - t}, {"c": 0.5}, rows=False)
    >>> body(np, np.array([1.0, 4.0]), np.array([0.0, 2.0]))
    array([0.5, 2. ])
    """
    right, definitions = Reader(text).formula()
    numbers = {
        name: float(value)
        for name, value in parameters.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }

    def body(xp, *arrays):
        first, values = arrays[0], letters(*arrays)
        shape, columns = (first.shape[:-1], first.shape[-1]) if rows else (first.shape, 0)
        of_row = {n: x for n, x in values.items() if x.ndim == first.ndim} if rows else {}
        constants = {name: xp.full((), value)[()] for name, value in numbers.items()}
        if rows:
            constants["K"] = xp.full((), float(columns))[()]
        single = {name: x for name, x in values.items() if name not in of_row}
        scope = Scope(xp, {"pi": xp.pi, "e": xp.e, **constants, **single}, of_row, columns)

        def value(scope):
            for sides in definitions:
                scope = define(scope, *sides, shape)
            return xp.broadcast_to(right.compute(scope), shape)

        free = {sub for name, sub in right.letters if name in of_row and not sub.isdigit()}
        if not free:
            return value(scope)
        (index,) = free
        return xp.stack([value(scope.at(index, k)) for k in range(columns)], axis=-1)

    return body
