"""Import the class of an entry, and say why a class cannot be used, with the remedy."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from lossfw.components.component import Component
from lossfw.components.hookspecs import HOOKS, PROJECT
from lossfw.components.registry.blame import describe_error
from lossfw.components.registry.contained import catch_exits
from lossfw.components.registry.faulty_classes import FaultyClass
from lossfw.components.registry.messages import kind_noun
from lossfw.components.registry.records import Entry
from lossfw.errors import BrokenPluginError


def import_object(target: str) -> Any:
    """Return the object that ``module`` or ``module:attribute`` names."""
    # The format allows extras in brackets after the object; they are not used here.
    module, _, attributes = target.partition("[")[0].strip().partition(":")
    value = importlib.import_module(module.strip())
    for attribute in filter(None, attributes.strip().split(".")):
        value = getattr(value, attribute)
    return value


def import_class(entry: Entry) -> type[Component]:
    """Return the class of an entry."""
    cls: Any = entry.target
    shown = repr(cls) if isinstance(cls, str) else f"the class {cls.__qualname__}"
    offered = f"Plugin {entry.plugin} offers the {kind_noun(entry.kind)} {entry.name!r} as {shown}"
    if isinstance(cls, str):
        package = cls.partition(":")[0].partition(".")[0]
        with catch_exits() as interrupts:
            try:
                cls = import_object(cls)
            except BaseException as error:
                # Also SystemExit, as when a plugin is loaded.
                if interrupts.came:
                    raise
                reason = describe_error(error, package=package)
                raise BrokenPluginError(f"{offered}, which cannot be imported: {reason}") from error
    if isinstance(cls, type) and issubclass(cls, FaultyClass):
        reason = describe_error(cls.error, path=entry.plugin.path)
        raise BrokenPluginError(f"{offered}, which cannot be made: {reason}") from cls.error
    fault = class_fault(cls) or _mismatch_reason(cls, entry)
    if fault:
        raise BrokenPluginError(f"{offered}, which {fault}")
    checked: type[Component] = cls
    return checked


def _mismatch_reason(cls: type[Component], entry: Entry) -> str:
    """Return why a class does not match its entry, or an empty text."""
    if cls.kind != entry.kind:
        article = "an" if kind_noun(cls.kind)[0] in "aeiou" else "a"
        return f"is {article} {kind_noun(cls.kind)}: offer it through {HOOKS[cls.kind]}"
    if cls.name != entry.name:
        return (
            f"calls itself {cls.name!r}: offer it as {cls.name!r}, or set "
            f"`name = {entry.name!r}` in the class"
        )
    return ""


def class_fault(value: object) -> str:
    """Return why a value is not a usable component class, or an empty string.

    The message continues "it ..."; the remedy follows a colon.

    Examples
    --------
    >>> class_fault(3.0)
    'is a float and not a class'
    """
    if not isinstance(value, type):
        return f"is a {type(value).__name__} and not a class"
    if not issubclass(value, Component):
        return "is not a component: derive it from a kind that lossfw exports, such as DistanceLoss"
    if getattr(value, "kind", None) not in HOOKS:
        return "has no kind: derive it from Loss, Activation, Metric or Source"
    if not value.model_config.get("frozen") or value.model_config.get("extra") != "forbid":
        return "can change or takes unknown parameters: leave its model_config as it is inherited"
    if inspect.isabstract(value):
        missing = ", ".join(sorted(value.__abstractmethods__))
        return f"is not finished: define {missing}"
    if fault := _annotation_fault(value) or _init_fault(value):
        return fault
    mismatch = changed_arguments(value).removesuffix(".")
    return f"cannot be called: {mismatch}" if mismatch else ""


def _annotation_fault(cls: type[Component]) -> str:
    """Return the fault of an annotation that pydantic cannot resolve, or an empty text."""
    try:
        # pydantic postpones annotations that it cannot resolve when the class is made.
        cls.model_rebuild()
    except PydanticUndefinedAnnotation as error:
        return f"has a parameter of the unknown type {error.name!r}: import or define it"
    except PydanticUserError as error:
        return f"has a parameter that pydantic cannot check: {error.message}"
    return ""


def _init_fault(cls: type[Component]) -> str:
    """Return the fault of an ``__init__`` that takes more than parameters, or an empty text."""
    init = cls.__dict__.get("__init__")
    if init is None:
        return ""
    _, *arguments = inspect.signature(init).parameters.values()
    for one in arguments:
        variable = one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
        if not variable and one.name not in cls.model_fields:
            return (
                f"has an __init__ with {one.name!r}, which is not a parameter: leave __init__ out, "
                "and write each parameter as a field, as in `scale: float = 1.0`"
            )
    return ""


def changed_arguments(cls: type) -> str:
    """Return the function of a class whose arguments differ from those of its kind, or ""."""
    own = [base for base in cls.__mro__ if not _is_kind(base)]
    kinds = [base for base in cls.__mro__ if _is_kind(base)]
    for name, function in ((n, f) for base in own for n, f in vars(base).items()):
        of_kind = next((vars(base)[name] for base in kinds if name in vars(base)), None)
        if not (inspect.isfunction(function) and inspect.isfunction(of_kind)):
            continue
        expected = [one.name for one in _positional_parameters(of_kind)]
        if not _accepts_arguments(function, len(expected)):
            actual = [one.name for one in _positional_parameters(function)]
            return _describe_mismatch(name, actual, expected)
    return ""


def _is_kind(cls: type) -> bool:
    """Tell whether a class is a kind; those of plugins of the core are called otherwise."""
    return cls.__module__.partition(".")[0] == PROJECT


def _positional_parameters(function: Any) -> list[inspect.Parameter]:
    parameters = inspect.signature(function).parameters.values()
    return [
        one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]


def _accepts_arguments(function: Any, count: int) -> bool:
    """Tell whether a function can be called with so many arguments by position."""
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return True
    positional = _positional_parameters(function)
    needed = [one for one in positional if one.default is one.empty]
    return len(needed) <= count <= len(positional)


def _describe_mismatch(name: str, actual: list[str], expected: list[str]) -> str:
    if actual[:1] != expected[:1]:
        return f"{name} lacks {expected[0]}: write {name}({', '.join(expected)})."
    remedy = ""
    if "xp" in expected and "xp" not in actual:
        remedy = ": xp, the array namespace, comes first"
        if len(actual) + 1 == len(expected):
            expected = [*expected[:2], *actual[1:]]
    taken, given = ", ".join(actual[1:]), ", ".join(expected[1:])
    return f"{name} takes ({taken}); expected ({given}){remedy}."
