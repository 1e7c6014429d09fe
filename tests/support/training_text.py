"""A configuration with a section `train`, on the data of the fixture `folder`."""

CONFIG = """\
lossfw: 1
data: {name: arrays, file: data.npz}
network: {layers: [{units: 4, activation: tanh}, {units: 2, activation: softmax}]}
loss: cross_entropy
evaluate: {metrics: [accuracy]}
train:
  epochs: 3
  optimizer: {name: sgd, learning_rate: 0.5, momentum: 0.9}
"""
