"""Deviances: relations, limits, edges, domains, claims."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossfw
from lossfw.evaluation.evaluate import evaluate
from support.configs import build

inf, nan = math.inf, math.nan

POISSON = lossfw.loss("poisson_deviance")
GAMMA = lossfw.loss("gamma_deviance")
POWERS = (-3.0, -0.3, 0.0, 1.0, 1.000001, 1.1, 1.5, 1.9, 1.999999, 2.0, 2.5, 3.0, 7.5)

ALL = [
    ("poisson_deviance", {}),
    ("gamma_deviance", {}),
    *(("tweedie_deviance", {"power": p}) for p in POWERS),
]
LINKS = [(name, {**given_, "link": link}) for name, given_ in ALL for link in ("identity", "log")]
each = pytest.mark.parametrize(("name", "parameters"), ALL)
each_link = pytest.mark.parametrize(("name", "parameters"), LINKS)

means = st.floats(1e-6, 1e6)
targets = st.floats(0, 1e6).filter(lambda t: t == 0 or t > 1e-6)


def tweedie(power, **more):
    return lossfw.loss("tweedie_deviance", power=power, **more)


class TestKnownValues:
    # From the documentation of scikit-learn 1.9, metrics.mean_..._deviance.
    y, counts, times = [0.5, 0.5, 2.0, 2.0], [2, 0, 1, 4], [2, 0.5, 1, 4]

    def test_the_examples_of_scikit_learn(self):
        assert POISSON(self.y, self.counts) == pytest.approx(1.4260, abs=1e-4)
        assert GAMMA(self.y, self.times) == pytest.approx(1.0568, abs=1e-4)
        assert tweedie(1.0)(self.y, self.counts) == pytest.approx(1.4260, abs=1e-4)

    @pytest.mark.parametrize("power", [p for p in POWERS if p >= 0])
    def test_those_of_scikit_learn_itself(self, power):
        metrics = pytest.importorskip("sklearn.metrics")
        t = self.counts if power < 2 else self.times
        wanted = metrics.mean_tweedie_deviance(t, self.y, power=power)
        # Its formula cancels near the powers 1 and 2.
        assert tweedie(power)(self.y, t) == pytest.approx(wanted, rel=1e-8)

    def test_inverse_gaussian(self):
        # Jorgensen, The theory of dispersion models, 1997: (t - y)^2 / (t y^2).
        y, t = np.array([0.5, 2.0, 3.0]), np.array([2.0, 1.0, 3.0])
        found = tweedie(3.0)(y, t, reduction="none")
        assert found == pytest.approx((t - y) ** 2 / (t * y**2), rel=1e-14)


class TestLimits:
    @given(means, targets)
    def test_power_one_is_poisson(self, y, t):
        assert tweedie(1.0)(y, t) == POISSON(y, t)
        assert tweedie(1.0, link="log")(y, t) == lossfw.loss("poisson_deviance", link="log")(y, t)

    @given(means, means)
    def test_power_two_is_gamma(self, y, t):
        assert tweedie(2.0)(y, t) == GAMMA(y, t)
        assert np.array_equal(tweedie(2.0).gradient([y], [t]), GAMMA.gradient([y], [t]))

    @given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
    def test_power_zero_is_the_squared_error_of_all_real_numbers(self, y, t):
        assert tweedie(0.0)(y, t) == lossfw.loss("squared_error")(y, t)

    @pytest.mark.parametrize("step", [1e-4, 1e-8, 1e-12])
    @pytest.mark.parametrize("limit", [0.0, 1.0, 2.0])
    @pytest.mark.parametrize("link", ["identity", "log"])
    def test_powers_near_a_limit_come_near_to_it(self, limit, step, link):
        y, t = np.array([0.3, 1.0, 2.0, 40.0]), np.array([1.0, 1.0, 2.1, 0.01])
        y = np.log(y) if link == "log" else y
        for power in (limit - step, limit + step):
            if 0 < power < 1:
                continue
            near, exact = (tweedie(p, link=link) for p in (power, limit))
            for call in ("__call__", "gradient", "hessian"):
                found = getattr(near, call)(y, t, reduction="none")
                wanted = getattr(exact, call)(y, t, reduction="none")
                size = np.abs(wanted).max()
                assert found == pytest.approx(wanted, rel=1e-13, abs=20 * step * size + 1e-12)


class TestRelations:
    @each
    @settings(max_examples=25)
    @given(y=means, t=means)
    def test_the_log_link_takes_the_logarithm_of_the_mean(self, name, parameters, y, t):
        loss = lossfw.loss(name, **parameters)
        z = math.log(y)
        wanted = loss.on_logits()([z], [t])
        # exp(log(y)) is y but for its last digits.
        step = y * (2 + abs(z)) * 1e-15
        slope, bend = (abs(float(f([y], [t])[0])) for f in (loss.gradient, loss.hessian))
        slack = slope * step + bend * step**2
        assert loss([y], [t]) == pytest.approx(wanted, rel=1e-12, abs=slack)

    @each
    def test_fusing_names_the_same_loss(self, name, parameters):
        loss = lossfw.loss(name, **parameters)
        assert loss.link_activation() == "exp"
        assert loss.on_logits() == lossfw.loss(name, **parameters, link="log")
        assert loss.on_logits().on_logits() is None
        assert loss.on_logits().link_activation() is None
        assert lossfw.loss(loss.on_logits().to_config()) == loss.on_logits()

    @given(means, means, st.integers(-20, 20))
    def test_scaling_both_scales_by_a_power(self, y, t, k):
        # 4^k to the power 2 - 1.5 is 2^k.
        scaled, plain = tweedie(1.5)(y * 4.0**k, t * 4.0**k), tweedie(1.5)(y, t)
        assert scaled == pytest.approx(2.0**k * plain, rel=1e-14)
        assert GAMMA(y * 4.0**k, t * 4.0**k) == pytest.approx(GAMMA(y, t), rel=1e-14)

    @pytest.mark.parametrize("power", [1.5, 1.1, 2.5, 7.5, -0.3])
    @given(y=st.floats(1e-3, 1e3))
    def test_powers_p_and_three_minus_p_mirror_each_other(self, power, y):
        # From the integral of (v - 1) v^-p dv by v -> 1 / v.
        if 0 < 3 - power < 1:
            return
        assert tweedie(power)(y, 1.0) == pytest.approx(tweedie(3 - power)(1 / y, 1.0), rel=1e-11)

    @each_link
    def test_the_mean_of_the_targets_is_the_best_prediction(self, name, parameters):
        t = np.array([0.5, 1.0, 3.0, 7.5])
        best = np.full(4, math.log(3.0) if parameters["link"] == "log" else 3.0)
        slope = lossfw.loss(name, **parameters).gradient(best, t)
        assert slope.sum() == pytest.approx(0, abs=1e-12 * np.abs(slope).max())


class TestEdges:
    @pytest.mark.parametrize("power", [-1.5, 1.0, 1.25, 1.5])
    def test_at_a_target_of_zero_only_a_power_of_the_mean_is_left(self, power):
        y, b = np.array([1e-80, 0.25, 3.0, 1e80]), 2 - power
        loss = tweedie(power)
        zero = np.zeros(4)
        assert loss(y, zero, reduction="none") == pytest.approx(2 * y**b / b, rel=1e-14)
        slope = loss.gradient(y, zero, reduction="none")
        assert slope == pytest.approx(2 * y ** (1 - power), rel=1e-14)
        z = np.array([-inf, -3.0, 0.0, 2.0, inf])
        by_log = loss.on_logits()(z, np.zeros(5), reduction="none")
        with np.errstate(over="ignore"):
            assert by_log == pytest.approx(2 * np.exp(b * z) / b, rel=1e-14)

    @each
    def test_infinite_logarithms_give_the_limit(self, name, parameters):
        loss = lossfw.loss(name, **parameters).on_logits()
        power = parameters.get("power", 1.0 if name == "poisson_deviance" else 2.0)
        low, high = loss([-inf, inf], [2.0, 2.0], reduction="none")
        # 2 t^(2-p) / ((1-p) (2-p)) is what remains where the others vanish.
        a, b = 1 - power, 2 - power
        rest = 2 * 2**b / (a * b) if power not in (1, 2) else None
        assert high == (inf if power <= 2 else pytest.approx(rest))
        assert low == (inf if power >= 1 else pytest.approx(rest))


class TestClaims:
    @each_link
    def test_convexity_is_the_sign_of_the_second_derivative(self, name, parameters):
        loss = lossfw.loss(name, **parameters)
        y = np.geomspace(1e-8, 1e8, 33)
        y, t = (x.ravel() for x in np.meshgrid(np.log(y) if loss.link == "log" else y, y))
        bend = loss.hessian(y, t, reduction="none")
        claims = loss.claims()
        # Where it is not claimed, a prediction refutes it.
        assert bool(claims.convex) == bool((bend >= 0).all())
        if claims.strictly_convex:
            assert (bend > 0).all()

    def test_at_a_target_of_zero_poisson_is_straight_in_the_mean(self):
        assert not POISSON.claims().strictly_convex
        assert POISSON.hessian([2.0], [0.0])[0] == 0

    def test_power_zero_has_the_constants_of_the_squared_error(self):
        wanted = lossfw.loss("squared_error").claims()
        found = tweedie(0.0).claims()
        assert found.strongly_convex == wanted.strongly_convex == 2
        assert found.gradient_lipschitz == wanted.gradient_lipschitz == 2

    def test_from_logarithms_it_is_not_zero_at_the_target(self):
        assert not lossfw.loss("poisson_deviance", link="log").claims().zero_at_target
        assert lossfw.loss("poisson_deviance", link="log")([3.0], [3.0]) > 1


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
        assert (fused.form, apart.form) == ("logits", "prediction")
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
