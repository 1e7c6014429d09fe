"""Liars about arrays of other libraries."""

from lossfw import DistanceLoss
from lossfw.numerics.arrays import is_foreign, namespace_of
from support.liars.liar import Liar


class _Square(DistanceLoss):
    def value(self, xp, r):
        return r * r


class TwiceElsewhere(_Square):
    """Doubles the loss of another library's arrays, not of dual and of exact numbers."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return r * r * (2.0 if is_foreign(r) else 1.0)

    def derivative(self, xp, r):
        return 2.0 * r

    def second_derivative(self, xp, r):
        return 2.0 + 0.0 * r


class OneOfTwo(_Square):
    """Forgets the mask beside weights."""

    def __call__(self, prediction, target, *, sample_weight=None, where=None, **options):
        if is_foreign(prediction) and sample_weight is not None:
            where = None
        return super().__call__(
            prediction, target, sample_weight=sample_weight, where=where, **options
        )


class NoSign(_Square):
    """Takes the absolute value of weights."""

    def __call__(self, prediction, target, *, sample_weight=None, **options):
        if is_foreign(sample_weight):
            sample_weight = namespace_of(sample_weight).abs(sample_weight)
        return super().__call__(prediction, target, sample_weight=sample_weight, **options)


LIARS = (
    Liar("loss", "arrays:results", "twice", TwiceElsewhere(), ("arrays:weights",)),
    Liar("loss", "arrays:weights", "one of two", OneOfTwo()),
    Liar("loss", "arrays:refusals", "no sign", NoSign()),
)
