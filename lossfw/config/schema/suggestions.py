"""Suggest a loss or an activation with a useful gradient or range."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from lossfw.components.registry import Registry
from lossfw.components.spaces import CLASS_INDEX, UNIT, Space
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation

# A message names no more than these.
MAX_NAMES = 8


def for_loss(loss: Loss, registry: Registry) -> str:
    """Return the names of losses with the same targets, the same decision and a gradient.

    Examples
    --------
    >>> import lossfw
    >>> "hinge" in for_loss(lossfw.loss("zero_one"), lossfw.registry())
    True
    """
    return _phrase(_losses(registry, loss.target_space, loss.takes_rows))


def for_classes(registry: Registry) -> str:
    """Return the names of losses that can be trained on classes."""
    return _phrase(_losses(registry, CLASS_INDEX, rows=True))


def for_one_output(registry: Registry) -> str:
    """Return the names of losses of two classes with one output, a probability.

    Examples
    --------
    >>> import lossfw
    >>> for_one_output(lossfw.registry())
    'binary_cross_entropy or focal'
    """
    return _phrase(_losses(registry, UNIT, rows=False))


def for_activation(activation: Activation, registry: Registry) -> str:
    """Return the names of rising activations with the same range and a gradient.

    Examples
    --------
    >>> import lossfw
    >>> "sigmoid" in for_activation(lossfw.activation("step"), lossfw.registry())
    True
    """
    same = activation.claims().range, activation.takes_rows
    return _phrase(
        [
            other.name
            for other in _with_gradient("activation", registry)
            if other.claims().monotone and (other.claims().range, other.takes_rows) == same
        ]
    )


def for_space(space: Space, registry: Registry) -> str:
    """Return the names of activations with outputs in a space.

    Examples
    --------
    >>> import lossfw
    >>> from lossfw.components.spaces import SIMPLEX
    >>> for_space(SIMPLEX, lossfw.registry())
    'softmax or sparsemax'
    """
    activations = _with_gradient("activation", registry)
    return _phrase([other.name for other in activations if other.out_space is space])


def for_missing(registry: Registry) -> str:
    """Return the names of models that accept missing values.

    Examples
    --------
    >>> import lossfw
    >>> "xgboost" in for_missing(lossfw.registry())
    True
    """
    names = []
    for entry in registry.entries("model"):
        with contextlib.suppress(LossfwError):
            accepted = getattr(registry.class_of(entry), "accepted_inputs", ())
            # That of some models depends on their parameters.
            names += (
                [entry.name] if isinstance(accepted, frozenset) and "missing" in accepted else []
            )
    return _phrase(names).replace(" or ", " and ")


def _losses(registry: Registry, space: Space, rows: bool) -> list[str]:
    names = []
    for other in _with_gradient("loss", registry):
        claims = other.claims()
        if other.takes_groups:
            continue
        # A guard moves the minimum of a loss of classes a little, which hurts no one.
        decides = rows or claims.calibrated or claims.proper
        if decides and claims.convex and (other.target_space, other.takes_rows) == (space, rows):
            names.append(other.name)
    return names


def _with_gradient(kind: str, registry: Registry) -> Iterator[Any]:
    """Yield every component of a kind that works, needs no parameter and has a gradient."""
    for entry in registry.entries(kind):
        # A broken component, or one that needs a parameter, is not advice.
        with contextlib.suppress(LossfwError):
            made: Any = registry.class_of(entry)()
            if not made.claims().gradient_zero_almost_everywhere:
                yield made


def _phrase(names: list[str]) -> str:
    """Return names as a phrase; empty where there are none."""
    shown = names[:MAX_NAMES]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
