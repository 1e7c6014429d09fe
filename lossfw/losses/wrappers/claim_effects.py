"""The effect of a wrapper on each claim of its part: kept, lost, changed, or it depends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from lossfw.losses.wrappers import claim_rules as rules
from lossfw.losses.wrappers.claim_rules import ClaimRule
from lossfw.losses.wrappers.claim_table import RULES, WrapperKind

Effect: TypeAlias = Literal["kept", "lost", "changed", "depends"]

_CHANGING = (
    *(rules.add_bounds, rules.down_to_zero, rules.up_to_zero, rules.united_breaks),
    *(rules.scaled_lower, rules.scaled_size, rules.scaled_upper),
    *(rules.weighted_lower, rules.weighted_upper),
)

# Of the rules that need no condition; all others depend on one, which their docstring says.
_ALWAYS: dict[ClaimRule, Effect] = {
    rules.keep: "kept",
    rules.require_all: "kept",
    rules.drop: "lost",
    **dict.fromkeys(_CHANGING, "changed"),
}


class ClaimEffect(NamedTuple):
    """The effect on one claim, and its rule in words."""

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
    for claim, claim_rules in RULES.items():
        rule = getattr(claim_rules, kind)
        words = (rule.__doc__ or "").partition("\n")[0]
        yield ClaimEffect(claim, _ALWAYS.get(rule, "depends"), words)
