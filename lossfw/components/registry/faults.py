"""Reasons why a class that a plugin offers cannot be used, each with its cure."""

from __future__ import annotations

import inspect

from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from lossfw.components.component import Component
from lossfw.components.hookspecs import HOOKS
from lossfw.components.registry.signatures import other_arguments


def fault_of(value: object) -> str:
    """Return why a value is no usable class of a component, or an empty text.

    The text continues "it ..."; the cure follows a colon.

    Examples
    --------
    >>> fault_of(3.0)
    'is a float and not a class'
    """
    if not isinstance(value, type):
        return f"is a {type(value).__name__} and not a class"
    if not issubclass(value, Component):
        return "is no component: derive it from a kind that lossfw exports, such as DistanceLoss"
    if getattr(value, "kind", None) not in HOOKS:
        return "has no kind: derive it from Loss, Activation, Metric or Source"
    if not value.model_config.get("frozen") or value.model_config.get("extra") != "forbid":
        return "can change or takes unknown parameters: leave its model_config as it is inherited"
    if inspect.isabstract(value):
        missing = ", ".join(sorted(value.__abstractmethods__))
        return f"is not finished: define {missing}"
    return _undefined(value) or _odd_init(value) or _other_arguments(value)


def _other_arguments(cls: type[Component]) -> str:
    """Return the fault of a function that cannot be called as those of its kind are."""
    told = other_arguments(cls)
    return f"cannot be called: {told.removesuffix('.')}" if told else ""


def _odd_init(cls: type[Component]) -> str:
    """Return the fault of an ``__init__`` that takes what is no parameter, or an empty text."""
    own = cls.__dict__.get("__init__")
    if own is None:
        return ""
    _, *taken = inspect.signature(own).parameters.values()
    named = [one.name for one in taken if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    for name in named:
        if name not in cls.model_fields:
            return (
                f"has an __init__ with {name!r}, which is no parameter: leave __init__ out, and "
                "write each parameter as a field, as in `scale: float = 1.0`"
            )
    return ""


def _undefined(cls: type[Component]) -> str:
    """Return the fault of an annotation that pydantic cannot resolve, or an empty text."""
    try:
        # pydantic postpones annotations that it cannot resolve when the class is made.
        cls.model_rebuild()
    except PydanticUndefinedAnnotation as error:
        return f"has a parameter of the unknown type {error.name!r}: import or define it"
    except PydanticUserError as error:
        return f"has a parameter that pydantic cannot check: {error.message}"
    return ""
