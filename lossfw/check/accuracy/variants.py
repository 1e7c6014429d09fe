"""List a component at its defaults, in each of its forms, and at other parameters.

They follow from the fields of the class alone: each parameter is moved by
itself, within its bounds, in every form that the component has. So a new loss,
or a plugin's, is measured without a line written for it. A class may name sample
parameters that matter (`Component.examples`).
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from lossfw.components.component import Component
from lossfw.errors import LossfwError
from lossfw.losses.capabilities import GuardedLoss, LinkedLoss

# Tried in turn for a number; values that the class refuses are left out. A power, a
# share, a scale and a threshold all find two of these that are not special.
_NUMBERS = (0.3, 7.5, -1.5, 0.9)
_OTHERS = 2

# Tried for a parameter that has one number for each class, as factors and counts are.
_EACH: dict[Any, tuple[tuple[float, ...], ...]] = {
    float: ((0.5, 2.0, 1.0), (1.0, 0.5)),
    int: ((2, 3, 1), (1, 2)),
}

# For a parameter that has no default, as a threshold that one has to choose.
_NEEDED = (0.1, 1)

# How losses of elements are added; the elements are the same.
_NOT_VARIED = ("per",)


def variants(cls: type[Component], *, others: bool = True) -> list[Any]:
    """Return a component at several parameters, the defaults first.

    Parameters
    ----------
    cls : type
        The class of a loss or an activation.
    others : bool
        False leaves out parameters other than the defaults, but for forms.

    Returns
    -------
    list of Component
        Empty where the class cannot be made without knowing more, as a wrapper
        that needs losses.

    Examples
    --------
    >>> import lossfw
    >>> variants(type(lossfw.loss("squared_error")))
    [SquaredError(factor=1.0), SquaredError(factor=0.3), SquaredError(factor=7.5)]
    """
    samples = cls.samples()
    first = _first(cls, samples)
    if first is None:
        return []
    forms = [first]
    for name in _form_parameters(cls):
        forms += [form for form in _moved(first, name) if form not in forms]
    found = list(forms)
    if others:
        found += [sample for sample in samples if sample not in found]
        for form in forms:
            found += [one for one in _varied(form) if one not in found]
    return found


def _first(cls: type[Component], samples: list[Any]) -> Any:
    """Return a component at its defaults, else its first sample, else at trial values.

    None where it cannot be made.
    """
    wanted = {name for name, field in cls.model_fields.items() if field.is_required()}
    if wanted and samples:
        return samples[0]
    made = (_made(cls, dict.fromkeys(wanted, value)) for value in _NEEDED)
    return next((one for one in made if one is not None), None)


def _made(cls: type[Component], parameters: dict[str, Any]) -> Any:
    try:
        return cls(**parameters)
    except LossfwError:
        return None


def _varied(form: Any) -> Iterator[Any]:
    """Yield a component with each of its other parameters moved."""
    skipped = {*_form_parameters(type(form)), *_NOT_VARIED}
    if isinstance(form, GuardedLoss) and form.input_form == "logits":
        skipped.update(form.guard_parameters)
    for name in type(form).model_fields:
        if name not in skipped:
            yield from _moved(form, name)


def _form_parameters(cls: type[Component]) -> tuple[str, ...]:
    """Return the fields that change the form of predictions."""
    return tuple(cls.logit_parameters) if issubclass(cls, LinkedLoss) else ()


def _moved(form: Any, name: str) -> list[Any]:
    """Return a component with one parameter at other values, as its class allows."""
    own = form.parameters[name]
    found = []
    numbers = 0
    for value in _values(type(form).model_fields[name].annotation, own):
        number = isinstance(value, float | int) and not isinstance(value, bool)
        if value == own or (number and numbers == _OTHERS):
            continue
        made = _made(type(form), {**form.parameters, name: value})
        if made is not None:
            numbers += number
            found.append(made)
    return found


def _values(annotation: Any, own: Any) -> tuple[Any, ...]:
    """Return values that a type suggests: all words of a choice, some numbers."""
    origin = get_origin(annotation)
    if origin is Literal:
        return get_args(annotation)
    if origin in (Union, types.UnionType):
        return tuple(v for part in get_args(annotation) for v in _values(part, own))
    if origin is Annotated:
        return _values(get_args(annotation)[0], own)
    if origin in (tuple, list):
        return _EACH.get(_plain(get_args(annotation)[0]), ())
    if annotation is bool:
        return (False, True)
    if annotation is int:
        return (2, 3)
    return _NUMBERS if annotation is float else ()


def _plain(annotation: Any) -> Any:
    """Return a type without the bounds of its values."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
