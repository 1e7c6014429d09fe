"""stop_gradient: a quantity of a body that is a constant for every derivative.

The value of the body uses the quantity itself. Its derivatives are those of a body with a constant
in its place, whatever computes them: dual numbers, kernels, PyTorch, JAX, or differences of exact
numbers, for which `with_stop_point` keeps the argument of `stop_gradient` at the point.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from lossfw.numerics.arrays import Array, Body, Namespace, TextbookNamespace, is_jax, is_torch
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual
from lossfw.numerics.records import map_arrays

# What `stop_gradient` does with an exact array while differences are computed.
_EXACTLY: ContextVar[Callable[[Array], Array] | None] = ContextVar("_EXACTLY", default=None)


def stop_gradient(xp: Namespace, x: Any) -> Any:
    """Return `x`, an array or a record of arrays, as a constant for every derivative.

    Examples
    --------
    A number times itself as a constant has the derivative of a line:

    >>> import numpy as np
    >>> from lossfw import DistanceLoss
    >>> class Weighted(DistanceLoss):
    ...     def value(self, xp, r):
    ...         return stop_gradient(xp, r) * r
    >>> Weighted()([3.0], [0.0]), Weighted().gradient([3.0], [0.0])
    (9.0, array([3.]))
    """
    return map_arrays(lambda part: _stop_array(xp, part), x)


def _stop_array(xp: Namespace, x: Any) -> Any:
    if isinstance(xp, DualNamespace):
        return _stop_array(xp.inner, x.value if isinstance(x, Dual) else x)
    if isinstance(xp, TextbookNamespace):
        answer = _EXACTLY.get()
        return x if answer is None else answer(x)
    if is_torch(x):
        return x.detach()
    if is_jax(x):
        return sys.modules["jax"].lax.stop_gradient(x)
    return x


@contextmanager
def _intercept_stops(intercept: Callable[[Array], Array]) -> Iterator[None]:
    token = _EXACTLY.set(intercept)
    try:
        yield
    finally:
        _EXACTLY.reset(token)


@contextmanager
def collect_stopped() -> Iterator[list[Array]]:
    """Collect the exact arrays in `stop_gradient`, in the order of the calls."""
    stopped: list[Array] = []

    def note(x: Array) -> Array:
        stopped.append(x)
        return x

    with _intercept_stops(note):
        yield stopped


def with_stop_point(body: Body) -> Body:
    """Return a body with a last argument, the point whose stopped quantities it uses.

    Elsewhere the body gets the quantities of this point: its calls are the same at any
    arguments.
    """

    def hold_constant(xp: Namespace, y: Array, *others: Any) -> Any:
        constants: Sequence[Any] = others[:-1]
        with collect_stopped() as stopped:
            body(xp, others[-1], *constants)
        again = iter(stopped)
        with _intercept_stops(lambda x: next(again)):
            return body(xp, y, *constants)

    return hold_constant
