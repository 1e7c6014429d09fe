"""Whether losses can be added: they need the same form and shape, and a common space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from lossfw.components.spaces import (
    LOGITS,
    ClassIndex,
    Counts,
    FiniteSpace,
    Interval,
    Simplex,
    Space,
)
from lossfw.errors import ParameterError
from lossfw.losses.loss import Loss

Role: TypeAlias = Literal["prediction", "target"]
ROLES: tuple[Role, ...] = ("prediction", "target")


def contains(outer: Space, inner: Space) -> bool:
    """Tell whether one space contains another.

    A row is in a space of numbers if all its elements are. Class indices count as one-hot rows.

    Examples
    --------
    >>> from lossfw.components.spaces import CLASS_INDEX, REAL, UNIT
    >>> contains(REAL, UNIT), contains(UNIT, REAL), contains(UNIT, CLASS_INDEX)
    (True, False, True)
    """
    if outer == inner:
        return True
    if isinstance(outer, Simplex | ClassIndex):
        # A target of classes may be an index, one-hot or soft for either.
        return isinstance(inner, Simplex | ClassIndex)
    members = _members(inner)
    if members is not None:
        return outer.outside_or_none(np.array(members)) is None
    least, most = _range(inner), _range(outer)
    if least is None or most is None or not isinstance(outer, Interval):
        return False
    return _is_within(least, most)


def _members(space: Space) -> tuple[float, ...] | None:
    """Return the numbers of a space that has few."""
    if isinstance(space, FiniteSpace):
        return space.members
    return (0.0, 1.0) if isinstance(space, ClassIndex) else None


def _range(space: Space) -> Interval | None:
    """Return the least interval that holds the numbers of a space; None if it is not known."""
    if isinstance(space, Interval):
        return space
    if isinstance(space, Simplex):
        return Interval("", "", low=0.0, high=1.0)
    return Interval("", "", low=0.0) if isinstance(space, Counts) else None


def _is_within(inner: Interval, outer: Interval) -> bool:
    above = inner.low > outer.low or (
        inner.low == outer.low and (outer.low_included or not inner.low_included)
    )
    below = inner.high < outer.high or (
        inner.high == outer.high and (outer.high_included or not inner.high_included)
    )
    return above and below


def space_of(loss: Loss, role: Role) -> Space:
    """Return the space of the predictions or the targets of a loss."""
    return loss.prediction_space if role == "prediction" else loss.target_space


def narrowest_space(parts: Sequence[Loss], role: Role) -> Space:
    """Return the space that all others contain; raise `ParameterError` if there is none."""
    for part in parts:
        space = space_of(part, role)
        if all(contains(space_of(other, role), space) for other in parts):
            return space
    raise ParameterError(_name_disjoint(parts, role))


def _name_disjoint(parts: Sequence[Loss], role: Role) -> str:
    """Name two parts whose spaces do not fit."""
    a, b = next(
        (a, b)
        for a in parts
        for b in parts
        if not contains(space_of(a, role), space_of(b, role))
        and not contains(space_of(b, role), space_of(a, role))
    )
    return (
        f"{a.name} and {b.name} cannot be added: the {role}s of {a.name} lie in "
        f"{_format_space(space_of(a, role))}, those of {b.name} in "
        f"{_format_space(space_of(b, role))}; one space has to contain the other."
    )


def _format_space(space: Space) -> str:
    return f"{space.name} ({space.meaning})"


def check_forms(parts: Sequence[Loss]) -> None:
    """Raise `ParameterError` if some parts take raw outputs and others predictions."""
    on_raw_outputs = next((part for part in parts if part._takes_raw_outputs), None)
    if on_raw_outputs is None:
        return
    for part in parts:
        if not contains(part.prediction_space, LOGITS):
            raise ParameterError(
                f"{on_raw_outputs.name} is configured to take {on_raw_outputs._input_form}, but "
                f"{part.name} takes predictions in {_format_space(part.prediction_space)}: set "
                "both to take the same."
            )


def check_shapes(parts: Sequence[Loss]) -> None:
    """Raise `ParameterError` if the parts do not have the same columns."""
    with_columns = next((part for part in parts if part.has_columns), None)
    if with_columns is None:
        return
    for role in ROLES:
        space = space_of(with_columns, role)
        for part in parts:
            other = space_of(part, role)
            if not part.has_columns or other != space:
                raise ParameterError(
                    f"{with_columns.name} and {part.name} cannot be added: the {role}s of "
                    f"{with_columns.name} are {_format_space(space)}, those of {part.name} "
                    f"{_format_space(other)}; a sum of losses of columns needs the same for all."
                )


def check_groups(parts: Sequence[Loss]) -> None:
    """Raise `ParameterError` if only some parts are losses of groups."""
    of_groups = [part for part in parts if part.takes_groups]
    others = [part for part in parts if not part.takes_groups]
    if of_groups and others:
        raise ParameterError(
            f"{of_groups[0].name} and {others[0].name} cannot be added: {of_groups[0].name} has "
            f"one loss for a group of rows, {others[0].name} one for each {_unit_name(others[0])}."
        )


def _unit_name(loss: Loss) -> str:
    return "row" if loss.takes_rows else "element"
