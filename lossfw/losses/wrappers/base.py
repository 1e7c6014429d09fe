"""Wrapper: what all losses made of other losses have in common."""

from __future__ import annotations

from lossfw.components.spaces import Space
from lossfw.errors import ParameterError
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.losses.nested import Argument, NestedLoss, argument_of, link_of
from lossfw.numerics.arrays import NDArray


class Wrapper(Loss):
    """A loss that holds other losses."""

    @property
    def has_own_weight(self) -> bool:
        """Whether the loss has a rule of its own for what counts, and how much."""
        return False


class PartWrapper(Wrapper):
    """A wrapper around one loss, of which it keeps shapes, spaces and link.

    Attributes
    ----------
    of : Loss
        The part.
    """

    of: NestedLoss

    @property
    def takes_rows(self) -> bool:
        """As the part."""
        return self.of.takes_rows

    @property
    def sums_rows(self) -> bool:
        """As the part."""
        return self.of.sums_rows

    @property
    def target_per_row(self) -> bool:  # type: ignore[override]  # the part decides, not the class
        """As the part."""
        return self.of.target_per_row

    @property
    def prediction_space(self) -> Space:
        """That of the part."""
        return self.of.prediction_space

    @property
    def target_space(self) -> Space:
        """That of the part."""
        return self.of.target_space

    @property
    def input_form(self) -> Form:
        """That of the part."""
        return self.of.input_form

    @property
    def argument(self) -> Argument:
        """That of the part."""
        return argument_of(self.of)

    @property
    def link(self) -> str | None:
        """That of the part."""
        return link_of(self.of)

    def link_activation(self) -> str | None:
        """Return the activation whose results the part expects, None where any will do."""
        return self.of.link_activation()

    def on_logits(self) -> Loss | None:
        """Return the wrapper around the fused part; None without a link."""
        part = self.of.on_logits()
        return None if part is None else self.replace(of=part)

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Let the part check; see `Loss.check_domain`."""
        self.of.check_domain(y, t, by_index, start)


def has_own_weight(part: Loss) -> bool:
    """Tell whether a loss has a rule of its own for what counts, and how much."""
    return isinstance(part, Wrapper) and part.has_own_weight


def refuse_weighing(part: Loss, owner: str, why: str) -> None:
    """Raise `ParameterError` for a part with a rule of its own for what counts.

    Parameters
    ----------
    part : Loss
    owner : str
        Name of the wrapper that cannot hold it.
    why : str
        A clause.
    """
    if not has_own_weight(part):
        return
    mend = f"put it around the {owner}"
    if "in_denominator" in part.parameters:
        mend = f"{mend}, or give it in_denominator=False"
    raise ParameterError(f"{part.name} cannot stand inside of {owner}, {why}: {mend}.")
