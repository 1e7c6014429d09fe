"""Capabilities: base classes for a link and for a guard, beside the kind of a loss.

Derive from one of them and from a kind: ``class Mine(LinkedLoss, PointwiseLoss)``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from lossfw.components.spaces import UNIT
from lossfw.losses.base import Form
from lossfw.losses.bodies import PairBody
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.guards import Guard


class LinkedLoss(Loss):
    """A loss that takes the results of its link, or the logits that go into the link.

    The author writes the functions of the kind for the results of the link, and
    for the logits `logit_body`; a field of the loss chooses between them.

    Attributes
    ----------
    link_name : str
        The activation that the loss expects before it.
    logit_parameters : mapping
        The field that makes predictions logits, with its value for that.

    Examples
    --------
    >>> import numpy as np
    >>> from lossfw import UNIT, PointwiseBody, PointwiseLoss
    >>> from lossfw.numerics import log_sigmoid
    >>> class OnLogits(PointwiseBody):
    ...     "The same of logits."
    ...     def value(self, xp, z, t):
    ...         return -t * log_sigmoid(xp, z)
    >>> class Surprise(LinkedLoss, PointwiseLoss):
    ...     "The surprise at a success, -t log y."
    ...     prediction = target = UNIT
    ...     link_name = "sigmoid"
    ...     from_logits: bool = False
    ...     def value(self, xp, y, t):
    ...         return -t * xp.log(y)
    ...     def logit_body(self):
    ...         return OnLogits()
    >>> Surprise()([0.5], [1.0]) == Surprise(from_logits=True)([0.0], [1.0])
    True
    """

    link_name: ClassVar[str]
    logit_parameters: ClassVar[Mapping[str, Any]] = {"from_logits": True}

    @abstractmethod
    def logit_body(self) -> PairBody:
        """Return the functions of logits and target, at these parameters."""

    @property
    def body(self) -> object:
        """`logit_body` where predictions are logits, else the loss itself."""
        return self.logit_body() if self.input_form == "logits" else self

    @property
    def input_form(self) -> Form:
        """``"logits"`` where the parameters are `logit_parameters`."""
        choice = self.logit_parameters.items()
        logits = all(getattr(self, name) == value for name, value in choice)
        return "logits" if logits else "prediction"

    def domain_remedy(self, y: NDArray) -> str:
        """Return what to pass where predictions look like logits: some are outside [0, 1]."""
        if self.input_form == "logits" or UNIT.outside(y) is None:
            return ""
        choice = ", ".join(f"{name}={value!r}" for name, value in self.logit_parameters.items())
        return f"If these are logits, pass {choice}."

    def on_logits(self) -> Loss | None:
        """Return this loss as a function of logits; None if it is one already."""
        return None if self.input_form == "logits" else self.replace(**self.logit_parameters)


class LogGuard(NamedTuple):
    """A guard of a logarithm; see `lossfw.numerics.guarded_log`."""

    guard: Guard
    delta: float


class GuardedLoss(Loss):
    """A loss whose logarithm of a probability is guarded.

    A run then counts the probabilities below delta, and takes a guard that the
    configuration sets for a wish not to be fused with the link.

    Attributes
    ----------
    guard_parameters : tuple of str
        The fields that make up the guard.

    Examples
    --------
    >>> from lossfw import CategoricalLoss
    >>> from lossfw.numerics import guarded_log
    >>> class Surprise(GuardedLoss, CategoricalLoss):
    ...     "The surprise at a class."
    ...     guard_parameters = ("eps",)
    ...     eps: float = 1e-6
    ...     @property
    ...     def log_guard(self):
    ...         return LogGuard("additive", self.eps)
    ...     def value(self, xp, y, t):
    ...         return -xp.sum(t * guarded_log(xp, y, *self.log_guard), axis=-1)
    >>> round(Surprise()([[0.0, 1.0]], [0]), 4)
    13.8155
    """

    guard_parameters: ClassVar[tuple[str, ...]] = ("guard", "delta")

    @property
    def log_guard(self) -> LogGuard:
        """The guard at these parameters. Write this for other fields than guard and delta."""
        guard, delta = (getattr(self, name) for name in self.guard_parameters)
        return LogGuard(guard, delta)


def guard_of(loss: Loss) -> LogGuard | None:
    """Return the guard that a loss uses; None if it has none, or takes logits."""
    if isinstance(loss, GuardedLoss) and loss.input_form == "prediction":
        return loss.log_guard
    return None


def without_guard(loss: Loss) -> Loss:
    """Return a loss without its guard, or the loss itself where it has no guard "none".

    Examples
    --------
    >>> import lossfw
    >>> without_guard(lossfw.loss("cross_entropy")).guard
    'none'
    """
    if isinstance(loss, GuardedLoss) and "guard" in loss.guard_parameters:
        return loss.replace(guard="none")
    return loss
