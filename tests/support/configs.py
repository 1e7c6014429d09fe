"""Texts of configurations to change, and configurations by the name of their file."""

from lossfw.components.plugin_choice import Plugins
from lossfw.config.plan import evaluation, resolved, sweep, training, validate
from lossfw.config.schema.checked import read_config
from lossfw.config.text.source import ConfigSource

# Two rows of saved predictions.
SAVED = """\
lossfw: 1
data: {name: inline, targets: [0, 1]}
network: {predictions: [[0.25, 0.75], [0.5, 0.5]]}
loss: cross_entropy
"""

# The same in files.
SAVED_ARRAYS = """\
lossfw: 1
data: {name: arrays, targets: t.npy, sample_weight: w.npy}
network: {predictions: p.npy}
loss: cross_entropy
"""

# The trained network that comes with the digits.
DIGITS = """\
lossfw: 1
data: {name: digits, split: test}
network:
  layers:
    - {units: 50, activation: sigmoid}
    - {units: 100, activation: sigmoid}
    - {units: 10, activation: softmax}
  weights: digits-mlp.npz
loss: cross_entropy
"""

# A training on them.
TRAINED = """\
lossfw: 1
data: {name: digits, split: train}
network: {layers: [{units: 10, activation: softmax}]}
loss: cross_entropy
train: {epochs: 1, optimizer: sgd}
"""

# A plugin file with a metric.
SHARPNESS = """\
from lossfw import RowMetric

class Sharpness(RowMetric):
    '''The largest probability.'''

    def rows(self, prediction, target):
        return prediction.max(-1)
"""


def source(name, overrides=(), plugins=None):
    return ConfigSource(str(name), tuple(overrides), plugins or Plugins())


def read(*given):
    return read_config(source(*given))


def build(*given):
    return evaluation.plan_of_source(source(*given))


def build_training(*given):
    return training.training_of(read(*given))


def resolve(*given):
    return resolved.resolve(source(*given))


def resolved_text(*given):
    return resolve(*given).to_yaml()


def expand(*given):
    return sweep.expand(read(*given))


def verdict_of(*given):
    return validate.validate(source(*given))
