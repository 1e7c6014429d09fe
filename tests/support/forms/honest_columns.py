"""Honest losses of named columns: likelihoods of two parameters, and boxes.

A logarithm of a scale has the space REAL here. Where its exponential is not a float, neither is the
loss of nearly every target, and a NaN at the others is a note that names the space LOG.
"""

from lossfw import POSITIVE, REAL, Columns, PointwiseLoss
from support.forms.form import right, wrong


@right("log_var = -800 and t = mean is NaN, and any other t has a loss above every float")
class GaussianOfLogVariance(PointwiseLoss):
    """Nix and Weigend, 1994."""

    prediction = Columns.of(mean=REAL, log_var=REAL)
    target = REAL

    def value(self, xp, y, t):
        return (y.log_var + (t - y.mean) ** 2 * xp.exp(-y.log_var)) / 2


@right("log_scale = -800 and t = location is NaN, and a t below has a loss above every float")
class GumbelOfLogScale(PointwiseLoss):
    """The likelihood of the largest of many; Gumbel, 1958."""

    prediction = Columns.of(location=REAL, log_scale=REAL)

    def value(self, xp, y, t):
        z = (t - y.location) * xp.exp(-y.log_scale)
        return y.log_scale + z + xp.exp(-z)


@right("log_shape = 800, t = 1, log_scale = 0 is NaN, and t = 2 has a loss above every float")
class WeibullOfLogShape(PointwiseLoss):
    """The likelihood of a life time; Weibull, 1951."""

    prediction = Columns.of(log_scale=REAL, log_shape=REAL)
    target = POSITIVE

    def value(self, xp, y, t):
        u = xp.exp(y.log_shape) * (xp.log(t) - y.log_scale)
        return xp.exp(u) - u - y.log_shape + xp.log(t)


@wrong("x = 1, w = 1e-17: x + w is 1, the hull has no width, and the loss is -inf")
class BoxesByCorners(PointwiseLoss):
    """Generalized IoU of boxes by corner and size; Rezatofighi et al., 2019."""

    prediction = target = Columns.of(x=REAL, y=REAL, w=POSITIVE, h=POSITIVE)

    def value(self, xp, y, t):
        right_end, top = xp.minimum(y.x + y.w, t.x + t.w), xp.minimum(y.y + y.h, t.y + t.h)
        wide, high = right_end - xp.maximum(y.x, t.x), top - xp.maximum(y.y, t.y)
        both = xp.maximum(wide, 0 * wide) * xp.maximum(high, 0 * high)
        union = y.w * y.h + t.w * t.h - both
        hull_width = xp.maximum(y.x + y.w, t.x + t.w) - xp.minimum(y.x, t.x)
        hull = hull_width * (xp.maximum(y.y + y.h, t.y + t.h) - xp.minimum(y.y, t.y))
        return 1 - both / union + (hull - union) / hull
