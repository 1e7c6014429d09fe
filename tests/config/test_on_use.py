"""What a configuration does not use is not imported; what all commands read is read alike."""

import subprocess
import sys

import pytest

from lossfw.errors import ConfigError
from support.configs import SAVED, build_training

TRAIN = """\
lossfw: 1
data: {name: inline, inputs: [[0.0], [1.0]], targets: [0, 1]}
network: {layers: [{units: 2, activation: softmax}]}
loss: cross_entropy
train: {epochs: 1, optimizer: sgd}
"""


IMPORTED = """
import sys
from lossfw.config.plan.evaluation import plan_of_source
from lossfw.config.text.source import ConfigSource
plan_of_source(ConfigSource("run.yaml"))
names = [name for name in sys.modules if name.startswith(("lossfw.config.", "lossfw.bridges"))]
print(*(name.rpartition(".")[2] for name in names))
"""


def imported(folder, text):
    """Return what making a plan imports of config and bridges, in a process of its own."""
    (folder / "run.yaml").write_text(text)
    (folder / "base.yaml").write_text(SAVED)
    command = [sys.executable, "-c", IMPORTED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_plain_configuration_imports_no_more_than_it_uses(folder):
    unused = {"extends", "environment", "sweep", "resolved", "writing", "validate"}
    unused |= {"json_schema", "json_components", "json_tools", "bridges"}
    assert not imported(folder, SAVED) & unused
    assert "extends" in imported(folder, "extends: base.yaml\n")


def test_a_training_extends_and_knows_the_environment(folder, monkeypatch):
    (folder / "base.yaml").write_text(TRAIN)
    (folder / "run.yaml").write_text("extends: base.yaml\ntrain: {epochs: '${env:EPOCHS}'}\n")
    monkeypatch.setenv("EPOCHS", "7")
    assert build_training("run.yaml").total == 7
    assert build_training("run.yaml", ["train.epochs=2"]).total == 2
    # A training is one run.
    (folder / "run.yaml").write_text(TRAIN + "sweep: {seeds: 2}\n")
    with pytest.raises(ConfigError, match=r"(?s)run.yaml:6:1.*several runs"):
        build_training("run.yaml")
    assert build_training("run.yaml", ["sweep-"]).seed == 0
