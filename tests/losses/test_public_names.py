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


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_of_a_kind_shows_few_names(kind):
    assert len(own_names(getattr(lossfw, kind))) <= MOST_NAMES, sorted(
        own_names(getattr(lossfw, kind))
    )


@pytest.mark.parametrize("name", ["huber", "cross_entropy", "gaussian_nll", "cox"])
def test_a_built_in_loss_shows_few_names(name):
    assert len(own_names(type(lossfw.loss(name)))) <= MOST_NAMES


def test_no_class_hides_names_from_dir():
    kinds = [getattr(lossfw, kind) for kind in KINDS]
    assert not [base for kind in kinds for base in kind.__mro__[:-1] if "__dir__" in vars(base)]
