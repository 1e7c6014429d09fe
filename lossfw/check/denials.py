"""Denials: claims that a property is absent, proved by a witness.

``Claims(convex=False)`` denies convexity. The check of the claim looks for a counterexample; one
that it finds is the witness, and without one the denial is refuted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from lossfw.check.core.search import Check, Counterexample, Search
from lossfw.components.claims import ActivationClaims, Claims

# The other claims have a value, such as a constant or a list of places.
_YES_OR_NO = {
    field.name
    for record in (Claims, ActivationClaims)
    for field in fields(record)
    if "bool" in field.type
}


def check_false_claims(denied: Iterable[str], checks: Mapping[str, Check]) -> dict[str, Check]:
    """Return the checks of denied claims, by name, from the checks of the claims."""
    return {f"denied:{claim}": _deny_claim(checks[f"claim:{claim}"], claim) for claim in denied}


def _deny_claim(check: Check, claim: str) -> Check:
    def find_witness(subject: Any, search: Search) -> None:
        if claim not in _YES_OR_NO:
            raise Counterexample(
                f"claims() sets {claim}=False, but {claim} is not a property that a loss has or "
                f"lacks: give its value, or write {claim}=None to make no statement.",
                "",
            )
        try:
            check(subject, search)
        except Counterexample as witness:
            search.witnesses[claim] = witness.message
            return
        closest = search.closest.get(search.running)
        text = (
            f"claims() sets {claim}=False, but {search.n_examples:,} examples show no witness of "
            f"that. Write {claim}=None to make no statement, or claim it."
        )
        if closest is None:
            raise Counterexample(text, "")
        raise Counterexample(f"{text} {closest.message}", closest.code, **closest.inputs)

    return Check(f"denied:{claim}", find_witness)
