"""AutogradBridge: a bridge to a library that differentiates, as the harness proves it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from lossfw.bridges.bridge import Bridge
from lossfw.bridges.raw_form import made
from lossfw.errors import ArgumentError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray


def trained_form(loss: Any, *, fuse: bool) -> Loss:
    """Return the loss of a name, mapping or Loss, on logits where it has a link and is fused."""
    given = made(loss)
    return (given.on_logits() or given) if fuse else given


def refusal(loss: Loss) -> str | None:
    """Return why a network cannot be trained with a loss; None if it can."""
    if not loss.claims().gradient_zero_almost_everywhere:
        return None
    return (
        f"the slope of {loss.name} is 0 almost everywhere, so nothing can be learnt from it. "
        "Choose a loss that bounds it from above, such as logistic or hinge for zero_one."
    )


def refuse_flat(loss: Loss) -> Loss:
    """Return a loss that can be trained with.

    Raises
    ------
    ArgumentError
        If its slope is 0 almost everywhere.
    """
    why = refusal(loss)
    if why is not None:
        raise ArgumentError(why)
    return loss


class AutogradBridge(Bridge):
    """A bridge to a library of automatic differentiation.

    The harness calls `value_and_slope` for every loss (``lossfw check --bridges NAME``), at
    ties and kinks, in several dtypes, and compiled.
    """

    def refuses(self, loss: Loss) -> str | None:
        """Return why a loss cannot be trained with: a slope of 0 almost everywhere."""
        return refusal(loss)

    @abstractmethod
    def value_and_slope(
        self, loss: Loss, y: NDArray, t: NDArray, *, compiled: bool = False
    ) -> tuple[NDArray, NDArray]:
        """Return unreduced losses, and the slopes that the library differentiates their sum to.

        Parameters
        ----------
        loss : Loss
            Taken as it is, not fused with its link.
        y, t : ndarray
            In float64 or float32. Results have the dtype of `y`, or the widest of the library.
        compiled : bool
            Whether the library compiles the function first.
        """
