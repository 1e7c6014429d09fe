"""The instances of a class to measure and check.

They follow only from the fields of the class: `variants` moves each parameter by itself within its
bounds, in every form of the component, and `instances_to_check` adds pairs of parameters. So any
new loss is checked without code written for it. A class may name important sample parameters
(`Component.examples`).
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations, product
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from lossfw.check.branches import compared_constants, variants_on_other_branches
from lossfw.check.operations import Operations
from lossfw.components.component import Component
from lossfw.errors import LossfwError
from lossfw.losses.capabilities import GuardedLoss, RawOutputLoss
from lossfw.models import Model

# Tried in turn for a number; values that the class refuses are left out. A power, a
# share, a scale and a threshold all find two of these that are not special.
_NUMBERS = (0.3, 7.5, -1.5, 0.9)
_OTHERS = 2

# A side of a parameter without any of them has one that is this factor away from it, or, for a
# share, halfway to 1.
_BESIDE = 10.0

# Tried for a parameter that has one number for each class, as factors and counts are.
_EACH: dict[Any, tuple[tuple[float, ...], ...]] = {
    float: ((0.5, 2.0, 1.0), (1.0, 0.5)),
    int: ((2, 3, 1), (1, 2)),
}

# For a parameter that has no default, as a threshold that one has to choose.
_NEEDED = (0.1, 1)

# How losses of elements are added; the elements are the same.
_NOT_VARIED = ("per",)

# A parameter that was moved gets this fraction of the examples: its laws are those of the
# defaults, and what depends on it is looked at in every form.
MOVED_SHARE = 0.1

# A pair gets less: it is there for a branch that no other instance reaches.
_PAIR_SHARE = 0.06

# Pairs beyond this number show nothing that the first ones do not.
_MOST_PAIRS = 12


class InstanceToCheck(NamedTuple):
    """An instance with the effort of its check."""

    component: Any
    example_share: float = 1.0
    # False leaves out the laws of the call: for a pair, and for an instance that differs from
    # an earlier one only in the numbers of its body.
    all_checks: bool = True


def variants(
    cls: type[Component], *, others: bool = True, operations: Operations | None = None
) -> list[Any]:
    """Return a component at several parameters, the defaults first; without `others` only forms.

    The list is empty if the class needs unknown parameters, such as a wrapper that needs losses.
    `operations` caches its keys.

    Examples
    --------
    >>> import lossfw
    >>> variants(type(lossfw.loss("huber")))
    [Huber(delta=1.0), Huber(delta=0.3), Huber(delta=7.5)]
    """
    samples = cls._sample_components()
    defaults = _default_instance(cls, samples)
    if defaults is None:
        return []
    forms = [defaults]
    for name in _form_parameters(cls):
        forms += [form for form in _iter_other_values(defaults, name) if form not in forms]
    instances = list(forms)
    if others:
        instances += [sample for sample in samples if sample not in instances]
        for form in forms:
            instances += [one for one in _vary_parameters(form) if one not in instances]
        instances += variants_on_other_branches(
            forms, instances, operations or Operations(), _with_parameter
        )
    return instances


def instances_to_check(cls: type[Component]) -> list[InstanceToCheck]:
    """Return the instances of a class to check: defaults, forms, samples, moved ones and pairs.

    Examples
    --------
    >>> import lossfw
    >>> instances = instances_to_check(type(lossfw.loss("squared_error")))
    >>> [(instance.example_share, instance.all_checks) for instance in instances]
    [(1.0, True), (0.1, False), (0.1, False)]
    """
    fully_checked = [*variants(cls, others=False), *cls._sample_components()]
    if issubclass(cls, Model):
        return _model_instances(fully_checked)
    instances = {repr(one): InstanceToCheck(one) for one in fully_checked}
    if not instances:
        return []
    operations = Operations()
    seen = {operations.key_of(one.component) for one in instances.values()} - {None}
    for component in variants(cls, operations=operations):
        if repr(component) not in instances:
            key = operations.key_of(component)
            instance = InstanceToCheck(component, MOVED_SHARE, all_checks=key not in seen)
            instances[repr(component)] = instance
            seen |= {key} - {None}
    for component in _pairwise_instances(cls, [one.component for one in instances.values()]):
        instances.setdefault(repr(component), InstanceToCheck(component, _PAIR_SHARE, False))
    return list(instances.values())


def _model_instances(instances: list[Any]) -> list[InstanceToCheck]:
    """Return the defaults, if they can learn, and the samples.

    Parameters of a library are not moved: its trainings cost, and they belong to the library.
    """
    useful = [
        one
        for one in instances
        if one.file is not None or (one.training_mode is not None and one.missing_reason() is None)
    ]
    by_text = {repr(one): InstanceToCheck(one) for one in useful or instances[:1]}
    return list(by_text.values())


def _default_instance(cls: type[Component], samples: list[Any]) -> Any:
    """Return a component at its defaults, else its first sample, else at trial values, or None."""
    required = {name for name, field in cls.model_fields.items() if field.is_required()}
    if required and samples:
        return samples[0]
    trials = (_create_or_none(cls, dict.fromkeys(required, value)) for value in _NEEDED)
    return next((one for one in trials if one is not None), None)


def _create_or_none(cls: type[Component], parameters: dict[str, Any]) -> Any:
    with suppress(LossfwError):
        return cls(**parameters)
    return None


def _vary_parameters(form: Any) -> Iterator[Any]:
    """Yield a component with each of its other parameters moved."""
    skipped = {*_form_parameters(type(form)), *_NOT_VARIED}
    if isinstance(form, GuardedLoss) and form._takes_raw_outputs:
        skipped.update(form.guard_parameters)
    for name in type(form).model_fields:
        if name not in skipped:
            yield from _iter_other_values(form, name)


def _form_parameters(cls: type[Component]) -> tuple[str, ...]:
    """Return the fields that change the form of predictions."""
    return tuple(cls.raw_parameters) if issubclass(cls, RawOutputLoss) else ()


def _iter_other_values(component: Any, name: str) -> list[Any]:
    """Return a component with one parameter at other values, as its class allows.

    Numbers are on both sides of the parameter where both are allowed.
    """
    cls, current = type(component), component.parameters[name]
    instances: list[tuple[Any, Any]] = []
    numbers: list[tuple[Any, Any]] = []
    for value in _values_of_type(cls.model_fields[name].annotation, current):
        instance = None
        if value != current:
            instance = _create_or_none(cls, {**component.parameters, name: value})
        if instance is not None:
            is_number = isinstance(value, float | int) and not isinstance(value, bool)
            (numbers if is_number else instances).append((value, instance))
    if numbers:
        first = numbers[0][0]
        # Farther numbers come first: those beside the parameter only where a side has no other.
        rest = sorted(
            numbers[1:], key=lambda one: _is_above(one[0], current) == _is_above(first, current)
        )
        instances += [numbers[0], *rest[: _OTHERS - 1]]
    return [instance for _, instance in instances]


def _is_above(value: Any, current: Any) -> bool:
    return isinstance(current, float | int) and value > current


def _values_of_type(annotation: Any, current: Any) -> tuple[Any, ...]:
    """Return values that a type suggests: all words of a choice, some numbers."""
    origin = get_origin(annotation)
    if origin is Literal:
        return get_args(annotation)
    if origin in (Union, types.UnionType):
        return tuple(v for part in get_args(annotation) for v in _values_of_type(part, current))
    if origin is Annotated:
        return _values_of_type(get_args(annotation)[0], current)
    if origin in (tuple, list):
        of_each = get_args(annotation)[0]
        # The type of a bounded number is followed by its bounds.
        return _EACH.get(get_args(of_each)[0] if get_origin(of_each) is Annotated else of_each, ())
    if annotation is bool:
        return (False, True)
    if annotation is int:
        return (2, 3, *((current + 1, current - 1) if type(current) is int else ()))
    if annotation is float:
        if not isinstance(current, float | int):
            return _NUMBERS
        return (*_NUMBERS, current / _BESIDE, current * _BESIDE, (1 + current) / 2)
    return ()


def _pairwise_instances(cls: type[Component], known: list[Any]) -> Iterator[Any]:
    """Yield instances in which two parameters are at an edge together, each pair once.

    Some branches are reached only by two of them, as that of a power of 0 under another output
    activation.
    """
    compared = compared_constants(cls)
    values = {
        name: list({repr(v): v for v in (*(one.parameters[name] for one in known),
                                         *compared.get(name, ()))}.values())
        for name in known[0].parameters
    }  # fmt: skip
    seen = {pair for one in known for pair in _parameter_pairs(one.parameters)}
    count = 0
    for p, q in combinations(values, 2):
        for v, w in product(values[p], values[q]):
            instance = _create_or_none(cls, {**known[0].parameters, p: v, q: w})
            if instance is None or count == _MOST_PAIRS or _has_no_effect(instance, {p, q}):
                continue
            new = set(_parameter_pairs(instance.parameters)) - seen
            if any({a, b} == {p, q} for a, _, b, _ in new):
                seen |= new
                count += 1
                yield instance


def _with_parameter(form: Any, name: str, value: float) -> Any:
    """Return a component with one parameter at another value, None where it has no effect."""
    instance = _create_or_none(type(form), {**form.parameters, name: value})
    return None if instance is None or _has_no_effect(instance, {name}) else instance


def _has_no_effect(instance: Any, moved: set[str]) -> bool:
    """Tell whether a guard was moved that logits do not need."""
    guarded = isinstance(instance, GuardedLoss) and instance._takes_raw_outputs
    return guarded and not moved.isdisjoint(instance.guard_parameters)


def _parameter_pairs(parameters: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for (p, v), (q, w) in combinations(parameters.items(), 2):
        yield p, repr(v), q, repr(w)
