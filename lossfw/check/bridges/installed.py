"""The checks of every installed bridge for one loss."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TypeAlias

from lossfw.bridges.bridge import AutogradBridge, BoostingBridge, Bridge
from lossfw.check.bridges import autograd, boosting, derivatives, refusal
from lossfw.check.core.search import Check, NotApplicable, Search
from lossfw.check.core.subject import Subject
from lossfw.components.registry import registry
from lossfw.errors import ArgumentError, LossfwError
from lossfw.losses.loss import Loss

# A law of bridges: a function of the bridge, the loss and the search.
BridgeLaw: TypeAlias = Callable[..., None]

# What each kind of bridge is held to, by name, in the order in which it is tried.
LAWS: dict[type[Bridge], dict[str, BridgeLaw]] = {
    BoostingBridge: boosting.LAWS,
    AutogradBridge: autograd.LAWS,
    Bridge: derivatives.LAWS,
}


def bridge_checks(loss: Loss, bridges: Iterable[Bridge] | None = None) -> dict[str, Check]:
    """Return the checks of bridges for a loss, by name: ``bridge:xgboost:slopes``.

    Parameters
    ----------
    loss : Loss
    bridges : iterable of Bridge, optional
        All installed ones unless given.
    """
    checks = {}
    for bridge in installed_bridges() if bridges is None else bridges:
        for name, law in laws_of(bridge).items():
            full = f"bridge:{bridge.name}:{name}"
            checks[full] = Check(full, _bound(law, bridge, loss))
    return checks


def installed_bridges() -> list[Bridge]:
    """Return the bridges whose library is installed.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    found = []
    for entry in registry().entries("bridge"):
        cls = registry().class_of(entry)
        if issubclass(cls, Bridge) and cls.version() is not None:
            found.append(cls())
    if not found:
        raise ArgumentError(
            "no library of a bridge is installed, so that there is nothing to check: "
            "`lossfw list bridges` shows how to install one."
        )
    return found


def laws_of(bridge: Bridge) -> dict[str, BridgeLaw]:
    """Return the laws that a bridge is held to: those of its kind."""
    laws = next(laws for kind, laws in LAWS.items() if isinstance(bridge, kind))
    return {"refusal": refusal.check_refusal, **laws}


def _bound(law: BridgeLaw, bridge: Bridge, loss: Loss) -> Callable[[Subject, Search], None]:
    def run(subject: Subject, search: Search) -> None:
        try:
            bridge.imported()
        except (ImportError, LossfwError) as error:
            # As Keras without the library that it computes with.
            raise NotApplicable(f"{bridge.library} cannot be imported: {error}") from error
        if law is not refusal.check_refusal:
            why = bridge.refuses(loss)
            if why is not None:
                raise NotApplicable(f"{bridge.name} refuses: {why}")
        with warnings.catch_warnings():
            # A loss that ends at 0 is no refutation, and is warned of.
            warnings.simplefilter("ignore")
            law(bridge, loss, search)

    return run
