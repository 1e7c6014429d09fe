"""Deviances: known values, fusing, runs."""

import math

import numpy as np
import pytest

import lossfw
from lossfw.evaluation.evaluate import evaluate
from support.configs import build

inf = math.inf

POISSON = lossfw.loss("poisson_deviance")
GAMMA = lossfw.loss("gamma_deviance")
POWERS = (-3.0, -0.3, 0.0, 1.0, 1.000001, 1.1, 1.5, 1.9, 1.999999, 2.0, 2.5, 3.0, 7.5)

ALL = [
    ("poisson_deviance", {}),
    ("gamma_deviance", {}),
    *(("tweedie_deviance", {"power": p}) for p in POWERS),
]
each = pytest.mark.parametrize(("name", "parameters"), ALL)


def tweedie(power, **more):
    return lossfw.loss("tweedie_deviance", power=power, **more)


class TestKnownValues:
    # From the documentation of scikit-learn 1.9, metrics.mean_..._deviance.
    y, counts, times = [0.5, 0.5, 2.0, 2.0], [2, 0, 1, 4], [2, 0.5, 1, 4]

    def test_the_examples_of_scikit_learn(self):
        assert POISSON(self.y, self.counts) == pytest.approx(1.4260, abs=1e-4)
        assert GAMMA(self.y, self.times) == pytest.approx(1.0568, abs=1e-4)
        assert tweedie(1.0)(self.y, self.counts) == pytest.approx(1.4260, abs=1e-4)


class TestRelations:
    @each
    def test_fusing_names_the_same_loss(self, name, parameters):
        loss = lossfw.loss(name, **parameters)
        assert loss._expected_activation() == "exp"
        assert loss.on_raw_outputs() == lossfw.loss(name, **parameters, link="log")
        assert loss.on_raw_outputs().on_raw_outputs() is None
        assert loss.on_raw_outputs()._expected_activation() is None
        assert lossfw.loss(loss.on_raw_outputs().to_config()) == loss.on_raw_outputs()


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

    def test_an_exponential_before_a_loss_of_logarithms_is_a_mistake(self, run):
        with pytest.raises(lossfw.LossfwError, match="leave the loss's link out"):
            run("{name: gamma_deviance, link: log}")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_mean_of_zero_is_right_where_nothing_is_counted(dtype):
    z, t = np.array([-np.inf, -np.inf], dtype), np.array([0.0, 1.0], dtype)
    loss = lossfw.loss("poisson_deviance", link="log")
    assert loss(z, t, reduction="none").tolist() == [0.0, np.inf]
