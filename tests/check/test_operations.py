"""Operations of losses, and the laws of the call that an edge of the parameters is spared."""

import pytest

from lossfw import CategoricalLoss, DistanceLoss
from lossfw.check.instances import MOVED_SHARE, instances_to_check
from lossfw.check.operations import Operations, instructions
from lossfw.errors import TraceError
from lossfw.numerics.symbolic.trace import trace


class Bent(DistanceLoss):
    """A loss with a branch on its parameter."""

    c: float = 1.0

    def value(self, xp, r):
        return 0.5 * (-r if self.c > 5 else r) * r * self.c


class Pairs(CategoricalLoss):
    """A loss of rows that looks at a shape, and so cannot be traced."""

    c: float = 1.0

    def value(self, xp, y, t):
        r = y - t
        if self.c > 5:
            r = r - xp.max(r, axis=-1, keepdims=True)
        return self.c * xp.sum(r * r, axis=-1) / float(r.shape[-1] * r.shape[0])


@pytest.mark.parametrize(
    ("cls", "other", "same"),
    [
        # 0.5 is in the body too. Signs and zero are operations of their own, and so is a branch.
        *((Bent, c, same) for c, same in [(2.0, True), (7.0, False), (-2.0, False), (0.0, False)]),
        # No graph holds them: the instructions that run stand for it.
        *((Pairs, c, same) for c, same in [(2.0, True), (7.0, False)]),
    ],
)
def test_numbers_are_not_operations(cls, other, same):
    operations = Operations()
    first, second = (operations.key_of(cls(c=c)) for c in (0.5, other))
    assert (first == second) == same
    assert None not in (first, second)


def test_what_cannot_be_traced_has_instructions_or_every_law():
    with pytest.raises(TraceError):
        trace(Pairs()._unreduced, {"y": "float64", "t": "float64"}, 3)
    assert instructions(Pairs(c=0.5)) is not None


def test_an_instance_of_its_own_operations_keeps_every_law():
    instances = instances_to_check(Bent)
    moved = [(one.c, checks) for one, share, checks in instances if share >= MOVED_SHARE]
    assert moved == [(1.0, True), (0.3, False), (7.5, True)]
