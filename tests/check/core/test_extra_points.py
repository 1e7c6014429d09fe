"""Points for each side of a body's branches."""

import numpy as np
import pytest

from lossfw import LOG, REAL, Claims, Columns, DistanceLoss, PointwiseLoss
from lossfw.check.core.extra_points import branch_points
from lossfw.check.core.search import Search
from lossfw.check.core.subject import subject_of_component


class Clipped(DistanceLoss):
    """A loss whose derivative is taken from a bounded residual."""

    def value(self, xp, r):
        """Quadratic, then straight."""
        c = xp.clip(r, -1e5, 1e5)
        return c * c + 2.0 * c * (r - c)

    def claims(self):
        """Nothing."""
        return Claims()


def test_each_side_of_a_clip_has_points():
    subject = subject_of_component(Clipped())
    search = Search(examples=20)
    known = search.points(subject, "float64")
    every = [*known, *branch_points(subject, search, "float64")]
    y = np.concatenate([some.y - some.t for some in every])
    usual = y[np.isfinite(y) & (np.abs(y) < 1e150)]
    assert min((usual > 1e5).sum(), (usual < -1e5).sum()) >= 4


class Changing(DistanceLoss):
    """The square, by another form from a small residual on."""

    def value(self, xp, r):
        """Both forms are the same."""
        return xp.where(xp.abs(r) < 3e-7, r * r, r**2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_points_are_next_to_where_a_branch_begins(dtype):
    for seed in range(4):
        found = branch_points(subject_of_component(Changing()), Search(seed, 100), dtype)
        size = np.concatenate([np.abs(some.y - some.t) for some in found])
        assert size[size < 3e-7].max() > 1e-7
        assert size[size > 3e-7].min() < 9e-7


class Vanishing(PointwiseLoss):
    """A squared error that is nearly always lost beside a large logarithm."""

    prediction = Columns.of(mean=REAL, log=LOG)

    def value(self, xp, y, t):
        """Nothing is left of it unless it is large."""
        root = xp.exp(-5 * y.log)
        return xp.where(y.log > 70, (y.mean - t) ** 2 * root * root, (y.mean - t) ** 2)


def test_points_of_a_rare_side_show_in_the_result():
    loss = Vanishing()
    (points,) = branch_points(subject_of_component(loss), Search(), "float64")
    far = points.keep(points.y[:, 1] > 70)
    assert (loss(far.y, far.t, reduction="none") > 0).any()
