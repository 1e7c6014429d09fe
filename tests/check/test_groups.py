"""Honest losses of groups pass the harness: of scores, of columns, of vectors."""

import pytest

from lossfw import BINARY, NONNEGATIVE, Claims, Columns, GroupLoss
from lossfw.check.api import suite_of_component
from lossfw.check.runner import run
from support.liars.groups import Pairs


class Honest(Pairs):
    """The loss of which liars change one thing."""

    def claims(self):
        return Claims(
            nonnegative=True, convex=True, shift_invariant=True, row_order=True, zero_alone=True
        )


class Later(GroupLoss):
    """The hinge of each event's score beside those that come later."""

    target = Columns.of(time=NONNEGATIVE, event=BINARY)
    needs_group = False
    neutral = (0.0, (-1.0, 0.0))

    def value(self, xp, y, t):
        later = t.time[..., None, :] > t.time[..., :, None]
        d = xp.where(later & (t.event > 0)[..., :, None], y[..., None, :] - y[..., :, None], -1.0)
        return xp.sum(xp.maximum(d + 1.0, xp.zeros_like(d)), axis=(-2, -1))

    def claims(self):
        return Claims(convex=True, shift_invariant=True, row_order=True, zero_alone=True)


@pytest.mark.parametrize("loss", [Honest(), Later()], ids=lambda loss: loss.name)
def test_honest_losses_of_groups_pass(loss):
    report = run(suite_of_component(loss), examples=20)
    assert not report.refuted
    assert {"group:alone", "group:split", "claim:convex"} <= {one.check for one in report.passed}
