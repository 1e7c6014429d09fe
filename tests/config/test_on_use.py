"""What a configuration does not use is not imported; what all commands read is read alike."""


import pytest

from lossfw.errors import ConfigError
from support.configs import build_training

TRAIN = """\
lossfw: 1
data: {name: inline, inputs: [[0.0], [1.0]], targets: [0, 1]}
network: {layers: [{units: 2, activation: softmax}]}
loss: cross_entropy
train: {epochs: 1, optimizer: sgd}
"""


def test_a_training_is_one_run(folder):
    (folder / "run.yaml").write_text(TRAIN + "sweep: {seeds: 2}\n")
    with pytest.raises(ConfigError, match="several runs") as caught:
        build_training("run.yaml")
    assert "run.yaml:6:1" in str(caught.value)
    assert build_training("run.yaml", ["sweep-"]).seed == 0
