"""A class that is none: an error where it is seen, and NaN where a function is traced."""

import numpy as np
import pytest

import lossfw
from lossfw import DomainError, LossfwError
from support.loss_settings import ONE_OF_EACH

# PyTorch's own, as its compiler and forward differentiation look at functions.
pytestmark = [
    pytest.mark.filterwarnings("ignore:::torch"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

SHARES = np.asarray([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
# The second is below the classes, the third beyond them.
CLASSES, NONE = np.asarray([2, -1, 3, 0]), np.asarray([False, True, True, False])
LEGAL = np.where(NONE, 0, CLASSES)
CROSS = lossfw.loss("cross_entropy", from_logits=True)
WEIGHTED = lossfw.loss("class_weighted", of=CROSS, weights=[1.0, 2.0, 3.0])


def takes_index(loss):
    try:
        loss(SHARES, LEGAL)
    except LossfwError:
        return False
    return loss.takes_classes


CATEGORICAL = [
    *filter(takes_index, ONE_OF_EACH),
    WEIGHTED,
    lossfw.loss("class_weighted", of=CROSS, weights=[1.0, 2.0, 3.0], in_denominator=False),
    lossfw.loss("label_smoothed", of=CROSS),
    lossfw.loss("masked", of=CROSS, ignore=-100),
    0.5 * CROSS + lossfw.loss("focal_modulated", of=CROSS),
]


def each(loss):
    return lambda y, k: loss(y, k, reduction="none")


def expect_nan(losses, derivatives, loss):
    """Hold losses and derivatives to those of legal classes, and to NaN for the others."""
    wanted = each(loss)(SHARES, LEGAL), loss.gradient(SHARES, LEGAL, reduction="sum")
    for found, numbers in zip((losses, derivatives), wanted, strict=True):
        numbers = numbers.copy()
        numbers[NONE] = np.nan
        np.testing.assert_allclose(np.asarray(found), numbers, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", CATEGORICAL, ids=repr)
def test_jax(loss):
    jax = pytest.importorskip("jax")
    y, k = jax.numpy.asarray(SHARES), jax.numpy.asarray(CLASSES)
    losses, back = jax.jit(lambda y, k: jax.vjp(lambda y: each(loss)(y, k), y))(y, k)
    expect_nan(losses, back(jax.numpy.ones(4))[0], loss)


@pytest.mark.parametrize("loss", [CROSS, WEIGHTED], ids=repr)
def test_jax_with_what_it_knows(loss):
    jax = pytest.importorskip("jax")
    y, k = jax.numpy.asarray(SHARES), jax.numpy.asarray(CLASSES)
    assert np.isnan(jax.jit(loss)(y, k))
    kept = jax.numpy.asarray(~NONE)
    legal = loss(SHARES, LEGAL, where=~NONE)
    assert float(jax.jit(loss.__call__)(y, k, where=kept)) == pytest.approx(legal, rel=1e-5)
    derivative = jax.jit(jax.grad(lambda y, k, w: loss(y, k, where=w)))(y, k, kept)
    np.testing.assert_allclose(derivative, loss.gradient(SHARES, LEGAL, where=~NONE), atol=1e-6)
    for call in (loss, jax.grad(loss)):
        with pytest.raises(DomainError, match=r"target\[1\] = -1"):
            call(y, k)
        assert np.isfinite(np.asarray(call(y, jax.numpy.asarray(LEGAL)))).all()
    # The classes are known while the prediction is traced; the weights made of them are not.
    known = jax.jit(lambda y: loss(y, k))
    if loss is CROSS:
        with pytest.raises(DomainError, match=r"target\[1\] = -1"):
            known(y)
    else:
        assert np.isnan(known(y))


@pytest.mark.parametrize("loss", CATEGORICAL, ids=repr)
def test_torch_under_vmap(loss):
    torch = pytest.importorskip("torch")
    y, k = torch.tensor(SHARES), torch.tensor(CLASSES)
    derivatives, losses = torch.func.vmap(torch.func.grad_and_value(loss.__call__))(y, k)
    expect_nan(losses, derivatives, loss._without_own_weight())
    derivatives = loss._without_own_weight().gradient(SHARES, LEGAL, where=~NONE, reduction="sum")
    kept = torch.tensor(~NONE)
    found = torch.func.vmap(torch.func.grad(lambda y, k, w: loss(y, k, where=w, empty="zero")))(
        y, k, kept
    )
    np.testing.assert_allclose(found, derivatives, rtol=1e-12, atol=1e-15)
    with pytest.raises(DomainError, match=r"target\[1\] = -1"):
        loss(y, k)


COMPILED = [
    pytest.param(x, marks=() if x in CATEGORICAL[:1] else pytest.mark.slow, id=repr(x))
    for x in CATEGORICAL
]


@pytest.mark.parametrize("loss", COMPILED)
def test_torch_under_compile(loss):
    torch = pytest.importorskip("torch")
    torch.compiler.reset()
    y, k = torch.tensor(SHARES, requires_grad=True), torch.tensor(CLASSES)
    # What a loss keeps, it computes before it is compiled.
    each(loss)(y, torch.tensor(LEGAL))
    losses = torch.compile(each(loss), fullgraph=True, backend="aot_eager")(y, k)
    losses.sum().backward()
    expect_nan(losses.detach(), y.grad, loss)


def test_known_arrays_are_looked_at_while_a_function_of_others_is_traced():
    jax = pytest.importorskip("jax")
    y, t = jax.numpy.asarray([0.5, 0.2]), jax.numpy.asarray([1.0, 2.0])
    loss = lossfw.loss("binary_cross_entropy")
    with pytest.raises(DomainError, match=r"target\[1\] = 2"):
        jax.jit(lambda scale: scale * loss(y, t))(1.0)
    assert jax.jit(lambda scale: scale * loss(y, t / 2))(1.0) > 0
