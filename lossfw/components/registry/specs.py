"""Split the specification of a component into its name and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossfw.components.registry.messages import noun
from lossfw.errors import ArgumentError, ParameterError


def name_and_parameters(kind: str, spec: object) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of a specification.

    Examples
    --------
    >>> name_and_parameters("loss", {"name": "huber", "delta": 2.0})
    ('huber', {'delta': 2.0})
    """
    if isinstance(spec, str):
        return spec, {}
    if not isinstance(spec, Mapping):
        raise ArgumentError(
            f"A {noun(kind)} is a name, a mapping with 'name' and parameters, or an object of "
            f"its class; got {type(spec).__name__}: {spec!r}"
        )
    for key in spec:
        if not isinstance(key, str):
            raise ParameterError(f"The name of a parameter is a text, got {key!r} in {spec!r}")
    if "name" not in spec:
        raise ParameterError(
            f"A mapping that describes a {noun(kind)} needs 'name', got {dict(spec)!r}"
        )
    if not isinstance(spec["name"], str):
        raise ParameterError(f"The 'name' of a {noun(kind)} is a text, got {spec['name']!r}")
    return spec["name"], {key: value for key, value in spec.items() if key != "name"}
