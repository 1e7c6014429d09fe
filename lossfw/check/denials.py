"""Denials: a property that is said to be absent, proved by a witness.

``Claims(convex=False)`` denies convexity. The check of the claim looks for a counterexample;
one that it finds is the witness, and one that it does not find refutes the denial.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lossfw.check.core.session import Check, Refuted, Search

PREFIX = "denied:"


def denial(check: Check) -> Check:
    """Return the check of a denial from that of the claim.

    Parameters
    ----------
    check : Check
        Of a claim.
    """
    claim = check.name.removeprefix("claim:")

    def proved(subject: Any, search: Search) -> None:
        try:
            check(subject, search)
        except Refuted as witness:
            search.witnesses[claim] = witness.message
            return
        raise Refuted(
            f"{claim} is denied, and no witness was found in {search.tried:,} examples: say None, "
            "which says nothing of it, or claim it",
            "None",
        )

    return Check(f"{PREFIX}{claim}", proved)


def denials(denied: Iterable[str], checks: Mapping[str, Check]) -> dict[str, Check]:
    """Return the checks of some denials, by name.

    Parameters
    ----------
    denied : iterable of str
        The claims that are denied.
    checks : mapping of str to Check
        Those of claims among others.
    """
    found = [denial(checks[f"claim:{claim}"]) for claim in denied]
    return {one.name: one for one in found}
