"""Part: a loss inside of a wrapper, and how it is given.

A part is a loss, its name, or a mapping with its name and parameters. In a
mapping ``scale`` beside ``name`` is a factor, unless the loss itself has a
parameter of that name::

    {name: sum, of: [{name: huber, delta: 2, scale: 0.3}, squared_error]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol, TypeAlias

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from lossfw.component import Component
from lossfw.kinds import DistanceLoss, MarginLoss
from lossfw.loss import Loss

# Beside `name` in the mapping of a part, and no parameter of the loss.
SCALE = "scale"

# What a number in the claims `breaks` and `second_breaks` is a value of.
Argument: TypeAlias = Literal["residual", "margin", "prediction"]


class Losses(Protocol):
    """What is asked of a registry."""

    def create(self, kind: str, spec: object) -> Any:
        """Return the component that a name or a mapping describes."""

    def component_class(self, kind: str, name: str) -> type[Component]:
        """Return the class that a name means."""


class PartParameter:
    """Marks a parameter that holds a loss, in the metadata of its type."""


def _as_loss(value: Any) -> Loss:
    if isinstance(value, Loss):
        return value
    if isinstance(value, str | Mapping):
        return make_part(value, _installed())
    raise PydanticCustomError("wanted", "a loss, its name, or a mapping with 'name' and parameters")


_SPEC = {
    "anyOf": [{"type": "string"}, {"type": "object", "required": ["name"]}],
    "description": "A loss: its name, or a mapping with 'name' and parameters.",
}

Part: TypeAlias = Annotated[
    Loss,
    PlainValidator(_as_loss),
    PlainSerializer(lambda loss: loss.to_config()),
    WithJsonSchema(_SPEC),
    PartParameter(),
]


def part_fields(cls: type[Component]) -> tuple[str, ...]:
    """Return the names of the parameters that hold losses, in the order of the class.

    Examples
    --------
    >>> from lossfw.wrappers import Sum
    >>> part_fields(Sum)
    ('of',)
    """
    return tuple(
        name
        for name, info in cls.model_fields.items()
        if any(isinstance(item, PartParameter) for item in info.metadata)
        or _mentions_part(info.annotation)
    )


def _mentions_part(annotation: Any) -> bool:
    """Look for the mark inside a type such as ``tuple[Part, ...]``."""
    metadata = getattr(annotation, "__metadata__", ())
    if any(isinstance(item, PartParameter) for item in metadata):
        return True
    return any(_mentions_part(inner) for inner in getattr(annotation, "__args__", ()))


def with_parts(
    cls: type[Component], parameters: Mapping[str, Any], losses: Losses | None = None
) -> dict[str, Any]:
    """Return parameters in which every part that is given by name is a loss.

    Parameters
    ----------
    cls : type
        Whose parameters they are.
    parameters : mapping
        As given. What can be no part at all is left for `cls` to refuse.
    losses : Registry, optional
        Knows the losses; the process-wide registry unless given.

    Raises
    ------
    UnknownNameError, ParameterError, PluginError
        If there is no such loss, its parameters are wrong, or its plugin is.
    """
    made = dict(parameters)
    for key in part_fields(cls):
        given = made.get(key)
        if isinstance(given, list | tuple):
            made[key] = tuple(_made(item, losses) for item in given)
        elif key in made:
            made[key] = _made(given, losses)
    return made


def _made(value: Any, losses: Losses | None) -> Any:
    if not isinstance(value, str | Mapping):
        return value
    return make_part(value, _installed() if losses is None else losses)


def _installed() -> Losses:
    # Imported on use: the registry stands above the wrappers.
    from lossfw.registry import registry

    return registry()


def make_part(spec: str | Mapping[str, Any], losses: Losses) -> Loss:
    """Return the loss that a name or a mapping describes, with the factor beside its name."""
    if isinstance(spec, Mapping) and SCALE in spec and isinstance(spec.get("name"), str):
        cls = losses.component_class("loss", spec["name"])
        if takes_factor(cls):
            from lossfw.wrappers.scaled import Scaled

            inner = {key: value for key, value in spec.items() if key != SCALE}
            return Scaled(of=losses.create("loss", inner), scale=spec[SCALE])
    loss: Loss = losses.create("loss", spec)
    return loss


def takes_factor(cls: type[Component]) -> bool:
    """Tell whether ``scale`` beside the name of a part is a factor, and no parameter of `cls`."""
    return SCALE not in cls.model_fields


def argument_of(loss: Loss) -> Argument:
    """Return what the author's function of a loss is a function of.

    The claims `breaks`, `second_breaks`, `symmetric` and `monotone` speak of it.

    Examples
    --------
    >>> import lossfw
    >>> argument_of(lossfw.loss("squared_error") + lossfw.loss("squared_error", factor=2.0))
    'residual'
    """
    if isinstance(loss, DistanceLoss):
        return "residual"
    if isinstance(loss, MarginLoss):
        return "margin"
    own: Argument = getattr(loss, "argument", "prediction")
    return own


def link_of(loss: Loss) -> str | None:
    """Return the link of a loss, in whichever of its forms; None where it has none."""
    link: str | None = getattr(loss, "link", None)
    return link
