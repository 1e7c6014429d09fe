"""Claims that are off by one unit in the last place.

A sign and a 0 are exact, and a user may rely on them to the last bit. A bound and a gradient are
numbers that are rounded themselves, and a symmetry compares two results, each of which may be some
units off.
"""

import math

from lossfw import Claims, DistanceLoss
from support.forms.form import right, wrong
from support.forms.honest_residuals import LogCoshByAbs


@right("a gradient is a difference of two results, which may be 4 units off each")
class LipschitzByOne(DistanceLoss):
    """A Lipschitz constant that is a unit too small."""

    def value(self, xp, r):
        return xp.abs(r) * 0.7

    def claims(self):
        return Claims(lipschitz=math.nextafter(0.7, 0))


@right("a bound such as c^2 / 2 is rounded itself, and a unit above it is not beyond it")
class BoundByOne(DistanceLoss):
    """A bound that is a unit too small."""

    def value(self, xp, r):
        return r * r / (1 + r * r)

    def claims(self):
        return Claims(bounded=math.nextafter(1.0, 0))


@wrong("2e-16 at the target, which the claim says is 0")
class ZeroByOne(DistanceLoss):
    """zero_at_target, with a unit of 1 there."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return r * r + 2.0**-52

    def claims(self):
        return Claims(zero_at_target=True)


@wrong("below 0 by a unit of log 2 next to the target")
class NonnegativeByOne(LogCoshByAbs):
    """nonnegative, with a difference of two nearly equal numbers."""

    def claims(self):
        return Claims(nonnegative=True)


@right("either side is within the 4 units of a result that is right")
class SymmetricByOne(DistanceLoss):
    """symmetric, with a unit more on one side."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return xp.where(r > 0, r * r * (1 + 2.0**-52), r * r)

    def claims(self):
        return Claims(symmetric=True)
