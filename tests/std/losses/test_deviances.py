"""A deviance takes the logarithm of an exponential that a network ends with."""

import numpy as np
import pytest

from lossfw.evaluation.evaluate import evaluate
from support.configs import build

NETWORK = """\
lossfw: 1
data: {name: inline, inputs: [[1.0, 2.0], [3.0, 4.0]], targets: [[1.0], [2.0]]}
network:
  layers: [{units: 1, activation: exp}]
  weights: w.npz
loss: LOSS
"""


class TestInARun:
    @pytest.fixture
    def run(self, tmp_path, monkeypatch):
        """Evaluate a network whose last activation is the exponential."""
        monkeypatch.chdir(tmp_path)
        np.savez("w.npz", W1=np.full((2, 1), 0.1), b1=np.zeros(1))

        def evaluated(loss):
            (tmp_path / "run.yaml").write_text(NETWORK.replace("LOSS", loss))
            return evaluate(build("run.yaml"))

        return evaluated

    @pytest.mark.parametrize(
        "loss", ["name: poisson_deviance", "name: tweedie_deviance, power: 1.5"]
    )
    def test_an_exponential_is_fused_with_the_loss_after_it(self, run, loss):
        fused, apart = run(f"{{{loss}}}"), run(f"{{{loss}, fuse: false}}")
        assert (fused.form, apart.form) == ("logs", "prediction")
        assert fused.loss == pytest.approx(apart.loss, rel=1e-14)
        assert fused.loss_name == loss.split(",")[0].removeprefix("name: ")
