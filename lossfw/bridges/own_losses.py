"""Losses of a script, which no plugin offers: found by name among the classes of the process.

A saved model names its loss. If the loss comes with no plugin, the class that the loading
script defines or imports is meant, as for objects of Keras that are registered.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from lossfw.components.registry import registry
from lossfw.errors import DuplicateNameError, UnknownNameError
from lossfw.losses.loss import Loss


def with_own_losses(spec: Any) -> Any:
    """Return a specification of a loss with losses in place of what names classes of a script.

    `spec` itself comes back if it names no such class. Two modules with a loss of one name raise
    `DuplicateNameError`.

    Examples
    --------
    >>> from lossfw import DistanceLoss
    >>> class FourthPower(DistanceLoss):
    ...     def value(self, xp, r):
    ...         return xp.abs(r) ** 4
    >>> with_own_losses({"name": "scaled", "of": {"name": "fourth_power"}, "scale": 2.0})
    {'name': 'scaled', 'of': FourthPower(), 'scale': 2.0}
    """
    if isinstance(spec, str):
        cls = _class_of(spec)
        return spec if cls is None else cls()
    if isinstance(spec, Mapping):
        parameters = {key: _inside(value) for key, value in spec.items() if key != "name"}
        name = spec.get("name")
        cls = _class_of(name) if isinstance(name, str) else None
        if cls is not None:
            return cls(**parameters)
        changed = any(value is not spec[key] for key, value in parameters.items())
        return {**spec, **parameters} if changed else spec
    return spec


def _inside(value: Any) -> Any:
    """Return a parameter, with losses for the mappings in it."""
    if isinstance(value, Mapping):
        return with_own_losses(value)
    if isinstance(value, list | tuple) and any(isinstance(part, Mapping) for part in value):
        parts = [_inside(part) for part in value]
        return parts if any(a is not b for a, b in zip(parts, value, strict=True)) else value
    return value


def _class_of(name: str) -> type[Loss] | None:
    """Return the class of this name that no plugin offers; None if there is none."""
    try:
        registry().resolve("loss", name)
    except UnknownNameError:
        pass
    else:
        return None
    found = [cls for cls in _below(Loss) if cls.name == name and not inspect.isabstract(cls)]
    modules = sorted({cls.__module__ for cls in found})
    if len(modules) > 1:
        raise DuplicateNameError(
            f"{' and '.join(modules)} both define a loss {name!r}: import one of them only, or "
            "give one of the classes another name."
        )
    # A cell of a notebook that is run again defines its class again.
    return found[-1] if found else None


def _below(cls: type[Any]) -> Iterator[type[Any]]:
    for child in cls.__subclasses__():
        yield child
        yield from _below(child)
