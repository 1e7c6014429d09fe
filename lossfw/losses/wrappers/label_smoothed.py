"""Smoothed targets."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from lossfw.components.claims import Claims
from lossfw.errors import ParameterError
from lossfw.losses.base import ResultForm
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import (
    Change,
    TargetChangingWrapper,
    identity,
    refuse_groups,
    refuse_own_weights,
)
from lossfw.losses.wrappers.claim_table import WrapperKind, wrapper_claims
from lossfw.numerics.arrays import Array, Namespace


class LabelSmoothed(TargetChangingWrapper):
    """A loss of classes whose targets are smoothed: l(y, (1 - s) t + s / K).

    Use it when a classifier is overconfident, or a few labels are wrong.

    Parameters
    ----------
    of : Loss
        A loss of classes that takes soft targets.
    smoothing : float
        The fraction s of the target that is spread evenly over all K classes, including the
        target's own; at least 0 and below 1.

    Notes
    -----
    Indices, one-hot and soft targets are smoothed alike. Not proper: its minimiser is the smoothed
    distribution. It is still calibrated if the part is calibrated and linear in the target. Source:
    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, *Rethinking the Inception architecture*, 2016,
    doi:10.1109/CVPR.2016.308.

    See Also
    --------
    cross_entropy : has this as its parameter ``label_smoothing``.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("label_smoothed", of="cross_entropy", smoothing=0.5)
    >>> y = [[0.75, 0.25]]
    >>> loss(y, [0]) == lossfw.loss("cross_entropy")(y, [[0.75, 0.25]])
    True
    """

    claim_column: ClassVar[WrapperKind | None] = "smoothed"
    latex_of_parts: ClassVar[str] = r"\ell\!\left(y,\, \left(1 - s\right)\,t + \frac{s}{K}\right)"

    of: NestedLoss
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @field_validator("of")
    @classmethod
    def _require_classes(cls, loss: Loss) -> Loss:
        refuse_groups(loss, cls.name)
        refuse_own_weights(loss, cls.name, "which changes the targets")
        if not loss.takes_classes:
            raise ParameterError(
                f"{loss.name} is not a loss of classes: take a loss whose targets are classes."
            )
        return loss

    def change_targets(self, xp: Namespace, t: Array, by_index: bool) -> tuple[Array, Change]:
        if not self.smoothing:
            return t, identity
        return (1.0 - self.smoothing) * t + self.smoothing / t.shape[-1], identity

    @property
    def _forms_at_index(self) -> tuple[ResultForm, ...]:
        """None where there is smoothing: it makes rows of indices."""
        return () if self.smoothing else ("value",)

    def claims(self) -> Claims:
        """Those that hold for all targets; claims about the target itself are dropped."""
        part = self.of.claims()
        return wrapper_claims("smoothed", [part]) if self.smoothing else part
