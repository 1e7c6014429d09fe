"""A body that is quadratic or cubic in the columns gets rows for which the memory suffices."""

import tracemalloc

from lossfw import REAL, CategoricalLoss
from lossfw.check import check
from lossfw.check.core import exact_points

# So that it is reached by small arrays.
LIMIT = 2**22


class Pairs(CategoricalLoss):
    """The sum of the squares of all differences of two columns."""

    prediction = REAL
    target = REAL

    def value(self, xp, y, t):
        d = (y - t)[..., :, None] - (y - t)[..., None, :]
        return xp.sum(xp.sum(d * d, axis=-1), axis=-1)

    def derivative(self, xp, y, t):
        r = y - t
        return 4 * (r * r.shape[-1] - xp.sum(r, axis=-1, keepdims=True))

    def second_derivative(self, xp, y, t):
        return xp.full_like(y, 4.0 * (y.shape[-1] - 1))


def test_no_call_takes_more_than_the_limit(monkeypatch):
    monkeypatch.setattr(exact_points, "LIMIT", LIMIT)
    tracemalloc.start()
    try:
        begun = tracemalloc.get_traced_memory()[0]
        report = check(Pairs(), examples=5, only=["classes", "shape:result", "dtype:inputs"])
        peak = tracemalloc.get_traced_memory()[1] - begun
    finally:
        tracemalloc.stop()
    assert report.ok, str(report)
    assert set(report.limited) >= {"classes"}
    assert "columns instead of 4,096" in report.limited["classes"]
    # Of the arguments and the results of the other checks.
    assert peak < 3 * LIMIT
    told = [line for line in report.lines() if "looked at less" in line]
    assert any("classes" in line and "4 MiB of memory" in line for line in told)
    assert report.to_dict()["limited"] == report.limited
