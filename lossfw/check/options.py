"""Options: the effort of a search, the checks that run, and the findings that count as failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral

from lossfw.components.naming import did_you_mean
from lossfw.errors import ArgumentError


@dataclass(frozen=True)
class Options:
    """How something is checked.

    Attributes
    ----------
    seed : int
        The same seed gives the same report.
    examples : int
        About how many pairs each check tries in each dtype.
    time_limit : float or None
        Seconds after which no further check is begun: the others are not run.
    allow_unfinished : bool
        A report may be ok although the time limit left checks that did not run.
    only : sequence of str
        The checks to run, all if it is empty: names, claims, or first parts of names
        such as ``"dtype"`` and ``"claim"``.
    skip : sequence of str
        Checks that are not run, in the same words.
    first : bool
        Stop at the first failure.
    rtol : float
        Values and derivatives may be off by this part of the true ones.
    conventions : bool
        Broken conventions count as failures. Of a component they always do.
    bridges : bool
        Check every installed bridge too.
    """

    seed: int = 0
    examples: int = 200
    time_limit: float | None = None
    allow_unfinished: bool = False
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    first: bool = False
    rtol: float = 0.0
    conventions: bool = False
    bridges: bool = False

    def __post_init__(self) -> None:
        """Check the numbers; one word is a sequence of one.

        Raises
        ------
        ArgumentError
            If `seed` or `examples` is no whole number, or too small.
        """
        for name, least in (("seed", 0), ("examples", 1)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise ArgumentError(
                    f"{name}={value!r}: a whole number of at least {least} was wanted."
                )
        for name in ("only", "skip"):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, (getattr(self, name),))

    def deselected(self, checks: Iterable[str], others: Iterable[str] = ()) -> set[str]:
        """Return the checks that are not run on request.

        Parameters
        ----------
        checks : iterable of str
            Those that apply.
        others : iterable of str
            Further ones, which may be meant for another component.

        Raises
        ------
        ArgumentError
            If a word means none of them.
        """
        here = set(checks)
        known = [*here, *(name for name in others if name not in here)]
        only = _meant(self.only, known, "only")
        return _meant(self.skip, known, "skip") | (here - only if self.only else set())


def _meant(words: Sequence[str], checks: list[str], option: str) -> set[str]:
    found: set[str] = set()
    for word in words:
        some = {c for c in checks if word in (c, c.removeprefix("claim:"), c.partition(":")[0])}
        if not some:
            raise ArgumentError(
                f"{option}={word!r} is none of the checks that run here. "
                f"{did_you_mean(word, checks)}"
            )
        found |= some
    return found
