"""Component: the base class of losses, activations, metrics and data sources.

A component is a frozen pydantic model. Its fields are its parameters, and also define the YAML
schema, the JSON schema, ``repr``, equality, hash and the configuration that builds it again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo

from lossfw.components.naming import snake_case
from lossfw.components.parameter_errors import explain_parameters
from lossfw.components.plain_values import to_plain, type_with_tuples, value_with_tuples
from lossfw.errors import ParameterError


class Component(BaseModel):
    """Base class of every component.

    Attributes
    ----------
    name : str
        The name in a configuration; the class name in snake case unless the
        class says otherwise.
    kind : str
        ``"loss"``, ``"activation"``, ``"metric"``, ``"source"``, ``"optimizer"``,
        ``"bridge"`` or ``"model"``.
    latex : str or None
        The right side of the formula as LaTeX, without dollar signs; a class attribute or a
        property. With None it is generated from the body.
    """

    # Strict: "0.5" is a text and not a number. Infinite or NaN parameters have
    # no meaning in any formula. The validator is built when a first component is
    # made: it takes a millisecond for each class, and most are only listed.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,
    )

    kind: ClassVar[str]
    name: ClassVar[str]
    latex: ClassVar[str | None] = None
    # Parameters that hold components by name, and not one or a list of them.
    _parts_by_name: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        annotation = inspect.get_annotations(cls).get("name", ClassVar)
        if "ClassVar" not in str(annotation):
            raise TypeError(
                f"{cls.__name__}.name cannot be a parameter: in a configuration, `name` selects "
                "the component. Rename it."
            )
        # Before pydantic collects the fields: this is not a field.
        if "name" not in cls.__dict__:
            cls.name = snake_case(cls.__name__)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for key, field in cls.model_fields.items():
            field.annotation = type_with_tuples(field.annotation)
            field.default = value_with_tuples(field.default)
            if field.default_factory is list:
                field.default_factory = tuple
            if (part := _component_in_type(field)) is not None:
                field.metadata = [*field.metadata, BeforeValidator(_object_validator(key, part))]

    def __init__(self, **parameters: Any) -> None:
        try:
            super().__init__(**parameters)
        except ValidationError as error:
            told = explain_parameters(type(self).__name__, _ordered_fields(type(self)), error)
            raise ParameterError(told) from None

    @classmethod
    def _validate(cls, parameters: Mapping[str, Any]) -> Self:
        """Return a component, made as Python makes it; its errors have locations."""
        try:
            return cls(**parameters)
        except ParameterError as error:
            # Not shown in a traceback, and still there.
            if isinstance(error.__context__, ValidationError):
                raise error.__context__ from None
            raise

    def __setattr__(self, key: str, value: Any) -> None:
        # A private attribute of pydantic is not a parameter.
        if key in self.__private_attributes__:
            super().__setattr__(key, value)
            return
        raise ParameterError(
            f"{type(self).__name__} is frozen: make another one with replace({key}=...)."
        )

    @model_validator(mode="before")
    @classmethod
    def _plain_values(cls, parameters: Any) -> Any:
        """Take NumPy's numbers for numbers and lists for tuples; refuse other arrays."""
        if isinstance(parameters, Mapping):
            return {key: to_plain(key, value) for key, value in parameters.items()}
        return parameters

    @classmethod
    def _summary(cls) -> str:
        """Return the first line of the class's own docstring."""
        return inspect.cleandoc(cls.__doc__ or "").partition("\n")[0]

    @classmethod
    def examples(cls) -> Sequence[Mapping[str, Any]]:
        """Return sample parameters; override it if the defaults are not typical.

        ``lossfw check`` tests each of them, and commands and pages that need one component
        of a class without defaults use the first.

        Returns
        -------
        sequence of mapping
            The parameters of each sample by name; empty unless a class says otherwise.
        """
        return ()

    @classmethod
    def _sample_components(cls) -> list[Self]:
        """Return a component for each of `examples`."""
        return [cls(**parameters) for parameters in cls.examples()]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, in the order of their declaration."""
        return {key: getattr(self, key) for key in _ordered_fields(type(self))}

    def to_config(self) -> dict[str, Any]:
        """Return the mapping that builds an equal component, as YAML would write it.

        Examples
        --------
        >>> import lossfw
        >>> lossfw.loss("squared_error", factor=0.5).to_config()
        {'name': 'squared_error', 'factor': 0.5}
        """
        changed = {
            key: value
            for key, value in self.parameters.items()
            if value != type(self).model_fields[key].get_default(call_default_factory=True)
        }
        return {"name": self.name, **{key: yaml_value(value) for key, value in changed.items()}}

    def replace(self, **parameters: Any) -> Self:
        """Return a copy with some parameters changed; they are checked again."""
        return type(self)(**{**self.parameters, **parameters})

    def __repr_args__(self) -> Any:
        """Show inherited fields last, and those only where they were changed."""
        own = type(self).__annotations__
        for key, value in self.parameters.items():
            default = type(self).model_fields[key].get_default(call_default_factory=True)
            if key in own or value != default:
                yield key, value

    def __str__(self) -> str:
        return repr(self)


def _component_in_type(field: FieldInfo) -> type[Component] | None:
    """Return the abstract component in the type of a field that does not say how to make it."""
    items: list[Any] = [] if field.metadata else [field.annotation]
    for item in items:
        if hasattr(item, "__metadata__"):
            continue  # it says how
        if isinstance(item, type) and issubclass(item, Component) and inspect.isabstract(item):
            return item
        items += get_args(item)
    return None


def _object_validator(key: str, base_class: type[Component]) -> Callable[[Any], Any]:
    """Return a validator that refuses names and mappings in place of components."""

    def check(value: Any) -> Any:
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, str | Mapping):
                raise ParameterError(
                    f"{key} should be a Python object, as lossfw.{base_class.kind}(...) returns "
                    f"it, got {item!r}. Only parts of a TargetChangingWrapper have names in a "
                    "configuration."
                )
        return value

    return check


def _ordered_fields(cls: type[Component]) -> list[str]:
    """Return a class's own fields first, inherited ones after them."""
    own = [key for key in cls.model_fields if key in cls.__annotations__]
    return own + [key for key in cls.model_fields if key not in own]


def yaml_value(value: Any) -> Any:
    """Return a parameter for YAML: parts as mappings, tuples as lists, paths as strings."""
    if isinstance(value, Component):
        return value.to_config()
    if isinstance(value, tuple | list):
        return [yaml_value(item) for item in value]
    if isinstance(value, Mapping):
        return {name: yaml_value(item) for name, item in value.items()}
    return str(value) if isinstance(value, Path) else value
