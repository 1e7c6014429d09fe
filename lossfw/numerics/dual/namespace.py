"""DualNamespace: the functions of an array namespace, on dual numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.dual.number import Dual, value_of
from lossfw.numerics.dual.parts import ArrayParts, Tangent, add, scale
from lossfw.numerics.dual.rules import LINEAR, REARRANGING, RULES, VALUE_ONLY, DerivativeRule

SecondDerivative = Callable[[], Any] | None


class DualNamespace:
    """An array namespace in which arrays may be dual numbers, of the order 1 or 2.

    Dtypes, constants, and functions of arrays that are not dual numbers are those of `inner`. A
    function without a rule raises `lossfw.errors.ArgumentError` for a dual number. `parts` is the
    namespace of the derivatives; unless given, they are arrays of `inner`.
    """

    def __init__(self, inner: Namespace, order: int = 2, parts: Namespace | None = None) -> None:
        self.inner = inner
        self.order = order
        self.parts: Namespace = ArrayParts(inner) if parts is None else parts

    def __getattr__(self, name: str) -> Any:
        value = self._wrap_function(name, getattr(self.inner, name))
        # Kept, so that the next look-up is fast.
        setattr(self, name, value)
        return value

    def _wrap_function(self, name: str, inner: Any) -> Any:
        """Return a function of the inner namespace with its rule for dual numbers."""
        if not callable(inner) or isinstance(inner, type):
            return inner
        if name in RULES:
            return _elementary(self, inner, RULES[name])
        if name in VALUE_ONLY:
            return lambda *args, **kwargs: inner(*[value_of(arg) for arg in args], **kwargs)
        if name in REARRANGING:
            return _apply_to_parts(self, name, inner, keep_floats=True)
        if name in LINEAR:
            return _apply_to_parts(self, name, inner, keep_floats=False)
        return _refuse_dual_numbers(name, inner)

    # Building blocks, also for primitives with their own rules.

    def lift(self, x: Any) -> Dual:
        """Return `x` as a dual number; anything else as a constant."""
        return x if isinstance(x, Dual) else Dual(x, None, None, self)

    def chain(
        self, x: Dual, value: Array, derivative: Any, second_derivative: SecondDerivative = None
    ) -> Dual:
        """Return f(x) from its value, its derivative, and a function that computes the second."""
        return self.combine(value, (x, derivative), (None, None), same=second_derivative)

    def combine(
        self,
        value: Array,
        a: tuple[Any, Any],
        b: tuple[Any, Any],
        *,
        same: SecondDerivative = None,
        mixed: SecondDerivative = None,
        other: SecondDerivative = None,
    ) -> Dual:
        """Return f(a, b) by the chain rule in two arguments.

        `a` and `b` are pairs of an argument, dual or not, and the partial derivative of f by it.
        `same`, `mixed` and `other` compute the second partial derivatives by a and a, a and b, b
        and b, in the second order only; None is 0.
        """
        times = self.parts.scale
        (a1, a2), (b1, b2) = (
            (x.first, x.second) if isinstance(x, Dual) else (None, None) for x, _ in (a, b)
        )
        first = add(times(a[1], a1), times(b[1], b1))
        if self.order == 1:
            return Dual(value, first, None, self)
        second = add(times(a[1], a2), times(b[1], b2))
        for curve, left, right, count in (
            (same, a1, a1, 1.0),
            (mixed, a1, b1, 2.0),
            (other, b1, b1, 1.0),
        ):
            if curve is not None and left is not None and right is not None:
                # One by one: the square of a derivative overflows where the product does not.
                term = times(times(curve(), left), right)
                second = add(second, term if count == 1.0 else times(count, term))
        return Dual(value, first, second, self)

    # Arithmetic.

    add = staticmethod(operator.add)
    subtract = staticmethod(operator.sub)
    multiply = staticmethod(operator.mul)
    divide = staticmethod(operator.truediv)
    negative = staticmethod(operator.neg)
    positive = staticmethod(operator.pos)

    def quotient(self, a: Any, b: Any) -> Dual:
        """Return ``a / b`` for at least one dual number."""
        if not isinstance(b, Dual):
            first, second = (self.parts.divide_by(part, b, a.value) for part in (a.first, a.second))
            return Dual(a.value / b, first, second, self)
        v = b.value
        q = value_of(a) / v
        derivative = 1 / v if isinstance(a, Dual) else None
        # Divided in one order, so that equal terms cancel to 0.
        return self.combine(
            q, (a, derivative), (b, -q / v), mixed=lambda: -1 / v / v, other=lambda: 2 * q / v / v
        )

    def pow(self, x: Any, p: Any) -> Any:
        """Return ``x**p``."""
        if isinstance(p, int | float) and isinstance(x, Dual):
            if p == 0:
                return self.inner.ones_like(x.value)
            if p == 1:
                return x
        v, n = value_of(x), self._exponent(value_of(p))
        value = v**n
        derivative_x = scale(self.inner, v ** (n - 1), n) if isinstance(x, Dual) else None
        derivative_p = self._times_log(value, v) if isinstance(p, Dual) else None
        return self.combine(
            value,
            (x, derivative_x),
            (p, derivative_p),
            same=lambda: scale(self.inner, v ** (n - 2), n * (n - 1)),
            mixed=lambda: v ** (n - 1) + n * self._times_log(v ** (n - 1), v),
            other=lambda: self._times_log(derivative_p, v),
        )

    def _exponent(self, p: Any) -> Any:
        """Return an exponent as an exact number on exact numbers, else as it is."""
        to_balls = getattr(self.inner, "to_balls", None)
        return p if to_balls is None or not isinstance(p, float) else to_balls(p)[()]

    def _times_log(self, value: Array, base: Any) -> Array:
        """Return ``value * log(base)``, and 0 where `value` is 0: the limit for p > 0."""
        xp = self.inner
        base = base + xp.zeros_like(value)
        return xp.where(value == 0, value, value * xp.log(base))

    def logaddexp(self, a: Any, b: Any) -> Dual:
        """Return ``log(exp(a) + exp(b))``."""
        xp = self.inner
        x, y = value_of(a), value_of(b)
        value = xp.logaddexp(x, y)
        p, q = xp.exp(x - value), xp.exp(y - value)
        return self.combine(
            value, (a, p), (b, q), same=lambda: p * q, mixed=lambda: -p * q, other=lambda: p * q
        )

    def hypot(self, a: Any, b: Any) -> Dual:
        """Return ``sqrt(a**2 + b**2)``; its derivatives at (0, 0) are 0."""
        xp = self.inner
        value = xp.hypot(value_of(a), value_of(b))
        length = xp.where(value == 0, xp.ones_like(value), value)
        p, q = value_of(a) / length, value_of(b) / length
        return self.combine(
            value,
            (a, p),
            (b, q),
            same=lambda: q * q / length,
            mixed=lambda: -p * q / length,
            other=lambda: p * p / length,
        )

    # Choice.

    def where(self, condition: Array, a: Any, b: Any) -> Any:
        """Return `a` where `condition` holds and `b` elsewhere, derivatives included."""
        xp, condition = self.inner, value_of(condition)
        value = xp.where(condition, value_of(a), value_of(b))
        if not (isinstance(a, Dual) or isinstance(b, Dual)):
            return value
        a, b = self.lift(a), self.lift(b)

        first, second = (
            self.parts.choose(condition, *pair, value)
            for pair in ((a.first, b.first), (a.second, b.second))
        )
        return Dual(value, first, second, self)

    def maximum(self, a: Any, b: Any) -> Any:
        """Return the larger; at a tie the mean of both derivatives."""
        return self._pick(self.inner.maximum, a, b, value_of(a) > value_of(b))

    def minimum(self, a: Any, b: Any) -> Any:
        """Return the smaller; at a tie the mean of both derivatives."""
        return self._pick(self.inner.minimum, a, b, value_of(a) < value_of(b))

    def _pick(self, choice: Callable[..., Array], a: Any, b: Any, a_wins: Array) -> Any:
        value = choice(value_of(a), value_of(b))
        if not (isinstance(a, Dual) or isinstance(b, Dual)):
            return value
        a, b = self.lift(a), self.lift(b)
        tied = a.value == b.value
        # Nearly always NumPy finds no tie.
        has_ties = self.inner is not np or bool(tied.any())

        def pick(p: Tangent, q: Tangent) -> Tangent:
            if p is None and q is None:
                return None
            if has_ties:
                middle = add(self.parts.scale(0.5, p), self.parts.scale(0.5, q))
                q = self.parts.choose(tied, middle, q, value)
            return self.parts.choose(a_wins, p, q, value)

        return Dual(value, pick(a.first, b.first), pick(a.second, b.second), self)

    def clip(self, x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002  # the standard's names
        """Return `x` clipped to [min, max], by `maximum` and `minimum`."""
        if min is not None:
            x = self.maximum(x, min)
        return x if max is None else self.minimum(x, max)

    def max(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the largest; at a tie the mean of the derivatives of all tied elements."""
        return self._extreme(self.inner.max, x, axis, keepdims)

    def min(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the smallest; at a tie the mean of the derivatives of all tied elements."""
        return self._extreme(self.inner.min, x, axis, keepdims)

    def _extreme(self, choice: Callable[..., Array], x: Any, axis: Any, keepdims: bool) -> Any:
        if not isinstance(x, Dual):
            return choice(x, axis=axis, keepdims=keepdims)
        xp = self.inner
        tied = x.value == choice(x.value, axis=axis, keepdims=True)
        zero = xp.zeros_like(x.value)
        count = xp.sum(xp.where(tied, xp.ones_like(x.value), zero), axis=axis, keepdims=keepdims)

        def mean(part: Tangent) -> Tangent:
            if part is None:
                return None
            chosen = self.parts.choose(tied, part, None, x.value)
            return self.parts.sum(chosen, axis=axis, keepdims=keepdims) / count

        value = choice(x.value, axis=axis, keepdims=keepdims)
        return Dual(value, mean(x.first), mean(x.second), self)

    def sort(self, x: Any, *, axis: int = -1, descending: bool = False) -> Any:
        """Return `x` sorted; the derivatives move with their elements."""
        inner = self.inner
        order = inner.argsort(value_of(x), axis=axis)
        if descending:
            order = inner.flip(order, axis=axis)
        value = inner.take_along_axis(value_of(x), order, axis=axis)
        if not isinstance(x, Dual):
            return value
        first, second = (
            None
            if part is None
            else self.parts.permute(self.parts.expand_like(part, x.value), order, axis)
            for part in (x.first, x.second)
        )
        return Dual(value, first, second, self)

    def stack(self, arrays: Sequence[Any], *, axis: int = 0) -> Any:
        """Join arrays along a new axis."""
        return self._join("stack", arrays, axis)

    def concat(self, arrays: Sequence[Any], *, axis: int | None = 0) -> Any:
        """Join arrays along an axis that they have."""
        return self._join("concat", arrays, axis)

    def _join(self, name: str, arrays: Sequence[Any], axis: int | None) -> Any:
        duals = [self.lift(x) for x in arrays]

        def join_parts(parts: list[Tangent]) -> Tangent:
            if all(part is None for part in parts):
                return None
            pairs = zip(parts, duals, strict=True)
            whole = [self.parts.expand_like(part, x.value) for part, x in pairs]
            return getattr(self.parts, name)(whole, axis=axis)

        first, second = join_parts([x.first for x in duals]), join_parts([x.second for x in duals])
        value = getattr(self.inner, name)([x.value for x in duals], axis=axis)
        return Dual(value, first, second, self)


def _elementary(space: DualNamespace, function: Callable[..., Array], rule: DerivativeRule) -> Any:
    """Return an elementary function of one argument, with its rule."""
    xp = space.inner

    def call(x: Any) -> Any:
        if not isinstance(x, Dual):
            return function(x)
        v = function(x.value)
        second = rule.second_derivative
        later = None if second is None else lambda: second(xp, x.value, v)
        result = space.chain(x, v, rule.derivative(xp, x.value, v), later)
        if rule.is_logarithm and space.order > 1:
            # The second derivative at a tiny argument may be infinite where this square is not.
            square = space.parts.scale(result.first, result.first)
            result.second = add(result.second, None if square is None else -square)
        return result

    return call


def _apply_to_parts(
    space: DualNamespace, name: str, function: Callable[..., Array], keep_floats: bool
) -> Any:
    """Return a linear function; `keep_floats` keeps parts that are one float as they are."""
    parts = space.parts

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(x, Dual):
            return function(x, *args, **kwargs)

        def apply(part: Tangent) -> Tangent:
            if part is None or (keep_floats and isinstance(part, float)):
                return part
            return getattr(parts, name)(parts.expand_like(part, x.value), *args, **kwargs)

        return Dual(function(x.value, *args, **kwargs), apply(x.first), apply(x.second), space)

    return call


def _refuse_dual_numbers(name: str, function: Callable[..., Any]) -> Any:
    """Return a function that raises for dual numbers."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(arg, Dual) for arg in (*args, *kwargs.values())):
            raise ArgumentError(
                f"xp.{name} has no rule for dual numbers, so the derivatives of this body cannot "
                "be derived: write the body with other functions, or give derivative and "
                "second_derivative"
            )
        return function(*args, **kwargs)

    return call
