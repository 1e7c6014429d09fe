"""Nested losses: the parameter of a wrapper or a metric that is a loss.

It is given as a loss, its name, or a mapping with ``name`` and parameters. In a mapping ``scale``
or ``weight`` is a factor, unless the loss itself has a parameter of that name::

    {name: sum, of: [{name: huber, delta: 2, scale: 0.3}, squared_error]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from lossfw.components.component import Component
from lossfw.components.nested import ComponentFactory, NestedParameter, nested_parameters
from lossfw.components.registry import registry
from lossfw.losses.loss import Loss

# Beside `name` in the mapping of a nested loss, and no parameters of that loss.
FACTORS = ("scale", "weight")


class LossParameter(NestedParameter):
    """Marks a parameter that holds a loss."""

    def make(self, spec: str | Mapping[str, Any], registry: ComponentFactory) -> Loss:
        """Return the loss that a name or a mapping describes, times the factor next to its name."""
        if isinstance(spec, Mapping) and isinstance(spec.get("name"), str):
            factors = [key for key in FACTORS if key in spec]
            cls = registry.component_class("loss", spec["name"]) if factors else None
            for factor in factors:
                if cls is not None and takes_factor(cls, factor):
                    inner = {key: value for key, value in spec.items() if key != factor}
                    of = registry.create("loss", inner)
                    spec = {"name": "scaled", "of": of, "scale": spec[factor]}
                    break
        loss: Loss = registry.create("loss", spec)
        return loss


def nested_loss(value: Any) -> Loss:
    """Return a loss, or the one that a name or a mapping describes."""
    if isinstance(value, Loss):
        return value
    if isinstance(value, str | Mapping):
        return LossParameter().make(value, registry())
    raise PydanticCustomError("wanted", "a loss, its name, or a mapping with 'name' and parameters")


_SPEC = {
    "anyOf": [{"type": "string"}, {"type": "object", "required": ["name"]}],
    "description": "A loss: its name, or a mapping with 'name' and parameters.",
}

NestedLoss: TypeAlias = Annotated[
    Loss,
    PlainValidator(nested_loss),
    PlainSerializer(lambda loss: loss.to_config()),
    WithJsonSchema(_SPEC),
    LossParameter(),
]


def takes_factor(cls: type[Component], factor: str) -> bool:
    """Tell whether a key next to the name of a loss is a factor, not a parameter of `cls`."""
    return factor not in cls.model_fields


def iter_nested_losses(loss: Loss) -> Iterator[Loss]:
    """Yield a loss and all losses inside it.

    Examples
    --------
    >>> import lossfw
    >>> [one.name for one in iter_nested_losses(2 * lossfw.loss("hinge"))]
    ['scaled', 'hinge']
    """
    yield loss
    for name in nested_parameters(type(loss)):
        value = getattr(loss, name)
        parts = value.values() if isinstance(value, Mapping) else value
        for part in parts if not isinstance(parts, Loss) else (parts,):
            if isinstance(part, Loss):
                yield from iter_nested_losses(part)
