"""Find the cause of an error in an author's code, so that one mistake is one finding.

A mistake, such as a body without ``xp``, ends most checks of a component with the same error. The
first of these checks reports the error, its cause and its remedy; the others count as not run.
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lossfw import numerics
from lossfw.components.component import Component
from lossfw.components.registry.check_class import changed_arguments
from lossfw.errors import BodyError, LossfwError

# The function of a search through which checks call what they check.
COUNTED = "counted_call"

# Frames of these packages are not the author's.
_OTHERS = frozenset(
    ("lossfw", "numpy", "flint", "torch", "jax", "jaxlib", "array_api_compat", "array_api_strict",
     "contextlib", "functools", "warnings", "concurrent", "pydantic")
)  # fmt: skip


class _ErrorPattern(NamedTuple):
    """A mistake in a body: what its error says, its remedy, and how its line reads."""

    name: str
    error: str
    remedy: str
    line: str = r"$^"


# The first that fits counts.
_ERROR_PATTERNS = (
    _ErrorPattern(
        "writing",
        r"does not support item assignment|read-only",
        "writes into an array: return a new one, as xp.where does.",
        r"\]\s*[-+*/]?=[^=]",
    ),
    _ErrorPattern(
        "scalars",
        r"arrays? can be converted|must be real number, not",
        "takes single numbers, as functions of math do, but gets an array: use the functions of "
        "xp.",
    ),
    _ErrorPattern(
        "branch",
        r"truth value of an? ",
        "branches on an array: choose with xp.where, xp.maximum or xp.minimum.",
    ),
    _ErrorPattern(
        "rows",
        r"zero-size array to reduction|axis -?\d+ is out of bounds",
        "combines several numbers: an activation of rows is a RowActivation, a loss of rows a "
        "CategoricalLoss.",
    ),
    _ErrorPattern(
        "numpy",
        r"\bDual\b|\bFixed\b|does not support ufuncs|numpy\.ndarray",
        "uses numpy directly: take xp, as in xp.where, so that it runs on dual and exact "
        "numbers and on other arrays, too.",
    ),
)
# The error of a ufunc on an array of objects.
_OF_OBJECTS = re.compile(
    r"not supported for the input types|dtype\('O'\)|no callable \w+ method|truth value of an array"
)
_LACKS = re.compile(r"^AttributeError: .* has no attribute '(\w+)'")
_STANDARD = "it has those of the Python array API standard, and lossfw.numerics has others"
_CALLED = re.compile(r"\w+\(\) (takes \d+ positional|missing \d+ required positional)")

# A function, perhaps of a class, that was called with other arguments.
_MISCALLED = re.compile(
    r"^TypeError: (?:\w+\.)*(\w+)\(\) (?:got an unexpected keyword|takes|missing \d+ required)"
)
_OF_ROWS = "lossfw.numerics.softmax"

# Numbers and shapes differ from call to call where the error is the same.
_VARYING = re.compile(r"\([^()]*\)|\d+(\.\d+)?(e-?\d+)?")


@dataclass(frozen=True)
class Cause:
    """Why an error ended a check."""

    # Equal for errors of the same cause.
    key: Hashable
    # The cause and its remedy, empty where no more is known than the error.
    text: str
    # Where it happened: the innermost line of the author's code, else of any.
    place: str


def cause_of(error: BaseException, component: Component | None = None) -> Cause:
    """Return the cause of an error; a component's functions are compared with those of its kind."""
    if isinstance(error, BodyError) and error.__cause__ is not None:
        # The author's line is where NumPy refused to write.
        error = error.__cause__
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    summary = traceback.extract_tb(error.__traceback__)
    own = [
        i
        for i, frame in enumerate(frames)
        if _is_author_module(frame.f_globals.get("__name__", ""))
    ]
    at = summary[own[-1] if own else -1] if summary else None
    place = f"{Path(at.filename).name}, line {at.lineno}, in {at.name}" if at else ""
    line = (at.line or "").strip() if at and own else ""
    message = f"{type(error).__name__}: {error}"
    known, remedy = _known_mistake(message, line, component)
    return Cause(known or (place, _VARYING.sub("#", message)), remedy, place)


def is_harness_error(error: BaseException, component: Component | None) -> bool:
    """Tell whether an exception is a mistake of the harness, not of the checked code.

    It is, unless it comes from a call of the function or from an author's code, or lossfw
    raises it for what an author returns.
    """
    if isinstance(error, LossfwError):
        return False
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if any(frame.f_code.co_name == COUNTED for frame in frames):
        return False
    if component is None:
        return True
    is_authors = any(_is_author_module(frame.f_globals.get("__name__", "")) for frame in frames)
    return not (is_authors or _known_mistake(f"{type(error).__name__}: {error}", "", component)[0])


def _is_author_module(module: str) -> bool:
    return module.partition(".")[0] not in _OTHERS


def _known_mistake(message: str, line: str, component: Component | None) -> tuple[str, str]:
    """Return the mistake that an error speaks of, and its remedy; empty where none is known."""
    if component is None:
        return "", ""
    if _CALLED.search(message) and (wrong := changed_arguments(type(component))):
        return "arguments", wrong
    if lacking := _missing_function(message, line):
        return "lacking", lacking
    if miscalled := _called_signature(message, line):
        return "call", miscalled
    for pattern in _ERROR_PATTERNS if line else ():
        if re.search(pattern.error, message) or re.search(pattern.line, line):
            return pattern.name, f"`{line}` {pattern.remedy}"
    # What NumPy made of other numbers is an error later, in code that is not the author's.
    function = "" if line else _function_using_numpy(type(component))
    if function and _OF_OBJECTS.search(message):
        numpy_pattern = _ERROR_PATTERNS[-1]
        return numpy_pattern.name, f"`{function}` {numpy_pattern.remedy}"
    return "", ""


def _missing_function(message: str, line: str) -> str:
    """Return where a function is that xp lacks, empty if the error is another one."""
    match = _LACKS.search(message)
    if match is None or f"xp.{match[1]}" not in line:
        return ""
    has_it = hasattr(numerics, match[1])
    others = f"lossfw.numerics has {match[1]}(xp, ...)" if has_it else _STANDARD
    return f"`{line}` asks xp for a function that it does not have: {others}."


def _called_signature(message: str, line: str) -> str:
    """Return how a function that a body calls with other arguments is called, empty if none is."""
    match = _MISCALLED.search(message)
    name = match[1] if match else ""
    if not name or f"{name}(" not in line:
        return ""
    if f"xp.{name}(" in line:
        return (
            f"`{line}` calls xp.{name} in a way that the Python array API standard does not have: "
            "give options by name, as in xp.sum(x, axis=-1)."
        )
    function = getattr(numerics, name, None)
    if function is None:
        return ""
    parameters = inspect.signature(function).parameters.values()
    plain = inspect.Signature([one.replace(annotation=one.empty) for one in parameters])
    along = ", which goes along the last axis" if function.__module__ == _OF_ROWS else ""
    return f"`{line}` calls {name} with other arguments than it has: write {name}{plain}{along}."


def _function_using_numpy(cls: type[Component]) -> str:
    """Return the name of an author's function that uses numpy, empty if none does."""
    own = [base for base in cls.__mro__ if _is_author_module(base.__module__)]
    for name, function in ((n, f) for base in own for n, f in vars(base).items()):
        if inspect.isfunction(function):
            names = function.__code__.co_names
            if "numpy" in names or any(function.__globals__.get(n) is np for n in names):
                return name
    return ""
