"""Trainings without a configuration."""

from lossfw.models.training.dense import DenseLearner
from lossfw.models.training.records import Training
from lossfw.nn.schedules import Constant


def dense_training(
    data, network, loss, form, optimizer, epochs, *, seed=0, schedule=None, **options
):
    """Return a training of layers."""
    learner = DenseLearner(network, optimizer, seed, schedule or Constant())
    return Training(data, learner, loss, form, epochs, seed=seed, **options)
