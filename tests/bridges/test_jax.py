"""Losses as functions of JAX: jit, grad, vmap, and parity with optax."""

import pickle

import numpy as np
import pytest

from lossfw import ArgumentError, DomainError, ShapeError
from lossfw.bridges import jax as bridge

jax = pytest.importorskip("jax")
jnp = jax.numpy

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(20, 5)).astype(np.float32)
CLASSES = RNG.integers(0, 5, 20)
SOFT = RNG.dirichlet(np.ones(5), 20).astype(np.float32)
NUMBERS, TARGETS = LOGITS[:, 0], LOGITS[:, 1]
BITS = (TARGETS > 0).astype(np.float32)

# Loss of lossfw -> the name in optax, with arguments and options.
PARITY = {
    "classes": ("cross_entropy", "softmax_cross_entropy_with_integer_labels", LOGITS, CLASSES, {}),
    "soft": ("cross_entropy", "softmax_cross_entropy", LOGITS, SOFT, {}),
    "binary": ("binary_cross_entropy", "sigmoid_binary_cross_entropy", NUMBERS, BITS, {}),
    "huber": ({"name": "huber", "delta": 0.7}, "huber_loss", NUMBERS, TARGETS, {"delta": 0.7}),
    "squared": ("squared_error", "squared_error", NUMBERS, TARGETS, {}),
    "log_cosh": ("log_cosh", "log_cosh", NUMBERS, TARGETS, {}),
    "hinge": ("hinge", "hinge_loss", NUMBERS, np.sign(TARGETS), {}),
}


@pytest.mark.parametrize("name", PARITY)
def test_parity_with_optax(name):
    optax = pytest.importorskip("optax")
    loss, own, y, t, options = PARITY[name]
    function, peer = bridge.function(loss), getattr(optax, own)
    gradients = (
        jax.jit(jax.grad(lambda y: function(y, t).mean()))(y),
        jax.grad(lambda y: peer(y, t, **options).mean())(y),
    )
    for found, wanted in ((function(y, t), peer(y, t, **options)), gradients):
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_equal_losses_are_traced_once():
    traced = []

    def step(loss, y):
        traced.append(loss)
        return loss(y, 0 * y).sum()

    step = jax.jit(step, static_argnums=0)
    y = jnp.asarray(NUMBERS)
    assert step(bridge.function({"name": "huber", "delta": 2}), y) == step(
        bridge.function({"name": "huber", "delta": 2.0}), y
    )
    assert len(traced) == 1
    assert bridge.function("huber").__name__ == "huber"


def test_where_leaves_out_what_it_holds():
    y = jnp.asarray(NUMBERS).at[3].set(jnp.nan)
    kept = jnp.isfinite(y)
    function = bridge.function("cauchy")
    gradient = jax.jit(jax.grad(lambda y: function(y, TARGETS, where=kept).sum()))(y)
    assert gradient[3] == 0
    assert jnp.isfinite(gradient).all()


def test_half_precision_keeps_its_dtype():
    y = jnp.asarray(LOGITS, jnp.bfloat16)
    function = bridge.function("cross_entropy")
    losses = function(y, CLASSES)
    assert losses.dtype == jnp.bfloat16
    assert jax.grad(lambda y: function(y, CLASSES).sum())(y).dtype == jnp.bfloat16


def test_shapes_are_checked_and_nothing_is_broadcast():
    with pytest.raises(ShapeError, match="Nothing is broadcast"):
        bridge.function("huber")(jnp.zeros((3, 1)), jnp.zeros(3))
    with pytest.raises(ArgumentError, match="gradient of zero_one is 0"):
        bridge.function("zero_one")
    again = pickle.loads(pickle.dumps(bridge.function("huber")))
    assert again == bridge.function("huber")


def test_a_training_step_under_scan_with_classes_along_another_axis():
    x, k = jnp.asarray(LOGITS), jnp.asarray(CLASSES)
    function = bridge.function("cross_entropy", class_axis=0)

    def step(w, _):
        value, gradient = jax.value_and_grad(lambda w: function((x @ w).T, k).mean())(w)
        return w - gradient, value

    _, values = jax.lax.scan(step, jnp.zeros((5, 5)), None, length=30)
    assert values[0] == pytest.approx(np.log(5))
    assert values[-1] < values[0] - 0.1


def test_values_are_looked_at_where_they_are_known():
    function, wrong = bridge.function("cross_entropy"), CLASSES.copy()
    wrong[7] = 5
    for call in (function, lambda z, k: jax.grad(lambda z: function(z, k).sum())(z)):
        with pytest.raises(DomainError, match=r"target\[7\] = 5"):
            call(LOGITS, wrong)
    kept = np.arange(20) != 7
    assert jnp.isfinite(function(LOGITS, wrong, where=kept)).all()
    assert np.flatnonzero(jnp.isnan(jax.jit(function)(LOGITS, wrong))).tolist() == [7]
    with pytest.raises(DomainError, match="lies outside UNIT"):
        bridge.function("binary_cross_entropy", fuse=False)(LOGITS[:, 0], SOFT[:, 0])
    unchecked = bridge.function("cross_entropy", check=False)
    assert unchecked(LOGITS, wrong).shape == (20,)
    assert unchecked != function
