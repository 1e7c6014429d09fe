"""Liars among activations."""

import numpy as np

from lossfw import Activation, ActivationClaims, RowActivation
from support.liars.liar import Liar


def tanh(xp, x):
    return xp.tanh(x)


def softplus(xp, x):
    return xp.where(x > 0, x, 0 * x) + xp.log1p(xp.exp(-xp.abs(x)))


def sigmoid(xp, x):
    e = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_gradient(xp, x):
    e = xp.exp(-xp.abs(x))
    return e / (1 + e) ** 2


def elementwise(name, body, *, derivative=None, second=None, definition=None, both=None,
                vjp=None, **claims):  # fmt: skip
    """Return an activation of these functions, each called with ``(xp, x)``."""

    def method(function):
        return lambda self, xp, *arguments: function(xp, *arguments)

    members = {"value": method(body), "claims": lambda self: ActivationClaims(**claims)}
    for key, function in (
        ("derivative", derivative),
        ("second_derivative", second),
        ("formula", definition),
        ("value_and_derivative", both),
        ("vjp", vjp),
    ):
        if function is not None:
            members[key] = method(function)
    return type(name, (Activation,), {"__module__": __name__, **members})()


class Doubling(Activation):
    """Answers in double precision."""

    def value(self, xp, x):
        return xp.tanh(x)

    def __call__(self, x):
        return super().__call__(np.asarray(x, float))


class _Softmax(RowActivation):
    def value(self, xp, x):
        e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
        return e / xp.sum(e, axis=-1, keepdims=True)


class LeakySoftmax(_Softmax):
    """A thousandth goes to no class."""

    def value(self, xp, x):
        return 0.999 * super().value(xp, x)

    def claims(self):
        return ActivationClaims(rows_sum_to_one=True)


class TooCalm(_Softmax):
    """Two columns that lead alike change by half of what moves them apart."""

    def claims(self):
        return ActivationClaims(lipschitz=0.45)


class Bent(_Softmax):
    """Leans on the largest column: at a tie its gradient jumps."""

    def value(self, xp, x):
        top = xp.max(x, axis=-1, keepdims=True)
        return super().value(xp, x) + 0.01 * xp.tanh(x - top)

    def jvp(self, xp, x, v):
        lead = xp.argmax(x, axis=-1, keepdims=True)
        moved = v - xp.take_along_axis(v, lead, axis=-1)
        top = xp.max(x, axis=-1, keepdims=True)
        return _Softmax().jvp(xp, x, v) + 0.01 * moved / xp.cosh(x - top) ** 2

    def vjp(self, xp, x, v):
        top = xp.max(x, axis=-1, keepdims=True)
        back = 0.01 * v / xp.cosh(x - top) ** 2
        lead = xp.arange(x.shape[-1]) == xp.argmax(x, axis=-1, keepdims=True)
        return _Softmax().vjp(xp, x, v) + back - lead * xp.sum(back, axis=-1, keepdims=True)

    def claims(self):
        return ActivationClaims(breaks=())


class Sliding(_Softmax):
    """Its sharpness depends on the level of the row."""

    def value(self, xp, x):
        level = xp.mean(x, axis=-1, keepdims=True)
        return super().value(xp, x * (1 + 0.01 * xp.tanh(level)))

    def claims(self):
        return ActivationClaims(shift_invariant=True)


class Inexact(_Softmax):
    """Is a little off its definition."""

    def formula(self, xp, x):
        return _Softmax.value(self, xp, x)

    def value(self, xp, x):
        return super().value(xp, x) * (1 + 1e-9)

    def jvp(self, xp, x, v):
        return _Softmax().jvp(xp, x, v)

    def vjp(self, xp, x, v):
        return _Softmax().vjp(xp, x, v)


class Untransposed(_Softmax):
    """Takes its Jacobian, which is not symmetric, for its own transpose."""

    def value(self, xp, x):
        return super().value(xp, x) * (1 + xp.arange(x.shape[-1]))

    def jvp(self, xp, x, v):
        shares = super().value(xp, x)
        mean = xp.sum(shares * v, axis=-1, keepdims=True)
        return (1 + xp.arange(x.shape[-1])) * shares * (v - mean)

    def vjp(self, xp, x, v):
        return self.jvp(xp, x, v)


def softmax_that(name, change):
    """Return a softmax, the result or argument of whose call is changed."""
    return type(name, (_Softmax,), {"__module__": __name__, "__call__": change})()


LIARS = (
    Liar("activation", "shape", "double", Doubling()),
    Liar("activation", "nan", "relu",
         elementwise("Deaf", lambda xp, x: xp.where(x > 0, x, 0 * xp.ones_like(x)))),
    Liar("activation", "value", "cut off",
         elementwise("CutOff", lambda xp, x: xp.where(x > 3, xp.ones_like(x), xp.tanh(x)),
                     definition=tanh, derivative=lambda xp, x: 1 / xp.cosh(x) ** 2,
                     second=lambda xp, x: -2 * xp.tanh(x) / xp.cosh(x) ** 2),
         ("gradient", "hessian")),
    Liar("activation", "gradient", "factor",
         elementwise("Gradient", softplus, derivative=lambda xp, x: 0.5 * sigmoid(xp, x),
                     second=sigmoid_gradient)),
    Liar("activation", "gradient:both", "value",
         elementwise("Both", softplus, derivative=sigmoid, second=sigmoid_gradient,
                     both=lambda xp, x: (softplus(xp, x) * (1 + 1e-7), sigmoid(xp, x)))),
    Liar("activation", "hessian", "factor",
         elementwise("Second", softplus, derivative=sigmoid,
                     second=lambda xp, x: 0.5 * sigmoid_gradient(xp, x))),
    Liar("activation", "claim:range", "too wide", elementwise("Range", tanh, range=(-1.0, 2.0))),
    Liar("activation", "claim:monotone", "falls",
         elementwise("Falling", lambda xp, x: -xp.tanh(x), monotone=True)),
    Liar("activation", "claim:odd", "softplus", elementwise("Even", softplus, odd=True)),
    Liar("activation", "claim:lipschitz", "too small",
         elementwise("Steep", tanh, lipschitz=0.98)),
    Liar("activation", "claim:breaks", "missing",
         elementwise("Break", lambda xp, x: xp.where(x > 0, x, 0.9 * x), breaks=())),
    Liar("activation", "claim:gradient_zero_almost_everywhere", "gradient",
         elementwise("Alive", tanh, gradient_zero_almost_everywhere=True)),
    Liar("rows", "shape", "double",
         softmax_that("DoublingRows", lambda self, x: _Softmax.__call__(self, np.float64(x)))),
    Liar("rows", "nan", "nan to num",
         softmax_that("DeafRows", lambda self, x: np.nan_to_num(_Softmax.__call__(self, x)))),
    Liar("rows", "value", "a little off", Inexact()),
    Liar("rows", "gradient", "transposed", Untransposed()),
    Liar("rows", "claim:lipschitz", "too calm", TooCalm()),
    Liar("rows", "claim:breaks", "bent", Bent()),
    Liar("rows", "claim:rows_sum_to_one", "leaks", LeakySoftmax()),
    Liar("rows", "claim:shift_invariant", "slides", Sliding())
)  # fmt: skip
