"""The effect of a wrapper on each claim of its part: kept, lost, changed, or it depends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from lossfw.losses.wrappers import claim_rules
from lossfw.losses.wrappers.claim_rules import ClaimRule
from lossfw.losses.wrappers.claim_table import RULES, WrapperKind

Effect: TypeAlias = Literal["kept", "lost", "changed", "depends"]

# Of the rules that need no condition; all others depend on one, which their docstring says.
_ALWAYS: dict[str, Effect] = {
    "kept": "kept",
    "every": "kept",
    "dropped": "lost",
    "added": "changed",
    "down_to_zero": "changed",
    "scaled_lower": "changed",
    "scaled_size": "changed",
    "scaled_upper": "changed",
    "united_breaks": "changed",
    "up_to_zero": "changed",
    "weighted_lower": "changed",
    "weighted_upper": "changed",
}


class ClaimEffect(NamedTuple):
    """The effect on one claim.

    Attributes
    ----------
    claim : str
    effect : str
        ``"kept"``, ``"lost"``, ``"changed"`` or ``"depends"``.
    rule : str
        The rule in words.
    """

    claim: str
    effect: Effect
    rule: str


def claim_effects(kind: WrapperKind) -> Iterator[ClaimEffect]:
    """Yield the effect of a kind of wrapper on each claim, in the order of the table.

    Examples
    --------
    >>> next(effect for effect in claim_effects("weighted") if effect.claim == "proper")
    ClaimEffect(claim='proper', effect='lost', rule='Return nothing.')
    """
    for claim, row in RULES.items():
        name = _name(getattr(row, kind))
        words = (getattr(claim_rules, name).__doc__ or "").partition("\n")[0]
        yield ClaimEffect(claim, _ALWAYS.get(name, "depends"), words)


def _name(rule: ClaimRule) -> str:
    """Return the name of a rule, or of the function that made it."""
    return str(getattr(rule, "__qualname__", "")).partition(".")[0]
