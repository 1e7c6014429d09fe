"""extended_range: a body that computes its rare elements on numbers with exponents without end."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from lossfw.numerics.arrays import (
    Array,
    ErrorFreeNamespace,
    NDArray,
    as_numpy,
    device_of,
    has_values,
    is_torch,
)
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual, value_of
from lossfw.numerics.dual.parts import ArrayParts, UnrecordedError
from lossfw.numerics.primitive import computed_in_float64, parameter_place
from lossfw.numerics.records import Record, first_array, map_arrays
from lossfw.numerics.words import Words, choose
from lossfw.numerics.words_namespace import WORDS

_Function = TypeVar("_Function", bound=Callable[..., Any])

# An infinite argument is 2^_INFINITY, so far beyond the floats that a limit is reached to all
# digits.
_INFINITY = np.int64(2**20)


def extended_range(is_rare: Callable[..., Array]) -> Callable[[_Function], _Function]:
    """Decorate a body: where its arguments are extreme, it runs on numbers of a wider range.

    The body is written once, in a form that is stable on floats of ordinary size. It runs on all
    elements, float32 by float64 as with `computed_in_float64`. Where `is_rare` holds the same body
    runs again, on `Words`: numbers of 104 bits whose exponents have no end. There no product
    overflows, no quotient is subnormal, and an exponential has the digits of its argument. An
    infinite argument is a number beyond all floats there, so that the result is the body's limit.

    Parameters
    ----------
    is_rare : callable
        Takes the arguments of the body, ``(xp, *arrays)`` or ``(self, xp, *arrays)``, and tells
        for each element, or each row, whether floats do not suffice. NaN may be rare or not.

    Notes
    -----
    One rare element of a block costs 0.1 to 3 milliseconds, and many of them one to three
    microseconds each, so they should be few. The body may use arithmetic, comparisons, powers,
    `where`, `maximum`, `minimum`, `clip`, `abs`, `sign`, `floor`, `sqrt`, `hypot`, exponentials,
    logarithms and hyperbolic functions, and `sum`, `max` and `argmax` of rows, along the last
    axis; others raise an error that names them.

    A compiled kernel leaves blocks with rare elements to NumPy. Arrays of other libraries lend
    their rare elements to NumPy too, if their values are known. Under `jax.jit`, `jax.vmap`,
    `torch.compile` and `torch.func`, and where PyTorch differentiates the body itself, they are
    not, and the plain body computes all elements. So it does in JAX without float64, and on exact
    numbers, which need nothing else. Derivatives by dual numbers are computed on `Words` as well.

    Examples
    --------
    A quotient of powers overflows on the way to an ordinary number:

    >>> @extended_range(lambda xp, y, t: (y < 1e-100) | (y > 1e100))
    ... def relative_square(xp, y, t):
    ...     return (y - t) ** 2 / y**2
    >>> with np.errstate(all="ignore"):
    ...     relative_square(np, np.array([2.0, 1e-200]), np.array([3.0, 4e-200]))
    array([0.25, 9.  ])
    """

    def decorate(body: _Function) -> _Function:
        place = parameter_place(body)

        @functools.wraps(body)
        def extended(*given: Any) -> Any:
            found = body(*given)
            xp, first = given[place], first_array(given[place + 1])
            inner = xp.inner if isinstance(xp, DualNamespace) else xp
            if isinstance(inner, ErrorFreeNamespace) or first.dtype != xp.float64:
                return found
            if not isinstance(first, np.ndarray) and not _is_known(first):
                return found
            if isinstance(xp, DualNamespace) and not isinstance(xp.parts, ArrayParts):
                raise UnrecordedError("a body whose rare elements are computed anew")
            values = [map_arrays(value_of, x) for x in given[place + 1 :]]
            rare = is_rare(*given[:place], inner, *values)
            if inner is np and not rare.any():
                return found
            return _Call(body, place, given).extended(rare, found)

        return cast(_Function, computed_in_float64(extended))

    return decorate


def _is_known(x: Any) -> bool:
    """Tell whether NumPy may compute elements of an array of another library, or of a dual number.

    What stands for numbers, and what PyTorch differentiates, is left to its library.
    """
    while isinstance(x, Dual):
        x = x.value
    if not is_torch(x):
        return has_values(x)
    torch = sys.modules["torch"]
    differentiated = torch.is_grad_enabled() and x.requires_grad
    is_mapped = torch._C._functorch.is_functorch_wrapped_tensor(x)
    return has_values(x) and not differentiated and not is_mapped


class _Call:
    """A call of a body, whose arrays are taken out of its arguments and put in again.

    A dual number has up to three.
    """

    def __init__(self, body: Callable[..., Any], place: int, given: tuple[Any, ...]) -> None:
        self._body, self._before, self._arguments = body, given[:place], given[place + 1 :]
        self._dual = given[place] if isinstance(given[place], DualNamespace) else None
        self._xp = given[place] if self._dual is None else self._dual.inner
        self.arrays: list[Array] = []
        for x in self._arguments:
            self._with_arrays(x, self._collect)

    def __repr__(self) -> str:
        before = ", ".join(map(repr, self._before))
        return f"{self._body.__module__}.{self._body.__qualname__}({before})"

    def _collect(self, x: Array) -> Array:
        self.arrays.append(x)
        return x

    def _with_arrays(self, x: Any, function: Callable[[Array], Any]) -> Any:
        """Return an argument with a function of each of its arrays."""
        if isinstance(x, Record):
            return type(x)(*[self._with_arrays(part, function) for part in x])
        if isinstance(x, Dual):
            parts = [self._with_arrays(part, function) for part in (x.value, x.first, x.second)]
            return Dual(parts[0], parts[1], parts[2], self._words)
        return function(x) if hasattr(x, "dtype") else x

    @property
    def _words(self) -> Any:
        return WORDS if self._dual is None else DualNamespace(WORDS, self._dual.order)

    def extended(self, rare: Array, found: Any) -> Any:
        """Return a result of the body, with the rare elements computed on words."""
        xp, parts = self._xp, _parts(found)
        if hasattr(type(xp), "by_body"):
            # An expression remembers what its kernel has to leave to the body.
            return _like(found, [xp.by_body(rare, x, self, i) for i, x in enumerate(parts)])
        if xp is np:
            return _like(found, self.computed_on_words(rare, parts, self.arrays))
        if not bool(xp.any(rare)):
            return found
        given = [x if _is_constant(x) else as_numpy(x) for x in parts]
        new_parts = self.computed_on_words(
            as_numpy(rare), given, [as_numpy(x) for x in self.arrays]
        )
        device = device_of(self.arrays[0])
        pairs = zip(parts, new_parts, strict=True)
        return _like(
            found,
            [old if _is_constant(old) else xp.asarray(new, device=device) for old, new in pairs],
        )

    def computed_on_words(
        self, rare: NDArray, parts: list[Any], arrays: Sequence[NDArray]
    ) -> list[Any]:
        """Return the parts of a result of NumPy, where `rare` those that the body has of words."""
        taken = iter([_as_long(np.asarray(x), rare)[rare] for x in arrays])
        arguments = [
            self._with_arrays(x, lambda _: _to_words(next(taken))) for x in self._arguments
        ]
        with np.errstate(all="ignore"):
            found = _parts(self._body(*self._before, self._words, *arguments))
            new = [x.to_float() if isinstance(x, Words) else x for x in found]
        return [_put(part, rare, x) for part, x in zip(parts, new, strict=False)]


def _to_words(x: NDArray) -> Any:
    if x.dtype != np.float64:
        return x
    found, infinite = Words.of(x), np.isinf(x)
    if infinite.any():
        found = choose(infinite, Words(0.5 * np.sign(x), 0.0 * found.low, _INFINITY), found)
    return found


def _as_long(x: NDArray, rare: NDArray) -> NDArray:
    return x if x.shape[: rare.ndim] == rare.shape else np.broadcast_to(x, rare.shape)


def _is_constant(part: Any) -> bool:
    """Tell whether a part is a number for all elements, or None: some derivatives are."""
    return not hasattr(part, "dtype")


def _put(part: Any, rare: NDArray, new: Any) -> Any:
    if _is_constant(part):
        return part
    # A copy, because a body may return what it was given.
    whole = np.array(part)
    whole[rare] = new
    return whole


def _parts(found: Any) -> list[Any]:
    if isinstance(found, Dual):
        return [found.value, found.first, found.second]
    if isinstance(found, Mapping):
        return list(found.values())
    return list(found) if isinstance(found, tuple) else [found]


def _like(found: Any, parts: list[Any]) -> Any:
    """Return parts in the form of a result."""
    if isinstance(found, Dual):
        return Dual(parts[0], parts[1], parts[2], found.space)
    if isinstance(found, Mapping):
        return dict(zip(found, parts, strict=True))
    return tuple(parts) if isinstance(found, tuple) else parts[0]
