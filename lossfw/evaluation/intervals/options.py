"""Options of confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeAlias, get_args

from lossfw.components.naming import did_you_mean
from lossfw.errors import ParameterError
from lossfw.evaluation.intervals.units import Units

Method: TypeAlias = Literal["jackknife", "bootstrap"]

# A percentile of fewer replicates than this says more of the draws than of the data.
MIN_REPLICATES = 100
# Each replicate computes every metric again.
MAX_REPLICATES = 100_000


@dataclass(frozen=True)
class Intervals:
    """Options of confidence intervals.

    Examples
    --------
    >>> Intervals(level=0.9).to_dict()
    {'level': 0.9, 'method': 'jackknife'}
    """

    # Probability that an interval holds the true number, between 0 and 1.
    level: float = 0.95
    # The method of resampling.
    method: Method = "jackknife"
    # How often the bootstrap draws; the jackknife draws nothing.
    replicates: int = 1000
    # Seed of the bootstrap's draws, at or above 0.
    seed: int = 0
    # What is taken as independent; None for the groups of the data if the loss or a metric takes
    # groups, and else for rows.
    resample: Units | None = None

    def __post_init__(self) -> None:
        if not (_is_number(self.level) and 0 < self.level < 1):
            raise ParameterError(f"level should be between 0 and 1, got {self.level!r}.")
        methods = get_args(Method)
        if self.method not in methods:
            guess = did_you_mean(str(self.method), methods) or "Take one of them."
            raise ParameterError(
                f"method should be {' or '.join(map(repr, methods))}, got {self.method!r}. {guess}"
            )
        _check_whole("replicates", self.replicates, MIN_REPLICATES, MAX_REPLICATES)
        _check_whole("seed", self.seed, 0, None)

    def to_dict(self) -> dict[str, Any]:
        """Return the options for a result, as plain strings and numbers."""
        plain: dict[str, Any] = {"level": self.level, "method": self.method}
        if self.method == "bootstrap":
            plain |= {"replicates": self.replicates, "seed": self.seed}
        if self.resample is not None:
            plain["resample"] = self.resample.to_plain()
        return plain

    def with_units(self, units: Units) -> Self:
        """Return the same options with other units."""
        return replace(self, resample=units)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """Return the options from a result, ignoring other entries."""
        names = ("level", "method", "replicates", "seed")
        resample = Units.read(plain["resample"]) if "resample" in plain else None
        return cls(**{name: plain[name] for name in names if name in plain}, resample=resample)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_whole(name: str, value: object, minimum: int, maximum: int | None) -> None:
    wanted = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
    if not isinstance(value, int) or isinstance(value, bool):
        raise ParameterError(f"{name} should be a whole number {wanted}, got {value!r}.")
    if value < minimum or (maximum is not None and value > maximum):
        raise ParameterError(f"{name} should be a whole number {wanted}, got {value}.")
