"""Options: the effort of a search, the checks that run, and the findings that count as failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral

from lossfw.components.naming import did_you_mean
from lossfw.components.ranges import SizeRange, range_of
from lossfw.errors import ArgumentError


@dataclass(frozen=True)
class Options:
    """How something is checked; `lossfw.check.check` explains the first six."""

    seed: int = 0
    examples: int = 200
    time: float | None = None  # seconds after which no further check begins
    allow_unfinished: bool = False
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    first: bool = False  # stop at the first failure
    rtol: float = 0.0  # relative tolerance of values and derivatives
    # Broken conventions count as failures; for a component they always do.
    conventions: bool = False
    bridges: bool = False  # check every installed bridge too
    # The sizes of numbers at which results and claims are looked at, instead of promised ones.
    within: SizeRange | None = None

    def __post_init__(self) -> None:
        """Check the numbers; one word is a sequence of one, and a range is made of its limits.

        Raises
        ------
        ArgumentError
            If `seed` or `examples` is not a whole number, or too small, or `within` is not a
            range.
        """
        for name, least in (("seed", 0), ("examples", 1)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise ArgumentError(
                    f"{name}={value!r}; expected a whole number of at least {least}."
                )
        for name in ("only", "skip"):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, (getattr(self, name),))
        object.__setattr__(self, "within", range_of(self.within))

    def deselected(self, checks: Iterable[str], others: Iterable[str] = ()) -> set[str]:
        """Return which of the checks that apply do not run on request.

        A word may also name one of the others, which may be meant for another component.

        Raises
        ------
        ArgumentError
            If a word means none of them.
        """
        applicable = set(checks)
        known = [*applicable, *(name for name in others if name not in applicable)]
        only = _checks_meant(self.only, known, "only")
        skip = _checks_meant(self.skip, known, "skip")
        return skip | (applicable - only if self.only else set())


def _checks_meant(words: Sequence[str], checks: list[str], option: str) -> set[str]:
    names: set[str] = set()
    for word in words:
        meant = {c for c in checks if word in (c, c.removeprefix("claim:"), c.partition(":")[0])}
        if not meant:
            raise ArgumentError(
                f"{option}={word!r} is none of the checks that run here. "
                f"{did_you_mean(word, checks)}"
            )
        names |= meant
    return names
