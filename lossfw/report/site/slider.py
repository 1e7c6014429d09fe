"""The range of a slider: from the bounds and the default of a parameter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lossfw.components.component import Component

# A scale is moved by this factor in both directions; a small constant, up to `_LARGE`.
_FACTOR = 4.0
_SMALL, _LARGE = 0.01, 0.3

# A number of any sign, or one that begins at 0, is moved so far.
_REACH = 3.0

# A range keeps this share of its length from its bounds, which often are limits.
_INSIDE = 0.02

# Digits of a value: what a reader can take in.
_DIGITS = 3


@dataclass(frozen=True)
class SliderRange:
    """The values between which a slider moves.

    Attributes
    ----------
    low, high, default : float
    logarithmic : bool
        Equal steps are equal factors.
    """

    low: float
    high: float
    default: float
    logarithmic: bool

    def steps(self, count: int) -> list[float]:
        """Return about so many values in order, the default among them."""
        shares = [step / (count - 1) for step in range(count)]
        values = {float(f"{self._at(share):.{_DIGITS}g}") for share in shares}
        inside = {value for value in values if self.low <= value <= self.high}
        return sorted(inside | {self.default})

    def _at(self, share: float) -> float:
        if self.logarithmic:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + (self.high - self.low) * share

    def between(self, low: float, high: float) -> SliderRange:
        """Return a narrower range."""
        return replace(self, low=low, high=high)


def slider_range(cls: type[Component], name: str, default: float) -> SliderRange:
    """Return the range of a parameter's slider.

    The schema's extra ``slider`` of a field, a list of two numbers, comes first.

    Examples
    --------
    >>> import lossfw
    >>> slider_range(type(lossfw.loss("huber")), "delta", 1.0)
    SliderRange(low=0.25, high=4.0, default=1.0, logarithmic=True)
    """
    schema: dict[str, Any] = cls.model_json_schema()["properties"][name]
    if "slider" in schema:
        low, high = schema["slider"]
        return SliderRange(low, high, default, logarithmic=False)
    low = schema.get("exclusiveMinimum", schema.get("minimum"))
    high = schema.get("exclusiveMaximum", schema.get("maximum"))
    if low is not None and high is not None:
        inset = _INSIDE * (high - low)
        if 0 < default - low < inset:
            return SliderRange(default, _LARGE * (high - low), default, logarithmic=True)
        ends = min(low + inset, default), max(high - inset, default)
        return SliderRange(*ends, default, logarithmic=False)
    if low is not None and low >= 0 and default > 0:
        top = _LARGE if default < _SMALL else default * _FACTOR
        bottom = default if default < _SMALL else default / _FACTOR
        return SliderRange(max(bottom, low), top, default, logarithmic=True)
    bottom = default - _REACH if low is None else max(low, default - _REACH)
    if low is None and default > 0:
        # Of any sign, and yet hardly meant below 0.
        bottom = 0.0
    return SliderRange(bottom, default + _REACH, default, logarithmic=False)
