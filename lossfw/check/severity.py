"""Sort findings: defects, lost precision, and conventions that another library need not share."""

from __future__ import annotations

from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["defect", "precision", "convention"]

# Asked of a component, and free to another library, which may broadcast,
# take another dtype, write -0.0, refuse or take what lies outside of a space.
_CONVENTIONS = ("shape:broadcast", "dtype", "value:negative_zero", "domain", "arrays")

_PRECISION = "precision"

# Beside wrong values they are told after them: a function that overflows is right elsewhere.
_OVERFLOW = "overflow"


def severity(check: str) -> Severity:
    """Return the severity of a finding.

    Parameters
    ----------
    check : str
        The name of the check.

    Examples
    --------
    >>> severity("value"), severity("precision:gradient"), severity("dtype:half")
    ('defect', 'precision', 'convention')
    """
    if check.startswith(_CONVENTIONS):
        return "convention"
    return "precision" if check.startswith(_PRECISION) else "defect"


def gravity(check: str) -> int:
    """Return the rank of a check, by which the gravest findings come first."""
    ranks: dict[Severity, int] = {"defect": 0, "precision": 2, "convention": 3}
    return 1 if check.startswith(_OVERFLOW) else ranks[severity(check)]
