"""The Gaussian negative log-likelihood with a predicted variance."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from lossfw import (
    LOG,
    REAL,
    Array,
    Claims,
    Columns,
    DistributionLoss,
    Namespace,
    PointwiseLoss,
    Space,
)
from lossfw.numerics import (
    at_most,
    computed_in_float64,
    multiply_or_zero,
    normal_cdf,
    normal_quantile,
    select,
    with_float32_form,
    zero_or_nan,
)
from lossfw_std.shared_parts import Deferred, shared_parts

_LOG_TWO_PI = math.log(2.0 * math.pi)

# exp(-s) overflows or is subnormal beyond this; there it is multiplied in parts.
_SAFE = 700.0


def _of_parts(loss: HeteroscedasticGaussianNll, xp: Namespace, *parts: Array) -> Deferred:
    s, slope, half = parts

    def value() -> Array:
        total = 0.5 * s + half + (0.5 * _LOG_TWO_PI if loss.full else 0.0)
        # An infinite square outweighs any s.
        return select(xp, xp.isinf(half), half, total)

    return value, lambda: {"mean": slope, "log_variance": 0.5 - half + zero_or_nan(xp, s)}


@shared_parts
def _plain(loss: HeteroscedasticGaussianNll, xp: Namespace, y: Any, t: Array) -> Deferred:
    return _of_parts(loss, xp, *_plain_parts(xp, y, t))


@shared_parts
def _stable(loss: HeteroscedasticGaussianNll, xp: Namespace, y: Any, t: Array) -> Deferred:
    return _of_parts(loss, xp, *_parts(xp, y, t))


class HeteroscedasticGaussianNll(DistributionLoss, PointwiseLoss):
    """Gaussian negative log-likelihood, (log(2 pi) + s + (m - t)^2 exp(-s)) / 2.

    Use it when a model predicts its own uncertainty beside the mean.

    The prediction has shape (..., 2): in each row the mean m and the logarithm
    s of the variance, both any real numbers. The target has shape (...), one
    number for each row. One loss per row; the gradient has the prediction's
    shape.

    Parameters
    ----------
    full : bool
        Without it the constant log(2 pi) / 2 is left out.

    Notes
    -----
    With s = log v for every row it is `gaussian_nll` with the variance v. Given
    s, the best m is the mean of the targets, and given both, the best exp(s) is
    their variance.

    It goes through 0 and has no bound below: at m = t it falls with s for ever.
    So its accuracy is that of a value of 1. Not convex in the row, although it is in m and in s.
    Source: Nix and Weigend, *Estimating the mean and variance of the target
    probability distribution*, IEEE International Conference on Neural Networks,
    1994, doi:10.1109/ICNN.1994.374138.

    See Also
    --------
    gaussian_nll : of a known variance.
    crps_normal : the same distribution, with less weight of outliers.

    Examples
    --------
    >>> loss = HeteroscedasticGaussianNll(full=False)
    >>> loss([[1.0, 0.0], [1.0, 2.0]], [3.0, 1.0], reduction="none")
    array([2., 1.])
    >>> loss.gradient([[1.0, 0.0], [1.0, 2.0]], [3.0, 1.0], reduction="sum")
    array([[-2. , -1.5],
           [ 0. ,  0.5]])
    """

    prediction: ClassVar[Space] = Columns.of(mean=REAL, log_variance=LOG)
    target: ClassVar[Space] = REAL

    full: bool = True

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        r, s = y.mean - t, y.log_variance
        constant = xp.log(2 * xp.pi * xp.ones_like(s)) if self.full else 0
        return (constant + s + r * r * xp.exp(-s)) / 2

    @with_float32_form(_plain.value)
    def value(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The same; the square or the exponential by itself may overflow."""
        return _stable.value(self, xp, y, t)

    @with_float32_form(_plain.derivative)
    def derivative(self, xp: Namespace, y: Any, t: Array) -> Any:
        """(m - t) exp(-s) by m, and (1 - (m - t)^2 exp(-s)) / 2 by s."""
        return _stable.derivative(self, xp, y, t)

    @with_float32_form(_plain.both)
    def value_and_derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Any]:
        """Both, from the same exponential."""
        return _stable.both(self, xp, y, t)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Any, t: Array) -> dict[str, Array]:
        """exp(-s) by m, and (m - t)^2 exp(-s) / 2 by s."""
        s, _, half = _parts(xp, y, t)
        return {"mean": xp.exp(-s) + zero_or_nan(xp, half), "log_variance": half}

    def expected_second_derivative(self, xp: Namespace, y: Any) -> dict[str, Array]:
        """exp(-s) by m, and 1 / 2 by s."""
        return {"mean": xp.exp(-y.log_variance), "log_variance": xp.full_like(y.log_variance, 0.5)}

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """That of the normal distribution."""
        return y.mean + xp.exp(0.5 * y.log_variance) * normal_quantile(xp, p)

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """That of the normal distribution."""
        return normal_cdf(xp, (x - y.mean) * xp.exp(-0.5 * y.log_variance))

    def claims(self) -> Claims:
        """Smooth, and a likelihood."""
        return Claims(twice_smooth=True, strictly_proper=True)


def _plain_parts(xp: Namespace, y: Any, t: Array) -> tuple[Array, Array, Array]:
    """Return `_parts` in float64 that was float32, whose squares neither overflow nor vanish."""
    r, s = y.mean - t, y.log_variance
    e = xp.exp(-at_most(xp, s, _SAFE))
    slope = multiply_or_zero(xp, r, e)
    return s, slope, multiply_or_zero(xp, 0.5 * r * r, e)


def _parts(xp: Namespace, y: Any, t: Array) -> tuple[Array, Array, Array]:
    """Return s, (m - t) exp(-s) and (m - t)^2 exp(-s) / 2, finite wherever they are."""
    r, s = y.mean - t, y.log_variance
    first = xp.clip(s, -_SAFE, _SAFE)
    second = xp.clip(s - first, -_SAFE, _SAFE)
    e, f = xp.exp(-first), xp.exp(-second)
    # Beyond both, not even the square of a float brings an exponential back.
    rest = xp.exp(-(s - first - second))
    slope = multiply_or_zero(xp, r * e * f, rest)
    return s, slope, multiply_or_zero(xp, (r * e) * (0.5 * r * f), rest)
