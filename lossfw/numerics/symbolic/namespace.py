"""Expressions: the array namespace of symbols.

Functions have NumPy's rules for dtypes, so a graph computes what the body computes. Functions that
depend on values or shapes are missing, and the error says so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lossfw.errors import TraceError
from lossfw.numerics.symbolic.graph import (
    CAST,
    CONSTANT,
    EXPONENT,
    FRACTION,
    INPUT,
    LOOK_UP,
    PARAMETER,
    RARE,
    Graph,
)
from lossfw.numerics.symbolic.named import NamedFloat, Tree
from lossfw.numerics.symbolic.symbol import NUMBERS, Symbol

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
BOOL, INT64 = np.dtype(np.bool_), np.dtype(np.int64)

UNARY = (
    *("abs", "negative", "sign", "square", "reciprocal", "sqrt", "floor", "ceil", "round", "trunc"),
    *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sinh", "cosh", "tanh"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "asinh", "acosh", "atanh"),
)
TESTS = ("isnan", "isinf", "isfinite", "signbit")
BINARY = (
    *("add", "subtract", "multiply", "divide", "remainder", "maximum", "minimum"),
    *("logaddexp", "hypot", "atan2", "copysign"),
)
COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
LOGIC = ("logical_and", "logical_or", "logical_xor", "logical_not")

_TRUTH = (*TESTS, *COMPARISONS, *LOGIC)

# Results that are whole, so that an integer dtype says nothing new.
_WHOLE = ("round", "floor", "ceil", "trunc")

# NumPy's operator has functions of their own for these exponents.
_POWERS = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}


class Expressions:
    """The array namespace of symbols; its graph has the operations so far."""

    float32: np.dtype[Any] = FLOAT32
    float64: np.dtype[Any] = FLOAT64
    bool, int32, int64 = BOOL, np.dtype(np.int32), INT64
    pi, e, inf, nan, newaxis = math.pi, math.e, math.inf, math.nan, None

    finfo = staticmethod(np.finfo)
    isdtype = staticmethod(np.isdtype)

    def __init__(self) -> None:
        self.graph = Graph()
        for name in (*UNARY, *TESTS, *BINARY, *COMPARISONS, *LOGIC):
            setattr(self, name, self._function(name))

    def _function(self, op: str) -> Any:
        return lambda *arguments: self.operation(op, *arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np, name):
            raise AttributeError(name)
        raise TraceError(f"the body uses xp.{name}")

    # Leaves.

    def input(self, name: str, dtype: Any) -> Symbol:
        """Return an argument of the body."""
        return Symbol(self, self.graph.add(INPUT, (), np.dtype(dtype), name))

    def constant(self, value: Any, dtype: np.dtype[Any]) -> int:
        """Return the node of a number in a dtype; for a named number, the nodes of its tree."""
        if isinstance(value, NamedFloat):
            return self._add_tree(value.tree, dtype)
        if dtype.kind == "f":
            with np.errstate(all="ignore"):
                value = float(dtype.type(value))
        else:
            value = dtype.type(value).item()
        return self.graph.add(CONSTANT, (), dtype, value)

    def _add_tree(self, tree: Tree, dtype: np.dtype[Any]) -> int:
        if isinstance(tree, str):
            return self.graph.add(PARAMETER, (), dtype, tree)
        if isinstance(tree, float):
            return self.constant(tree, dtype)
        op, *parts = tree
        return self.graph.add(op, tuple(self._add_tree(part, dtype) for part in parts), dtype)

    def element(self, x: Symbol, key: Any) -> Any:
        """Raise `TraceError`: elements have no positions."""
        raise TraceError(f"the body takes a part of an array, by [{key!r}]")

    # ExpressionSpace.

    def operation(self, op: str, *arguments: Any) -> Any:
        """Return the result of a function of the array API, with NumPy's rules for dtypes."""
        symbols = [x for x in arguments if isinstance(x, Symbol)]
        for x in arguments:
            if not isinstance(x, (Symbol, *NUMBERS)):
                raise TraceError(f"the body computes {op} of an array and a {_type_name(x)}")
        if not symbols:
            return getattr(np, op)(*arguments)
        dtype = BOOL if op in LOGIC else _computing_dtype(op, self._common_dtype(arguments))
        if dtype.kind == "b" and op not in _TRUTH:
            raise TraceError(f"the body computes {op} of truth values")
        if op == "pow":
            self.check_power(*arguments)
        args = tuple(self.cast(x, dtype) for x in arguments)
        kind = BOOL if op in _TRUTH else dtype
        return Symbol(self, self.graph.add(op, args, kind), self.common_shape(symbols))

    def check_power(self, x: Any, exponent: Any) -> None:
        """Raise `TraceError` for an array of equal exponents, such as from `full_like`.

        NumPy has special functions for a number, such as the root for 0.5, but not for an
        array of this number. In the graph both would be the same.
        """
        if isinstance(exponent, Symbol) and self.graph.nodes[exponent.node].op == CONSTANT:
            raise TraceError(
                "the body raises to an array of equal powers: write the number in its place"
            )

    def common_shape(self, symbols: list[Symbol]) -> tuple[Any, ...]:
        """Return the shape of a result of symbols."""
        return max(symbols, key=lambda symbol: symbol.ndim).shape

    def _add_symbol(
        self, op: str, args: tuple[int, ...], dtype: np.dtype[Any], like: Symbol, value: Any = None
    ) -> Symbol:
        return Symbol(self, self.graph.add(op, args, dtype, value), like.shape)

    def _common_dtype(self, arguments: tuple[Any, ...]) -> np.dtype[Any]:
        """Return the dtype in which NumPy computes with these arguments."""
        # Python's own numbers take the dtype of the arrays.
        typed = [x.dtype for x in arguments if isinstance(x, Symbol | np.generic)]
        weak = [_to_python_number(x) for x in arguments if not isinstance(x, Symbol | np.generic)]
        return np.result_type(*typed, *weak)

    def cast(self, x: Any, dtype: np.dtype[Any]) -> int:
        """Return the node of a symbol or a number in a dtype."""
        if not isinstance(x, Symbol):
            return self.constant(x, dtype)
        if x.dtype == dtype:
            return x.node
        node = self.graph.nodes[x.node]
        if node.op == CONSTANT:
            return self.constant(node.value, dtype)
        return self.graph.add(CAST, (x.node,), dtype)

    def power(self, x: Any, exponent: Any) -> Any:
        """Return ``x**exponent`` as NumPy's operator computes it."""
        if isinstance(exponent, Symbol | np.generic | NamedFloat):
            return self.operation("pow", x, exponent)
        if exponent == 1:
            return x
        if exponent == 0:
            return self.ones_like(x)
        if exponent in _POWERS and x.dtype.kind == "f":
            return self.operation(_POWERS[exponent], x)
        return self.operation("pow", x, exponent)

    def pow(self, x: Any, exponent: Any) -> Any:
        """Return ``x**exponent``."""
        return self.power(x, exponent) if isinstance(x, Symbol) else exponent.__rpow__(x)

    def positive(self, x: Any) -> Any:
        """Return `x`."""
        return x

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """Return `a` where `condition` holds and `b` elsewhere."""
        if not isinstance(condition, Symbol):
            raise TraceError(f"the body chooses by a {_type_name(condition)}; expected an array")
        for x in (a, b):
            if not isinstance(x, (Symbol, *NUMBERS)):
                raise TraceError(f"the body chooses a {_type_name(x)}")
        symbols = [x for x in (condition, a, b) if isinstance(x, Symbol)]
        dtype = self._common_dtype((a, b))
        args = (self.cast(condition, BOOL), self.cast(a, dtype), self.cast(b, dtype))
        return Symbol(self, self.graph.add("where", args, dtype), self.common_shape(symbols))

    def clip(self, x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002  # the standard's names
        """Return `x` kept within [min, max]."""
        x = x if min is None else self.operation("maximum", x, min)
        return x if max is None else self.operation("minimum", x, max)

    # Arrays of one number.

    def full_like(self, x: Symbol, fill_value: Any, dtype: Any = None, **_: Any) -> Symbol:
        """Return an array of one number."""
        kind = x.dtype if dtype is None else np.dtype(dtype)
        return Symbol(self, self.cast(fill_value, kind), x.shape)

    def zeros_like(self, x: Symbol, dtype: Any = None, **_: Any) -> Symbol:
        """Return an array of zeros."""
        return self.full_like(x, 0, dtype)

    def ones_like(self, x: Symbol, dtype: Any = None, **_: Any) -> Symbol:
        """Return an array of ones."""
        return self.full_like(x, 1, dtype)

    def astype(self, x: Symbol, dtype: Any, **_: Any) -> Symbol:
        """Return `x` in another dtype."""
        dtype = np.dtype(dtype)
        is_integer = x.dtype.kind != "f" or self.graph.nodes[x.node].op in _WHOLE
        if dtype.kind in "iu" and not is_integer:
            raise TraceError("the body makes integers of floats that need not be whole")
        return Symbol(self, self.cast(x, dtype), x.shape)

    def asarray(self, x: Any, dtype: Any = None, **_: Any) -> Any:
        """Return a symbol, or a NumPy table."""
        if isinstance(x, Symbol):
            return x if dtype is None else self.astype(x, dtype)
        if isinstance(x, np.ndarray):
            return x if dtype is None else x.astype(dtype)
        raise TraceError(f"the body makes an array of a {_type_name(x)}")

    def broadcast_to(self, x: Symbol, shape: tuple[Any, ...]) -> Symbol:
        """Return `x` unchanged: there is only one shape."""
        if shape != x.shape:
            raise TraceError(f"the body makes an array of the shape {shape!r}")
        return x

    def reshape(self, x: Symbol, shape: tuple[Any, ...], **_: Any) -> Symbol:
        """Return `x` unchanged: there is only one shape."""
        return self.broadcast_to(x, shape)

    def result_type(self, *arguments: Any) -> np.dtype[Any]:
        """Return the dtype in which NumPy computes with these arguments."""
        return np.result_type(*[x.dtype if isinstance(x, Symbol) else x for x in arguments])

    # The parts of floats.

    def frexp(self, x: Symbol) -> tuple[Symbol, Symbol]:
        """Return fraction and exponent of floats."""
        return (
            self._add_symbol(FRACTION, (x.node,), x.dtype, x),
            self._add_symbol(EXPONENT, (x.node,), np.dtype(np.int32), x),
        )

    def take(self, table: Any, index: Any, *, axis: Any = None) -> Symbol:
        """Return the elements of a NumPy table at an index."""
        if not isinstance(table, np.ndarray) or not isinstance(index, Symbol):
            raise TraceError("the body takes elements of an array by their number")
        if table.ndim != 1 or axis not in (None, 0, -1):
            raise TraceError("the body takes elements of a table of several axes")
        numbers = tuple(table.tolist())
        return self._add_symbol(LOOK_UP, (self.index(index),), table.dtype, index, numbers)

    def index(self, index: Symbol) -> int:
        """Return the node of an index in int64."""
        if not np.can_cast(index.dtype, INT64):
            raise TraceError(f"the body takes elements at numbers of {index.dtype}")
        return self.cast(index, INT64)


class KernelExpressions(Expressions):
    """The array namespace of kernels, which compute rare values only where needed.

    On other expressions a body computes both values, as on PyTorch tensors.
    """

    def where_rare(self, condition: Symbol, rare: Symbol, usual: Symbol) -> Symbol:
        """Return ``where(condition, rare, usual)``; kernels compute `rare` only where needed."""
        chosen = self.where(condition, rare, usual)
        args = self.graph.nodes[chosen.node].args
        return Symbol(self, self.graph.add("where", args, chosen.dtype, RARE), chosen.shape)


class TileExpressions(KernelExpressions):
    """The array namespace of tiles, which leave rare values to the body."""

    def leave_to_body(self, condition: Symbol, usual: Symbol) -> Symbol:
        """Return `usual`, the right value where the condition does not hold."""
        return self.where_rare(condition, usual, usual)


def _computing_dtype(op: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which NumPy computes a function of arrays of a dtype."""
    function = getattr(np, op, None)  # NumPy has no erfc
    if dtype.kind not in "iu" or not isinstance(function, np.ufunc):
        return dtype
    # Quotients, roots, logarithms and the like of integers are those of floats.
    result: np.dtype[Any] = function.resolve_dtypes((dtype,) * function.nin + (None,))[0]
    return result


def _to_python_number(x: Any) -> Any:
    """Return a number of the same kind of Python's, for NumPy's rules of dtypes."""
    return next(kind(0) for kind in (bool, int, float) if isinstance(x, kind))


def _type_name(x: object) -> str:
    return f"{type(x).__module__}.{type(x).__name__}".removeprefix("builtins.")
