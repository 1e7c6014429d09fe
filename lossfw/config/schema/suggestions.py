"""Surrogates: what to learn from, or through, where the first choice has no slope."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lossfw.components.component import Component
from lossfw.components.registry import Registry
from lossfw.components.spaces import CLASS_INDEX, Space
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation

# A message names no more than these.
MAX_NAMES = 8


def for_loss(loss: Loss, registry: Registry) -> str:
    """Return the names of losses that take the same targets, decide alike, and have a slope.

    Examples
    --------
    >>> import lossfw
    >>> "hinge" in for_loss(lossfw.loss("zero_one"), lossfw.registry())
    True
    """
    return _told(_losses(registry, loss.target_space, loss.takes_rows))


def for_classes(registry: Registry) -> str:
    """Return the names of losses that classes can be learnt from."""
    return _told(_losses(registry, CLASS_INDEX, rows=True))


def for_activation(activation: Activation, registry: Registry) -> str:
    """Return the names of rising activations with the same range and a slope.

    Examples
    --------
    >>> import lossfw
    >>> "sigmoid" in for_activation(lossfw.activation("step"), lossfw.registry())
    True
    """
    wanted = activation.claims().range
    names = []
    for other in _made("activation", registry):
        assert isinstance(other, Activation)
        claims = other.claims()
        learns = claims.monotone and not claims.gradient_zero_almost_everywhere
        if learns and claims.range == wanted and other.takes_rows == activation.takes_rows:
            names.append(other.name)
    return _told(names)


def for_space(space: Space, registry: Registry) -> str:
    """Return the names of activations that give what a space holds.

    Examples
    --------
    >>> import lossfw
    >>> from lossfw.components.spaces import SIMPLEX
    >>> for_space(SIMPLEX, lossfw.registry())
    'softmax or sparsemax'
    """
    names = []
    for activation in _made("activation", registry):
        assert isinstance(activation, Activation)
        learns = not activation.claims().gradient_zero_almost_everywhere
        if activation.out_space is space and learns:
            names.append(activation.name)
    return _told(names)


def _losses(registry: Registry, space: Space, rows: bool) -> list[str]:
    names = []
    for other in _made("loss", registry):
        assert isinstance(other, Loss)
        claims = other.claims()
        # A guard moves the minimum of a loss of classes a little, which hurts no one.
        decides = rows or claims.calibrated or claims.proper
        learns = claims.convex and not claims.gradient_zero_almost_everywhere
        if decides and learns and other.target_space is space and other.takes_rows == rows:
            names.append(other.name)
    return names


def _made(kind: str, registry: Registry) -> Iterator[Component]:
    """Yield every component of a kind that works and needs no parameter."""
    for entry in registry.entries(kind):
        # What is broken, or needs a parameter, is no advice.
        with contextlib.suppress(LossfwError):
            yield registry.class_of(entry)()


def _told(names: list[str]) -> str:
    """Return names as a phrase; empty where there are none."""
    shown = names[:MAX_NAMES]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
