"""Reports: checks that held, were refuted, expected to fail or not applicable."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.numerics.arrays import NDArray

Severity: TypeAlias = Literal["defect", "precision", "convention"]

# A component is asked to keep them. Another library is free to broadcast, to take another
# dtype, to write -0.0, and to refuse or take what lies outside of a space.
_CONVENTIONS = ("shape:broadcast", "dtype", "value:negative_zero", "domain", "arrays")


def severity(check: str) -> Severity:
    """Return the severity of what a check of this name finds.

    Examples
    --------
    >>> severity("value"), severity("precision:gradient"), severity("dtype:half")
    ('defect', 'precision', 'convention')
    """
    if check.startswith(_CONVENTIONS):
        return "convention"
    return "precision" if check.startswith("precision") else "defect"


def severity_rank(check: str) -> int:
    """Return the rank of a check, by which the most severe findings come first."""
    if check.startswith("overflow"):
        # Below wrong values: a function that overflows is right elsewhere.
        return 1
    return {"defect": 0, "precision": 2, "convention": 3}[severity(check)]


@dataclass(frozen=True)
class Refutation:
    """A counterexample to one promise.

    Attributes
    ----------
    check : str
        Name of the check that found it: ``"gradient"``, ``"claim:convex"`` ...
    claim : str or None
        The claim that is refuted, None for a law that every loss is held to.
    message : str
        What was promised, what was found, and where to look.
    inputs : mapping of str to ndarray
        The smallest arrays that were found to show it.
    snippet : str
        Code that shows it in a fresh interpreter.
    seed : int
        The seed of the search.
    cause : hashable
        Equal for checks that were ended by the same error; None for a result
        that is wrong.
    blocks : bool
        Whether no other check runs after this finding.
    """

    check: str
    claim: str | None
    message: str
    inputs: Mapping[str, NDArray]
    snippet: str = ""
    seed: int = 0
    cause: Hashable = None
    blocks: bool = False

    @property
    def severity(self) -> Severity:
        """``"defect"``, ``"precision"`` or ``"convention"``."""
        return severity(self.check)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and texts, as they are written to JSON."""
        return {
            "check": self.check,
            "severity": self.severity,
            "claim": self.claim,
            "message": self.message,
            "inputs": {
                name: {"dtype": str(array.dtype), "values": _plain(array)}
                for name, array in self.inputs.items()
            },
            "snippet": self.snippet,
            "seed": self.seed,
        }

    def __str__(self) -> str:
        lines = [f"{self.check}: {self.message}"]
        lines += [f"    {name} = {array!r}" for name, array in self.inputs.items()]
        if self.snippet:
            lines += ["  to reproduce:", *(f"    {line}" for line in self.snippet.splitlines())]
        return "\n".join(lines)


def _plain(array: NDArray) -> Any:
    """Return nested lists, with texts for numbers that JSON does not have."""

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(item) for item in value]
        if isinstance(value, float) and not np.isfinite(value):
            return str(value)
        return value

    return one(array.tolist())


class PassedCheck(NamedTuple):
    """A check that did not refute, and how many examples it tried."""

    check: str
    examples: int


class NotRun(NamedTuple):
    """A check without an outcome; the reason is the time limit, or what another check reports."""

    reason: str


@dataclass
class Report:
    """All that the harness found about one component.

    Attributes
    ----------
    name : str
        The component, with its parameters.
    refuted : list of Refutation
        The most severe first: wrong values, overflow, lost precision, conventions.
    held : list of PassedCheck
        The checks that did not refute, with the number of their examples.
    not_claimed : list of str
        Claims that the component does not make.
    not_applicable : dict of str to str
        Checks that make no sense for it, with the reason.
    expected : dict of str to str
        Checks that were expected to fail and did, with the reason given.
    unexpected : dict of str to str
        Checks that were expected to fail and did not, with the reason given.
    not_run : dict of str to str
        Checks without an outcome, with the reason: the time limit, or the error that
        another check reports.
    unfinished : bool
        Whether the time limit ended the search before all checks had run.
    allow_unfinished : bool
        Whether a report may be ok all the same.
    conventions : bool
        Whether broken conventions count as failures.
    witnesses : dict of str to str
        The claims that are denied and proved to be so, with what proves it.
    limited : dict of str to str
        Checks that looked at less than usual, with what they looked at and the reason.
    not_checked : str
        Why nothing could be checked, empty where something was.
    """

    name: str
    refuted: list[Refutation] = field(default_factory=list)
    held: list[PassedCheck] = field(default_factory=list)
    not_claimed: list[str] = field(default_factory=list)
    not_applicable: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)
    unexpected: dict[str, str] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)
    unfinished: bool = False
    allow_unfinished: bool = False
    conventions: bool = True
    witnesses: dict[str, str] = field(default_factory=dict)
    limited: dict[str, str] = field(default_factory=dict)
    not_checked: str = ""

    @property
    def examples(self) -> int:
        """How many examples were tried in all."""
        return sum(passed.examples for passed in self.held)

    @property
    def failures(self) -> list[Refutation]:
        """The refutations that count."""
        return [r for r in self.refuted if self.conventions or r.severity != "convention"]

    @property
    def ok(self) -> bool:
        """Whether nothing failed, all was checked, and no expectation was wrong."""
        if (self.unfinished or self.not_checked) and not self.allow_unfinished:
            return False
        if self.not_checked:
            return True
        return not self.failures and not self.unexpected and bool(self.held)

    def raise_if_refuted(self) -> None:
        """Raise an error with all counterexamples, unless the report is ok.

        Raises
        ------
        AssertionError
            With each counterexample, its code, and the seed.
        """
        if not self.ok:
            raise AssertionError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and texts, as they are written to JSON."""
        return {
            "name": self.name,
            "ok": self.ok,
            "refuted": [refutation.to_dict() for refutation in self.refuted],
            "held": {passed.check: passed.examples for passed in self.held},
            "not_claimed": list(self.not_claimed),
            "witnesses": dict(self.witnesses),
            "not_applicable": dict(self.not_applicable),
            "expected": dict(self.expected),
            "unexpected": dict(self.unexpected),
            "not_run": dict(self.not_run),
            "limited": dict(self.limited),
            "not_checked": self.not_checked,
        }

    def __str__(self) -> str:
        lines = [f"{self.name}: {self._summary()}"]
        lines += [f"\n{refutation}" for refutation in self.refuted]
        lines += [
            f"\n{check}: expected to fail ({reason}), but it holds: remove the expectation"
            for check, reason in self.unexpected.items()
        ]
        return "\n".join(lines)

    def _summary(self) -> str:
        if self.not_checked:
            return f"not checked: {self.not_checked}"
        if not self.held and not self.refuted:
            return "no check ran, which is a failure"
        parts = [f"{len(self.held)} checks not refuted in {self.examples} examples"]
        if self.refuted:
            names = ", ".join(refutation.check for refutation in self.refuted)
            parts.insert(0, f"{len(self.refuted)} refuted ({names})")
        if self.not_run:
            parts.append(f"{len(self.not_run)} not run")
        if self.expected:
            parts.append(f"{len(self.expected)} failed as expected")
        if self.not_claimed:
            parts.append(f"{len(self.not_claimed)} not claimed")
        return ", ".join(parts)
