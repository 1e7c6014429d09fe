"""A look at the batches of Keras: what lies outside of the spaces of a loss, in words."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from lossfw.components.spaces import (
    CLASS_INDEX,
    SIMPLEX,
    UNIT,
    Interval,
    Members,
    Simplex,
    Space,
)
from lossfw.errors import DomainError
from lossfw.losses.base import LossDefinition
from lossfw.losses.engine.fast_path import accepts_any_float
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array

# In place of a label that is not a whole number: a number that is not a class, and that no one
# chooses for a label to leave out.
NO_CLASS: Final = -(2**31)


@contextmanager
def explained(loss: Loss) -> Iterator[None]:
    """Add to an error of a value outside of its space what to do in Keras."""
    try:
        yield
    except DomainError as error:
        message = re.sub(f"= {NO_CLASS} is no(t a)? class", "is not a whole number", str(error))
        activation = _activation(loss.prediction_space)
        if message.startswith("prediction") and activation:
            message += f" With activation={activation!r} in the last layer they lie inside."
        raise DomainError(
            f"{message} To train without this look, pass check=False to bridge.loss."
        ) from None


def _activation(space: Space) -> str:
    """Return an activation of Keras whose results lie in a space; empty if none is known."""
    if space == SIMPLEX:
        return "softmax"
    if space == UNIT:
        return "sigmoid"
    above = isinstance(space, Interval) and -np.inf < space.low <= 0 and space.high == np.inf
    return "softplus" if above else ""


def look_while_traced(loss: Loss, y: Array, t: Array, kept: Array | None) -> None:
    """Let the step that JAX compiles end in words if a batch has a value outside.

    The compiled step hands the values out. It compares them with the bounds of
    the spaces, and calls Python only if one lies outside, or if no comparison says so.
    """
    import jax

    def tell(*arrays: Any) -> None:
        y, t, where, *_ = (*map(np.asarray, arrays), None)
        with explained(loss):
            loss(y, t, where=where, reduction="none")

    given = (y, t) if kept is None else (y, t, kept)
    suspect = _suspect(loss, jax.numpy, y, t, kept)
    if suspect is None:
        return
    jax.lax.cond(
        suspect, lambda *arrays: jax.debug.callback(tell, *arrays), lambda *arrays: None, *given
    )


def _suspect(loss: Loss, xp: Any, y: Array, t: Array, kept: Array | None) -> Any:
    """Return whether a value that counts may lie outside; None if none can."""
    if type(loss).check_domain is not LossDefinition.check_domain:
        return True
    masks = []
    if loss.takes_classes and t.ndim < y.ndim:
        masks.append((t < 0) | (t >= y.shape[-1]))
        places = [(loss.prediction_space, y)]
    else:
        target = SIMPLEX if loss.target_space is CLASS_INDEX else loss.target_space
        places = [(loss.prediction_space, y), (target, t)]
    for space, x in places:
        if accepts_any_float(space):
            continue
        if isinstance(space, Simplex):
            masks.append(space.beyond(xp, x))
        elif isinstance(space, Interval | Members):
            masks.append(space.beyond(x))
        else:
            return True
    if not masks:
        return None
    axes = y.ndim - (loss.takes_rows or loss.sums_rows)
    masks = [mask.any(-1) if mask.ndim > axes else mask for mask in masks]
    outside = functools.reduce(operator.or_, masks)
    return (outside if kept is None else outside & kept).any()
