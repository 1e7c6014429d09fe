"""The absolute percentage error."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import PositiveFloat

from lossfw import REAL, Array, Claims, Namespace, PointwiseLoss, Space
from lossfw.numerics import apply_where, namespace_of, zero_or_nan


@dataclass(frozen=True)
class _AllRealExcept(Space):
    """Numbers other than one."""

    excluded: float = 0.0

    def outside_or_none(self, x: Array) -> Array | None:
        """Tell which elements are the excluded number; see `Space.outside_or_none`."""
        bad = x == self.excluded
        return bad if bool(namespace_of(bad).any(bad)) else None


NONZERO = _AllRealExcept("NONZERO", "the real numbers except 0 (a floor also allows 0)")


class AbsolutePercentageError(PointwiseLoss):
    """Absolute percentage error, abs(y - t) / abs(t).

    Use it when errors count relative to a target that is never near 0.

    Prediction and target of one shape, both real; one loss per element. It is a fraction: 0.05 for
    five percent. A target of 0 is an error unless there is a floor.

    Parameters
    ----------
    floor : float or None
        The smallest denominator, in units of the target: it replaces a smaller abs(t).

    Notes
    -----
    It is absolute error with sample weights 1 / max(abs(t), floor), and so its mean is least at a
    weighted median: below the median, because small targets weigh more. It elicits nothing that has
    a name. Without a floor the derivative 1 / abs(t) has no bound. The derivative at the target,
    where it jumps, is 0; the break is at another prediction for each target. Source: Makridakis,
    *Accuracy measures: theoretical and practical concerns*, International Journal of Forecasting 9,
    1993, doi:10.1016/0169-2070(93)90079-3.

    See Also
    --------
    absolute_error : in the units of the target.
    squared_log_error : also relative, and symmetric in prediction and target.

    Examples
    --------
    >>> AbsolutePercentageError()([110.0, 90.0], [100.0, -100.0], reduction="none")
    array([0.1, 1.9])
    >>> AbsolutePercentageError(floor=10.0)([1.0], [0.0])
    0.1
    """

    floor: PositiveFloat | None = None

    @property
    def target_space(self) -> Space:
        """All real numbers; without a floor all but 0."""
        return NONZERO if self.floor is None else REAL

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        unit = xp.abs(t)
        if self.floor is not None:
            unit = xp.maximum(unit, self.floor * xp.ones_like(unit))
        return xp.abs(y - t) / unit

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """abs(y - t) / max(abs(t), floor); in halves, for a large difference overflows."""
        r, unit = xp.abs(y - t), self._denominator(xp, t)

        def halved_error(xp: Namespace, y: Array, t: Array, unit: Array) -> Array:
            return xp.abs(0.5 * y - 0.5 * t) / (0.5 * unit)

        return apply_where(xp, r / unit, xp.isinf(r), halved_error, y, t, unit)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The sign of y - t over the denominator; 0 at the target."""
        return xp.sign(y - t) / self._denominator(xp, t)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """0, and NaN where the prediction is."""
        return zero_or_nan(xp, y - t)

    def _denominator(self, xp: Namespace, t: Array) -> Array:
        size = xp.abs(t)
        return size if self.floor is None else xp.maximum(size, xp.full_like(size, self.floor))

    def claims(self) -> Claims:
        """Convex; only the floor bounds the derivative."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            lipschitz=None if self.floor is None else 1.0 / self.floor,
        )
