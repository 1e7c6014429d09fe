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


def losses_like(loss: Loss, registry: Registry) -> str:
    """Return the names of losses with the same targets, the same decision and a gradient.

    Examples
    --------
    >>> import lossfw
    >>> "hinge" in losses_like(lossfw.loss("zero_one"), lossfw.registry())
    True
    """
    return _join_names(_losses_of_space(registry, loss.target_space, loss.takes_rows))


def losses_for_classes(registry: Registry) -> str:
    """Return the names of losses that can be trained on classes."""
    return _join_names(_losses_of_space(registry, CLASS_INDEX, rows=True))


def losses_for_one_output(registry: Registry) -> str:
    """Return the names of losses of two classes with one output, a probability.

    Examples
    --------
    >>> import lossfw
    >>> losses_for_one_output(lossfw.registry())
    'binary_cross_entropy or focal'
    """
    return _join_names(_losses_of_space(registry, UNIT, rows=False))


def activations_like(activation: Activation, registry: Registry) -> str:
    """Return the names of rising activations with the same range and a gradient.

    Examples
    --------
    >>> import lossfw
    >>> "sigmoid" in activations_like(lossfw.activation("step"), lossfw.registry())
    True
    """
    same = activation.claims().range, activation.takes_rows
    return _join_names(
        [
            other.name
            for other in _trainable_components("activation", registry)
            if other.claims().monotone and (other.claims().range, other.takes_rows) == same
        ]
    )


def activations_for_space(space: Space, registry: Registry) -> str:
    """Return the names of activations with outputs in a space.

    Examples
    --------
    >>> import lossfw
    >>> from lossfw.components.spaces import SIMPLEX
    >>> activations_for_space(SIMPLEX, lossfw.registry())
    'softmax or sparsemax'
    """
    activations = _trainable_components("activation", registry)
    return _join_names([other.name for other in activations if other.out_space is space])


def models_for_missing(registry: Registry) -> str:
    """Return the names of models that accept missing values.

    Examples
    --------
    >>> import lossfw
    >>> "xgboost" in models_for_missing(lossfw.registry())
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
    return _join_names(names).replace(" or ", " and ")


def _losses_of_space(registry: Registry, space: Space, rows: bool) -> list[str]:
    names = []
    for other in _trainable_components("loss", registry):
        claims = other.claims()
        if other.takes_groups:
            continue
        # A guard moves the minimum of a loss of classes a little, which hurts no one.
        decides = rows or claims.calibrated or claims.proper
        if decides and claims.convex and (other.target_space, other.takes_rows) == (space, rows):
            names.append(other.name)
    return names


def _trainable_components(kind: str, registry: Registry) -> Iterator[Any]:
    """Yield every component of a kind that works, needs no parameter and has a gradient."""
    for entry in registry.entries(kind):
        # A broken component, or one that needs a parameter, is not advice.
        with contextlib.suppress(LossfwError):
            made: Any = registry.class_of(entry)()
            if not made.claims().gradient_zero_almost_everywhere:
                yield made


def _join_names(names: list[str]) -> str:
    """Return names as a phrase; empty where there are none."""
    shown = names[:MAX_NAMES]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
