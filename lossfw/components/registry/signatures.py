"""Compare the functions of an author's class with those of its kind."""

from __future__ import annotations

import inspect
from typing import Any

# The package whose classes are kinds; those of its plugins are called otherwise.
_CORE = "lossfw"


def other_arguments(cls: type) -> str:
    """Return which function of a class takes other arguments than its kind gives, or ""."""
    own = [base for base in cls.__mro__ if not _is_core(base)]
    kinds = [base for base in cls.__mro__ if _is_core(base)]
    for name, function in ((n, f) for base in own for n, f in vars(base).items()):
        of_kind = next((vars(base)[name] for base in kinds if name in vars(base)), None)
        if not (inspect.isfunction(function) and inspect.isfunction(of_kind)):
            continue
        wanted = [one.name for one in _positional(of_kind)]
        if not _takes(function, len(wanted)):
            return _told(name, [one.name for one in _positional(function)], wanted)
    return ""


def _is_core(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == _CORE


def _positional(function: Any) -> list[inspect.Parameter]:
    parameters = inspect.signature(function).parameters.values()
    return [
        one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]


def _takes(function: Any, count: int) -> bool:
    """Tell whether a function can be called with so many arguments by position."""
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return True
    positional = _positional(function)
    needed = [one for one in positional if one.default is one.empty]
    return len(needed) <= count <= len(positional)


def _told(name: str, given: list[str], wanted: list[str]) -> str:
    if given[:1] != wanted[:1]:
        return f"{name} lacks {wanted[0]}: write {name}({', '.join(wanted)})."
    cure = ""
    if "xp" in wanted and "xp" not in given:
        cure = ": xp, the array namespace, comes first"
        wanted = [*wanted[:2], *given[1:]] if len(given) + 1 == len(wanted) else wanted
    return f"{name} takes ({_named(given)}), and ({_named(wanted)}) was wanted{cure}."


def _named(arguments: list[str]) -> str:
    return ", ".join(arguments[1:])
