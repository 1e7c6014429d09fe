"""The check of other libraries' arrays: PyTorch and JAX give NumPy's results and refusals."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lossfw.check.core.points import Points, drop_masked
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Search,
    check,
    format_number,
    ordinary_points,
)
from lossfw.check.core.subject import Subject
from lossfw.errors import LossfwError
from lossfw.numerics.arrays import NDArray

# The functions of other libraries are their own, and a compiler rearranges: results may differ
# by so much of the largest one, in rounding errors of the dtype. What is left of 1 less a
# prediction of 0.999 has a thousand of them.
_ROUNDINGS = 4096

_POINTS = 8

# With fewer examples it is a parameter that was moved: it changes the body, and not how
# results are weighted and added up. Then each sort of options has only its first case.
_ENOUGH = 100

# JAX compiles: operation by operation a loss takes seconds, and as one program, which is how it
# is used in training, a tenth of a second. So it has only the first case of the results, and of
# moved parameters the value; how results are weighted is one code for all libraries.
_COMPILES = "jax"
# Its program runs once, so most of the time of the machine code would go into its optimization;
# how XLA rearranges the operations themselves does not depend on this.
_QUICKLY = {"xla_backend_optimization_level": 0}
_METHODS = ("__call__", "gradient", "hessian")

# Package -> the module whose `asarray` makes its arrays. The last is the test double of
# the array API standard.
_MODULES = {"torch": "torch", "jax": "jax.numpy", "array_api_strict": "array_api_strict"}


class Library(NamedTuple):
    """A package that may be installed, and the function that converts a NumPy array."""

    name: str
    convert: Callable[[NDArray], Any]


# What the others are held to.
_NUMPY = Library("numpy", np.asarray)


def _outcomes(
    library: Library,
    component: Any,
    methods: Sequence[str],
    points: Points,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what calls with the library's arrays give: results or errors."""
    given = {k: library.convert(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    functions: list[Callable[..., Any]] = [
        partial(getattr(component, method), **given) for method in methods
    ]
    if library.name == _COMPILES:
        # In one program what they share is compiled once.
        found = _outcome(library, _jit_compile(lambda y, t: [f(y, t) for f in functions]), points)
        if not isinstance(found, Exception):
            return dict(zip(methods, found, strict=True))
        functions = [_jit_compile_if_possible(function) for function in functions]
    return {m: _outcome(library, f, points) for m, f in zip(methods, functions, strict=True)}


def _double_precision() -> AbstractContextManager[Any]:
    # Imported on use: it imports JAX.
    from lossfw.losses.engine.jax_rules import double_precision

    return double_precision(True)


def _outcome(library: Library, function: Callable[..., Any], points: Points) -> Any:
    """Return what a call with the library's arrays gives: a result, or a list, or an error."""
    try:
        # JAX computes in float64 only if it is asked to.
        wide = _double_precision() if library.name == "jax" else nullcontext()
        with wide, np.errstate(all="ignore"):
            found = function(library.convert(points.y), library.convert(points.t))
            return [*map(np.asarray, found)] if isinstance(found, list) else np.asarray(found)
    except Exception as error:
        return error


def _jit_compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that JAX compiles as a whole for each call."""
    jit = importlib.import_module("jax").jit
    return lambda y, t: jit(function).lower(y, t).compile(_QUICKLY)(y, t)


def _jit_compile_if_possible(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that JAX compiles as a whole, and calls as it is where it cannot."""
    errors = importlib.import_module("jax").errors

    def call(y: Any, t: Any) -> Any:
        try:
            return _jit_compile(function)(y, t)
        except (errors.JAXTypeError, errors.JAXIndexError):
            # A body that looks at numbers, which a trace has not.
            return function(y, t)

    return call


@check("arrays")
def check_arrays(subject: Subject, search: Search) -> None:
    """Arrays of other libraries have NumPy's results, weighted and masked, and its refusals."""
    if subject.component is None:
        raise NotApplicable("a function takes only NumPy's arrays")
    libraries = [
        Library(package, importlib.import_module(module).asarray)
        for package, module in _MODULES.items()
        if importlib.util.find_spec(package) is not None
    ]
    if not libraries:
        raise NotApplicable(f"none of {', '.join(_MODULES)} is installed")
    points = drop_masked(subject, ordinary_points(subject, search, "arrays")).take(slice(_POINTS))
    if len(points) < 2:
        # One is left out, and one is kept.
        raise NotApplicable("fewer than two ordinary points are not masked")
    given = Points(subject.prepare_argument(points.y), subject.prepare_argument(points.t))
    whole = search.examples >= _ENOUGH
    for number, options in enumerate(_option_cases(len(points), whole)):
        expected = _outcomes(_NUMPY, subject.component, _METHODS, given, options)
        for library in libraries:
            methods: tuple[str, ...] = _METHODS
            if library.name == _COMPILES:
                if number:
                    continue
                methods = _METHODS if whole else _METHODS[:1]
            found = _outcomes(library, subject.component, methods, given, options)
            for method, actual in found.items():
                search.count(len(points))
                _refute_other_outcome(library, method, options, expected[method], actual, points)


def _option_cases(count: int, whole: bool) -> list[dict[str, Any]]:
    """Return options of calls with so many points: all, or the first of each sort."""
    one, weight = np.ones(count), np.arange(count) % 3 + 0.0
    mask = np.arange(count) % 4 > 0
    wrong = [np.where(np.arange(count) == 1, bad, one) for bad in (-1.0, np.nan, np.inf)]
    every: tuple[list[dict[str, Any]], ...] = (
        [{"reduction": name} for name in ("none", "sum", "mean")],
        [
            {"sample_weight": weight + 0.5, "where": mask, "denominator": "count"},
            {"sample_weight": weight},
            {"sample_weight": weight, "denominator": "count"},
            {"where": mask},
            {"where": mask, "reduction": "none"},
            {"sample_weight": 0.0 * weight},
            {"sample_weight": 0.0 * weight, "empty": "nan"},
        ],
        # What NumPy's arrays refuse.
        [
            *({"sample_weight": weight} for weight in (*wrong, one[:1], one[:-1])),
            *({"where": mask} for mask in (one, one[:1] > 0)),
        ],
    )
    return [options for some in every for options in (some if whole else some[:1])]


def _refute_other_outcome(
    library: Library,
    method: str,
    options: Mapping[str, Any],
    expected: Any,
    actual: Any,
    points: Points,
) -> None:
    """Refute another outcome than NumPy's."""
    # The test double refuses a dual number on the right, which no library does.
    is_of_double = library.name == "array_api_strict"
    refuses_dual = is_of_double and "got <class 'lossfw.numerics.dual" in str(actual)
    if refuses_dual or _is_same_outcome(expected, actual):
        return
    listed = "".join(f", {key}={_format_array(value)}" for key, value in options.items())
    message = (
        f"{method} of arrays of {library.name}{listed} gives {_format_array(actual)}, and of "
        f"NumPy's {_format_array(expected)}."
    )
    error = actual if isinstance(actual, Exception) else None
    raise Counterexample(message, y=points.y, t=points.t) from error


def _is_same_outcome(expected: Any, actual: Any) -> bool:
    if isinstance(expected, Exception) or isinstance(actual, Exception):
        # A refusal is an outcome; a slip, even one that both make, is none.
        return type(expected) is type(actual) and isinstance(actual, LossfwError)
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return False
    finite = np.abs(expected[np.isfinite(expected)])
    allowed = _ROUNDINGS * np.finfo(expected.dtype).eps * finite.max(initial=0.0)
    return bool(np.allclose(actual, expected, rtol=0.0, atol=allowed, equal_nan=True))


def _format_array(x: Any) -> str:
    is_numbers = np.ndim(x) > 0 and np.asarray(x).dtype.kind in "fiub"
    return format_number(x) if is_numbers else repr(x)
