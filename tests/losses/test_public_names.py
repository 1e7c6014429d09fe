"""A loss shows few names: those that users call, and those that authors write."""

import pydantic
import pytest

import lossfw

# What completion may offer on a loss of a kind. Names of pydantic are those of any model, and the
# capabilities (a guard, raw outputs, a distribution) add what their authors write.
MOST_NAMES = 40
CAPABILITIES = (lossfw.GuardedLoss, lossfw.RawOutputLoss, lossfw.DistributionLoss)


def own_names(cls):
    """Return the public names of a class of losses that lossfw gives it."""
    others = {name for base in CAPABILITIES if issubclass(cls, base) for name in vars(base)}
    others |= {name for base in CAPABILITIES for name in base.__annotations__}
    others |= {*dir(pydantic.BaseModel), *cls.model_fields}
    return {name for name in dir(cls) if not name.startswith("_") and name not in others}


KINDS = ["DistanceLoss", "MarginLoss", "PointwiseLoss", "CategoricalLoss", "GroupLoss"]
BUILT_IN = [type(lossfw.loss(name)) for name in ("huber", "cross_entropy", "gaussian_nll", "cox")]


@pytest.mark.parametrize("cls", [*(getattr(lossfw, kind) for kind in KINDS), *BUILT_IN])
def test_a_loss_shows_few_names_and_hides_none(cls):
    assert len(own_names(cls)) <= MOST_NAMES, sorted(own_names(cls))
    assert not [base for base in cls.__mro__[:-1] if "__dir__" in vars(base)]
