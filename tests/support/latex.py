r"""Formulas in LaTeX, read and computed on any numbers: what a component prints is what it is.

::

    typeset_body(text, letters, parameters, rows) -> body(xp, *arrays)

A formula is read as it is read aloud, and becomes an expression of Python. A product needs no sign.
A function without brackets takes one factor, ``\log y\,t`` is log(y) t. A sum over an index takes
the product behind it. A power behind brackets is that of the function, ``\max(0, x)^{2}``. As in
print, 0 log 0 is 0: a product with a factor 0 is 0 whatever the other one is. Behind
``\text{with}`` equations define names.
"""

import functools
import re
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from lossfw.numerics.factorial import log_factorial

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


# The reader, from the loosest parts to the tightest; each returns an expression of Python, in which
# ``v(name, subscript)`` is the value of a letter.

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
        result = f"(-{self.term()})" if sign and sign.text == "-" else self.term()
        while sign := self.take("+", "-"):
            result = f"({result} {sign.text} {self.term()})"
        return result

    def term(self):
        result = self.factor()
        while True:
            if self.take("/"):
                result = f"({result} / {self.factor()})"
            elif self.take(r"\cdot") or self.begins():
                result = f"product({result}, {self.factor()})"
            else:
                return result

    def begins(self):
        """Tell whether the next sign begins a factor."""
        text = self.next.text
        return text[:1].isalnum() or text in _CLOSING or text in _READERS or text in _NAMES

    def factor(self):
        result = self.atom()
        while sign := self.take("^", "!"):
            result = f"factorial({result})" if sign.text == "!" else f"({result} ** {self.group()})"
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
            return f"number({text})"
        if text.isalpha() or text in _NAMES:
            return self.letter(_NAMES.get(text, text))
        if text == "[":
            return self.closed(text, self.indicator)
        if text in _CLOSING:
            inside = self.closed(text)
            return f"xp.{_OF_BRACKETS[text]}({inside})" if text in _OF_BRACKETS else inside
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
        return f"v({name!r}, {sub!r})"

    def function(self, token):
        name = _FUNCTIONS[token.word or token.text]
        name = "lgamma" if name == "log" and self.take(r"\Gamma") else name
        power = self.group() if self.take("^") else None
        opening = self.take("(", "[", r"\{")
        result = f"xp.{name}({self.closed(opening.text) if opening else self.factor()})"
        return f"({result} ** {power})" if power else result

    def root(self, token):
        return f"xp.sqrt({self.group()})"

    def over(self, token):
        """Read a sum, a product, a minimum or a maximum; the last two also of a list."""
        if not self.take("_"):
            return self.closed(self.skip().text, lambda: self.listed(token.text))
        braced = self.take("{")
        letter, left_out, first = self.skip().text, "", None
        if braced:
            if self.take(r"\ne"):
                left_out = self.skip().text
            elif self.take("="):
                first = self.expression()
            self.need("}")
        last = self.group() if self.take("^") else None
        limits = f"{letter!r}, {left_out!r}, {first}, {last}"
        return f"over({token.text!r}, v, {limits}, lambda v: {self.term()})"

    def listed(self, sign):
        values = [self.expression()]
        while self.take(","):
            values.append(self.expression())
        return f"joined({sign!r}, [{', '.join(values)}])"

    def environment(self, token):
        parts = []
        while self.next.text != r"\end":
            value = self.expression()
            self.take(",")
            self.take("&")
            holds = self.word("otherwise", "else")
            if not holds:
                self.word("if", "for")
            parts += ["True" if holds else self.condition(), value]
            self.take(r"\\")
        self.skip()
        return f"cases({', '.join(parts)})"

    def indicator(self):
        """Read an expression, or a condition, which is 1 or 0."""
        start = self.place
        result = self.expression()
        if self.next.text not in _RELATIONS:
            return result
        self.place = start
        return f"cases({self.condition()}, number(1), True, number(0))"

    def condition(self):
        """Read comparisons that are joined, from left to right; no formula has both words."""
        result = self.comparison()
        while word := next((word for word in ("or", "and") if self.word(word)), None):
            result = f"xp.logical_{word}({result}, {self.comparison()})"
        return result

    def comparison(self):
        left, results = self.expression(), []
        while relation := self.take(*_RELATIONS):
            right = self.expression()
            results.append(f"xp.{_RELATIONS[relation.text]}({left}, {right})")
            left = right
        return functools.reduce("xp.logical_and({}, {})".format, results)


_READERS = {
    **dict.fromkeys((*_FUNCTIONS, r"\operatorname"), Reader.function),
    **dict.fromkeys((r"\sum", r"\prod", r"\max", r"\min"), Reader.over),
    r"\mathrm": lambda reader, token: reader.letter(token.word),
    r"\frac": lambda reader, _: f"({reader.group()} / {reader.group()})",
    r"\sqrt": Reader.root,
    r"\infty": lambda reader, token: "number(float('inf'))",
    r"\begin": Reader.environment,
}


# The values of letters, and the functions of the expressions.


@dataclass(frozen=True)
class Letters:
    """The values of the letters of a formula, of rows by their index."""

    xp: Any
    names: dict
    rows: dict
    columns: int = 0
    indices: dict = field(default_factory=dict)

    def __call__(self, name, sub):
        if (known := f"{name}_{sub}" if sub else name) in self.names:
            return self.names[known]
        if not sub:
            return self.xp.full((), self.indices[name] + 1.0)[()]
        return self.rows[name][..., int(sub) - 1 if sub.isdigit() else self.indices[sub]]

    def at(self, index, place):
        return replace(self, indices={**self.indices, index: place})

    def value(self, expression):
        return eval(expression, {"xp": self.xp, "v": self, **_functions(self.xp)})

    def define(self, left, right, shape):
        """Return the letters with the one name that an equation explains."""
        parts = re.findall(r"v\('(\w+)', '(\w*)'\)", left + right)
        unlike = {f"{n}_{sub}" if sub else n for n, sub in parts if n not in self.rows}
        (unknown,) = unlike - set(self.names)

        def knowing(value):
            return replace(self, names={**self.names, unknown: value})

        if left.startswith("v(") and left.count("(") == 1:
            return knowing(self.value(right))
        # It is solved by bisection, from an interval that is doubled until it has the solution.
        xp, difference = self.xp, f"{left} > {right}"
        low, high = -xp.ones(shape), xp.ones(shape)
        for _ in range(64):
            same = xp.equal(*(knowing(x).value(difference) for x in (low, high)))
            if not xp.any(same):
                break
            low, high = xp.where(same, 2 * low, low), xp.where(same, 2 * high, high)
        at_low = knowing(low).value(difference)
        for _ in range(160):
            middle = (low + high) / 2
            same = xp.equal(knowing(middle).value(difference), at_low)
            low, high = xp.where(same, middle, low), xp.where(same, high, middle)
        return knowing((low + high) / 2)


@functools.cache
def _functions(xp):
    def number(x):
        return xp.full((), float(x))[()]

    def product(a, b):
        return xp.where(xp.logical_or(a == 0, b == 0), number(0), a * b)

    def cases(*values):
        """Return the first case that holds; conditions and values come in turn."""
        result = number("nan")
        for k in range(len(values) - 2, -1, -2):
            result = xp.where(values[k], values[k + 1], result)
        return result

    def factorial(n):
        # A number by itself is not an array yet.
        return xp.exp(log_factorial(xp, xp.asarray(n)))

    # How terms are joined, and what no term at all is.
    joins = {
        r"\sum": (lambda a, b: a + b, 0.0),
        r"\prod": (lambda a, b: a * b, 1.0),
        r"\max": (xp.maximum, "-inf"),
        r"\min": (xp.minimum, "inf"),
    }

    def joined(sign, values):
        return functools.reduce(joins[sign][0], values)

    def over(sign, v, letter, left_out, first, last, term):
        stop = v.columns if last is None else int(last)
        skipped = v.indices[left_out] if left_out else None
        places = range((1 if first is None else int(first)) - 1, stop)
        values = [term(v.at(letter, k)) for k in places if k != skipped]
        return joined(sign, [number(joins[sign][1]), *values])

    return {f.__name__: f for f in (number, product, cases, factorial, joined, over)}


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
        known = {**numbers, **({"K": float(columns)} if rows else {})}
        constants = {name: xp.full((), value)[()] for name, value in known.items()}
        single = {name: x for name, x in values.items() if name not in of_row}
        scope = Letters(xp, {"pi": xp.pi, "e": xp.e, **constants, **single}, of_row, columns)

        def value(scope):
            for sides in definitions:
                scope = scope.define(*sides, shape)
            return xp.broadcast_to(scope.value(right), shape)

        bound = set(re.findall(r"over\('\S+', v, '(\w+)'", right))
        found = re.findall(r"v\('(\w+)', '([^\d\W]\w*)'\)", right)
        free = {sub for name, sub in found if name in of_row} - bound
        if not free:
            return value(scope)
        (index,) = free
        return xp.stack([value(scope.at(index, k)) for k in range(columns)], axis=-1)

    return body
