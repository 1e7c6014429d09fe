"""Arguments of bodies: an error says where a body writes to them, and the caller's arrays stay."""

import numpy as np
import pytest

import lossfw
from lossfw import REAL, Activation, CategoricalLoss, DistanceLoss, MarginLoss, PointwiseLoss
from lossfw.errors import BodyError
from lossfw.losses.engine import compiled
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.metrics import ElementMetric, SumMetric, SumTerm


def augmented(y, t):
    y -= t
    return y


def masked(y, t):
    y[y > 0] = 0.0
    return y * t


def view(y, t):
    flat = y.reshape(-1)
    flat += 1.0
    return y * t


def out(y, t):
    return np.add(y, t, out=y)


def put(y, t):
    np.put(y, 0, 1.0)
    return y * t


def two_lines(y, t):
    np.multiply(
        y,
        t,  # in lines of its own
        out=t,
    )
    return y


WAYS = {
    augmented: ("y", "y -= t"),
    masked: ("y", "y[y > 0] = 0.0"),
    view: ("y", "flat += 1.0"),
    out: ("y", "return np.add(y, t, out=y)"),
    put: ("y", "np.put(y, 0, 1.0)"),
    two_lines: ("t", "np.multiply("),
}


class Pair(PointwiseLoss):
    way: str

    def value(self, xp, y, t):
        return next(way for way in WAYS if way.__name__ == self.way)(y, t)

    def derivative(self, xp, y, t):
        return self.value(xp, y, t)

    second_derivative = derivative


class Residual(DistanceLoss):
    def value(self, xp, r):
        r *= 2.0
        return r * r

    derivative = second_derivative = value


class Margin(MarginLoss):
    def value(self, xp, m):
        m[m > 1] = 1.0
        return 1 - m


class Rows(CategoricalLoss):
    prediction = REAL
    target = lossfw.SIMPLEX

    def value(self, xp, y, t):
        y -= xp.max(y, axis=-1, keepdims=True)
        return xp.sum(y * t, axis=-1)


class Looks(PointwiseLoss):
    def check_domain(self, y, t, by_index, start):
        y[...] = 0.0

    def value(self, xp, y, t):
        return y * t


class Unit(Activation):
    def value(self, xp, x):
        x *= 2.0
        return x


class MeanOfElements(ElementMetric):
    def elements(self, prediction, target):
        target -= prediction
        return target


class Total(SumMetric):
    classes = False

    def n_sums(self, columns):
        return 2

    def terms(self, prediction, target, weight):
        prediction -= target
        yield SumTerm(np.zeros(len(weight), int), prediction[:, 0])

    def value(self, sums, columns):
        return sums[:, 0]


def _pair(shape):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape), rng.normal(size=shape) > 0


def _held(function, y, t, told):
    kept = y.copy(), t.copy()
    with pytest.raises(BodyError, match=told):
        function(y, t)
    np.testing.assert_array_equal(y, kept[0])
    np.testing.assert_array_equal(t, kept[1])


@pytest.mark.parametrize("mode", ["auto", "compiled"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_line_that_writes_and_the_argument_are_told(way, mode):
    loss = Pair(way=way.__name__)
    name, line = WAYS[way]
    number = way.__code__.co_firstlineno
    for shape in ((3,), (2, 3), (5000,), (70_000, 2), (300_000,)):
        for order in ("C", "F"):
            y, t = (np.asarray(x, np.float64, order=order) for x in _pair(shape))
            with use_engine(mode), pytest.raises(BodyError) as caught:
                loss(y, t)
            text = str(caught.value)
            assert text.startswith(f"{way.__name__} changes its argument {name} (test_read_only.py")
            assert f": `{line}`)" in text
            at = int(text.partition("line ")[2].partition(":")[0])
            assert number < at <= number + 3
    compiled.wait()
    for dtype in (np.float16, np.float32):
        y, t = (x.astype(dtype) for x in _pair((40, 5)))
        for function in (loss, loss.gradient, loss.hessian, loss.value_and_gradient, loss.partial):
            _held(function, y, t, f"changes its argument {name} ")
            _held(function, y[::2], t[::2], f"changes its argument {name} ")
        for options in ({"where": t > 0}, {"sample_weight": np.arange(40.0)}):
            with pytest.raises(BodyError, match="changes its argument"):
                loss(y, t, **options)


@pytest.mark.parametrize("count", [4, 6000, 200_000])
def test_every_kind_of_function_gets_what_cannot_be_written_to(count):
    y, t = _pair((count,))
    t = t.astype(float)
    rows, one_hot = y.reshape(-1, 2), np.eye(2)[np.arange(count // 2) % 2]
    _held(Residual(), y, t, "^Residual.value changes its argument r ")
    _held(Residual().gradient, y, t, "^Residual.value changes its argument r ")
    _held(Margin(), y, 2 * t - 1, r"^Margin.value changes its argument m .*m\[m > 1\] = 1.0")
    _held(Rows(), rows, one_hot, "^Rows.value changes its argument y ")
    _held(Looks(), y, t, "^Looks.check_domain changes its argument y ")
    _held(lambda x, _: Unit()(x), y, t, "^Unit.value changes its argument x ")
    _held(MeanOfElements(), y, t, "^MeanOfElements.elements changes its argument target ")
    _held(Total(), rows, one_hot, "^Total.terms changes its argument prediction ")
    _held(2 * Residual() + Residual(), y, t, "^Residual.value changes its argument r ")


class Same(Activation):
    def value(self, xp, x):
        return x


class OwnArrays(PointwiseLoss):
    def value(self, xp, y, t):
        loss = y - t
        loss *= loss
        return loss


@pytest.mark.parametrize("count", [4, 6000, 200_000])
def test_what_a_body_made_may_be_written_to_and_results_belong_to_the_caller(count):
    y, t = _pair((count,))
    t = t.astype(float)
    np.testing.assert_array_equal(OwnArrays()(y, t, reduction="none"), (y - t) ** 2)
    result = Same()(y)
    result += 1.0
    np.testing.assert_array_equal(result, y + 1.0)


class Wrong(DistanceLoss):
    def value(self, xp, r):
        raise ValueError("no number is read here")


class Squares(PointwiseLoss):
    def value(self, xp, y, t):
        y -= t
        return y * y

    def derivative(self, xp, y, t):
        return 2 * (y - t)


def test_tensors_are_kept_or_the_change_is_told():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from torch.utils.flop_counter import FlopCounterMode

    from lossfw.bridges import torch as bridge

    loss = Squares()
    y, t = torch.arange(4.0), torch.ones(4)
    loss(y, t)
    assert y.tolist() == [0.0, 1.0, 2.0, 3.0]
    criterion = bridge.module(loss)
    y.requires_grad_()
    with pytest.raises(BodyError, match=r"^Squares\.value changes its argument y .*`y -= t`"):
        criterion(y, t)
    # Targets of inference mode are taken.
    with torch.inference_mode():
        of_inference = torch.ones(4)
    bridge.module("huber")(y, of_inference)
    # While operations are watched, as of a device, NumPy cannot compute.
    with (
        FlopCounterMode(display=False),
        pytest.raises(BodyError, match=r"^Squares has changed the tensors of the caller"),
    ):
        criterion(y, t)


def test_another_mistake_of_a_body_is_not_hidden():
    for count in (3, 5000):
        with pytest.raises(ValueError, match=r"^no number is read here$"):
            Wrong()(np.ones(count), np.ones(count))
