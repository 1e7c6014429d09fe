"""Parameters are plain numbers: NumPy's are taken for them, and other arrays are refused."""

import numpy as np
import pytest

import lossfw
from lossfw import ParameterError
from support.loss_settings import ALL

NUMBERS = (np.array, np.float64, np.longdouble, lambda x: np.array(x, np.float64)[()])


def with_numbers_of_numpy(value, make):
    """Return a parameter with each number in it as one of NumPy."""
    if isinstance(value, tuple) and all(isinstance(part, float) for part in value):
        return np.array(value)
    return make(value) if isinstance(value, float) else value


@pytest.mark.parametrize("make", NUMBERS)
def test_numbers_of_numpy_are_numbers(make):
    for loss in ALL:
        given = {k: with_numbers_of_numpy(v, make) for k, v in loss.parameters.items()}
        again = type(loss)(**given)
        assert again == loss
        assert again.to_config() == loss.to_config()
        assert all(type(v) is type(loss.parameters[k]) for k, v in again.parameters.items())


def test_arrays_of_numpy_are_lists_and_factors():
    loss = lossfw.loss("class_weighted", of="cross_entropy", weights=np.array([1, 2]))
    assert loss.weights == (1.0, 2.0)
    huber = lossfw.loss("huber")
    assert np.array(2.0) * huber == huber * np.array(2.0) == 2.0 * huber
    with pytest.raises(ParameterError, match=r"Huber: delta should be a number, got \(2\.0,\)"):
        lossfw.loss("huber", delta=np.array([2.0]))
    with pytest.raises(ParameterError, match="delta should be a number, got True"):
        lossfw.loss("huber", delta=np.array(True))


def uses(number):
    """Yield calls that take a number as a parameter, and the name of the parameter."""
    huber = lossfw.loss("huber")
    yield lambda: type(huber)(delta=number), "delta"
    yield lambda: lossfw.loss({"name": "huber", "delta": number}), "delta"
    yield lambda: lossfw.loss("scaled", of={"name": "huber", "delta": number}, scale=2), "delta"
    yield lambda: lossfw.activation("elu", alpha=number), "alpha"
    yield lambda: huber.replace(delta=number), "delta"
    yield lambda: number * huber, "factor"
    yield lambda: huber / number, "divisor"
    weights = [1.0, number]
    yield (lambda: lossfw.loss("class_weighted", of="brier", weights=weights)), r"weights\[1\]"


def test_tensors_are_told_and_how_a_scale_learns():
    torch = pytest.importorskip("torch")
    for call, name in uses(torch.tensor(2.0)):
        with pytest.raises(ParameterError, match=rf"{name} is a Tensor of PyTorch.*float\({name}"):
            call()
    for call, name in uses(torch.nn.Parameter(torch.tensor(2.0))):
        told = rf"{name} is a Parameter of PyTorch.*would not be trained.*input / c, target / c"
        with pytest.raises(ParameterError, match=told):
            call()
    with pytest.raises(ParameterError, match=r"pass weights\.tolist\(\)"):
        lossfw.loss("class_weighted", of="brier", weights=torch.tensor([1.0, 2.0]))

    huber, y, t = lossfw.loss("huber"), torch.tensor([0.3, 4.0]), torch.tensor([0.1, 1.0])

    def scaled(c):
        return huber(y.double() / c, t.double() / c, reduction="sum")

    c = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(scaled, (c,))


def test_arrays_of_jax_are_told_and_traced_ones_above_all():
    jax = pytest.importorskip("jax")
    for call, name in uses(jax.numpy.asarray(2.0)):
        with pytest.raises(ParameterError, match=rf"{name} is a JAX array.*float\({name}"):
            call()
    y = jax.numpy.ones(2)
    for transform in (jax.jit, jax.grad, lambda f: lambda d: jax.vmap(f)(d[None])):

        def loss(delta):
            return lossfw.loss("huber", delta=delta)(y, 0 * y)

        with pytest.raises(
            ParameterError, match=r"(?s)delta is traced by JAX.*static_argnames='delta'"
        ):
            transform(loss)(jax.numpy.asarray(0.5))
    # As the message says.
    static = jax.jit(
        lambda y, delta: lossfw.loss("huber", delta=delta)(y, 0 * y), static_argnames="delta"
    )
    assert static(y, delta=0.5) == 0.375
