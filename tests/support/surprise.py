"""A plugin of one file: cross-entropy by somebody else, whose fields have other names."""

from collections.abc import Mapping
from typing import Any, ClassVar

from lossfw import CategoricalLoss, Claims, GuardedLoss, LogGuard, RawOutputLoss, RowBody, hookimpl
from lossfw.numerics import (
    Delta,
    guarded_log,
    multiply_or_zero,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
    textbook_log,
)


class Surprise(RawOutputLoss, GuardedLoss, CategoricalLoss):
    """The surprise at a class, -sum of t log y, over two classes at least."""

    output_activation: ClassVar[str] = "softmax"
    raw_parameters: ClassVar[Mapping[str, Any]] = {"raw": True}
    guard_parameters: ClassVar[tuple[str, ...]] = ("eps",)
    least_classes: ClassVar[int] = 2

    eps: Delta = 1e-7
    raw: bool = False

    @property
    def log_guard(self):
        return LogGuard("normalised", self.eps)

    def check_domain(self, y, t, by_index, start):
        if y.shape[-1] < 2:
            raise ValueError("one class is not a surprise")
        super().check_domain(y, t, by_index, start)

    def formula(self, xp, y, t):
        return -xp.sum(multiply_or_zero(xp, t, textbook_log(xp, y, *self.log_guard)), axis=-1)

    def value(self, xp, y, t):
        return -xp.sum(multiply_or_zero(xp, t, guarded_log(xp, y, *self.log_guard)), axis=-1)

    def raw_body(self):
        return OnLogits()

    def claims(self):
        return Claims(nonnegative=True, convex=True, linear_in_target=True)


class OnLogits(RowBody):
    """The same of logits."""

    def formula(self, xp, z, t):
        total = xp.log(xp.sum(xp.exp(z), axis=-1, keepdims=True))
        return xp.sum(multiply_or_zero(xp, t, total - z), axis=-1)

    def value(self, xp, z, t):
        return softmax_cross_entropy(xp, z, t)

    def derivative(self, xp, z, t):
        return softmax_cross_entropy_gradient(xp, z, t)


@hookimpl
def lossfw_losses():
    """Offer the loss."""
    return {"surprise": Surprise}
