"""Options: the effort of a search, the checks that run, and the findings that count as failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral

from lossfw.components.naming import did_you_mean
from lossfw.components.ranges import SizeRange, parse_range
from lossfw.errors import ArgumentError


@dataclass(frozen=True)
class Options:
    """The options of a check; `lossfw.check.check` explains the first six."""

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
    strict: bool = False  # notes count as failures
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
        if self.within is not None:
            object.__setattr__(self, "within", parse_range(self.within))

    def select_checks(self, checks: Iterable[str]) -> list[str]:
        """Return which of the checks that apply run, in their order."""
        return [
            name
            for name in checks
            if not (self.only and not _is_selected_by(name, self.only))
            and not _is_selected_by(name, self.skip)
        ]

    def refuse_unknown(self, checks: Iterable[str]) -> None:
        """Refuse a word that does not match any check.

        Raises
        ------
        ArgumentError
            If there is one.
        """
        known = list(dict.fromkeys(checks))
        for option in ("only", "skip"):
            for word in getattr(self, option):
                if not any(_is_selected_by(name, (word,)) for name in known):
                    raise ArgumentError(
                        f"{option}={word!r} is not among the checks that run here. "
                        f"{did_you_mean(word, known)}".rstrip()
                    )


def _is_selected_by(check: str, words: Sequence[str]) -> bool:
    """Tell whether a check is named, as it is or without prefix, or is in a group that is named."""
    return bool({check, check.removeprefix("claim:"), check.partition(":")[0]} & set(words))
