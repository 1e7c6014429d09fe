"""The law of refusals: a bridge takes a loss, or says why not, and then takes none of it."""

from __future__ import annotations

from lossfw.bridges.bridge import Bridge
from lossfw.check.core.search import Counterexample, NotApplicable, Search
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss


def check_refusal(bridge: Bridge, loss: Loss, search: Search) -> None:
    """A loss that a bridge refuses is an error of lossfw when its objective is made."""
    search.count(1)
    why = bridge.refuses(loss)
    try:
        bridge.made(loss)
    except LossfwError as error:
        if why is None:
            raise Counterexample(
                f"{bridge.name} does not refuse the loss, and raises an error: {error}",
                f"bridge.made({loss!r})",
            ) from error
        raise NotApplicable(f"{bridge.name} refuses: {why}") from error
    if why is not None:
        raise Counterexample(
            f"{bridge.name} refuses the loss ({why}), and makes an objective of it all the same",
            f"bridge.made({loss!r})",
        )
