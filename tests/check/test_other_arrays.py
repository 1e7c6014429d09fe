"""The laws of arrays of other libraries: what they compare, and what counts as the same."""

import pytest

from lossfw import DistanceLoss
from lossfw.check import check
from lossfw.numerics.arrays import is_jax


class TwiceInJax(DistanceLoss):
    """Doubles the loss of JAX's arrays."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return r * r * (2.0 if is_jax(r) else 1.0)


def test_jax_is_compared():
    pytest.importorskip("jax")
    report = check(TwiceInJax(), only=["arrays"], examples=20)
    assert [refutation.check for refutation in report.refuted] == ["arrays"]
    assert "arrays of jax" in report.refuted[0].message
