"""Load functions of other libraries, named ``module:function`` on the command line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from lossfw.check.core.subject import kind_of, spaces_of_kind
from lossfw.errors import ArgumentError, LossfwError
from lossfw.losses.loss import Loss


def is_outside(name: str) -> bool:
    """Tell whether a name is that of an outside function.

    Examples
    --------
    >>> is_outside("numpy:hypot"), is_outside("huber")
    (True, False)
    """
    module, colon, function = name.partition(":")
    return bool(colon) and all(
        part.isidentifier() for path in (module, function) for part in path.split(".")
    )


def load(name: str) -> Callable[..., Any]:
    """Return the function of a name.

    Modules of the current folder are found, as with ``python -m``.

    Raises
    ------
    ArgumentError
        If it cannot be imported, or is no function.
    """
    module, _, path = name.partition(":")
    sys.path.insert(0, "")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except LossfwError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"{name} cannot be imported: {type(error).__name__}: {error}. An outside function is "
            "written module:function."
        ) from error
    finally:
        sys.path.remove("")
    if not callable(found):
        raise ArgumentError(f"{name} is {type(found).__name__}, and a function was wanted.")
    function: Callable[..., Any] = found
    return function


def setup(named: Mapping[str, str | None]) -> list[str]:
    """Return code that imports outside functions under the names that checks call them by."""
    lines = []
    for called, name in named.items():
        if name:
            module, _, path = name.partition(":")
            lines += [f"import {module}", f"{called} = {module}.{path}"]
    return lines


def described(against: Loss | None, given: Mapping[str, str | None]) -> dict[str, str]:
    """Return kind and spaces: those given, else those of the loss to compare with or of the kind.

    Raises
    ------
    ArgumentError
        If one of them is neither given nor known.
    """
    known = spaces_of_kind(given.get("kind"))
    if against is not None:
        known = {
            "kind": kind_of(against),
            "prediction": against.prediction_space.name,
            "target": against.target_space.name,
        }
    found = {**known, **{name: value for name, value in given.items() if value}}
    missing = [f"--{name}" for name in ("kind", "prediction", "target") if name not in found]
    if missing:
        raise ArgumentError(
            f"{', '.join(missing)} must be given for an outside function, or --against, the loss "
            "that it is compared with."
        )
    return found
