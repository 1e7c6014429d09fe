"""Automatic differentiation gives the published derivatives, at hard points and over rows."""

import numpy as np
import pytest

import lossfw
from lossfw import ArgumentError, CategoricalLoss, DistanceLoss, EmptyReductionError
from lossfw.components.spaces import LOGITS, REAL
from support.loss_settings import ALL, ONE_OF_EACH, arguments, smooth

# PyTorch's own, on the first use of forward differentiation.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")

CROSS = lossfw.loss("cross_entropy", from_logits=True)
LOGIT_ROWS = [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [3.0, 3.0, -4.0]]
CLASSES = [0, 2, 1]
OPTIONS = (
    {},
    {"sample_weight": [1.0, 2.0, 0.0]},
    {"where": [True, True, False]},
    {"sample_weight": [1.0, 2.0, 0.5], "where": [True, False, True], "denominator": "count"},
)
OF_ROWS = (
    CROSS,
    lossfw.loss("class_weighted", of=CROSS, weights=[1.0, 2.0, 0.5]),
    lossfw.loss("label_smoothed", of=CROSS),
    lossfw.loss("focal_modulated", of=CROSS) + 0.5 * CROSS,
)
# Each option alone, and all of them together for losses with weights of their own.
WEIGHTED = [(CROSS, options) for options in OPTIONS] + [(loss, OPTIONS[-1]) for loss in OF_ROWS[1:]]


def points(loss):
    """Return predictions and targets, equal logits among them."""
    y, t = arguments(loss)
    if loss.takes_rows and loss.prediction_space in (LOGITS, REAL):
        ties = np.zeros_like(y) if loss.name != "cosine_distance" else np.ones_like(y)
        y, t = np.concatenate([y, ties]), np.concatenate([t, t])
    return y, t


def as_arrays(make, options):
    return {k: make(v) if isinstance(v, list) else v for k, v in options.items()}


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax")
    from lossfw.losses.engine.jax_rules import double_precision

    with double_precision(True):
        yield jax


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_backward_gives_the_gradient_and_backward_again_the_curvature(torch, loss):
    y, t = points(loss)
    tensor, target = torch.tensor(y, requires_grad=True), torch.tensor(t)
    (derivative,) = torch.autograd.grad(loss(tensor, target), tensor, create_graph=True)
    wanted = loss.gradient(tensor.detach(), target)
    np.testing.assert_allclose(derivative.detach(), wanted, rtol=1e-13, atol=0)
    np.testing.assert_allclose(wanted, loss.gradient(y, t), rtol=1e-9, atol=1e-300)
    curvature = loss.hessian(y, t)
    if not loss.takes_rows:
        (second_derivative,) = torch.autograd.grad(derivative.sum(), tensor)
        np.testing.assert_allclose(second_derivative, curvature, rtol=1e-8, atol=1e-300)
        return
    inner = smooth(loss, y, t)
    for column in range(y.shape[-1]):
        (second_derivative,) = torch.autograd.grad(
            derivative[:, column].sum(), tensor, retain_graph=True
        )
        wanted = curvature[inner, column]
        np.testing.assert_allclose(second_derivative[inner, column], wanted, rtol=1e-7, atol=1e-13)


@pytest.mark.parametrize("loss", ONE_OF_EACH, ids=repr)
def test_jax_grad_gives_the_gradient_under_jit(jax, loss):
    y, t = points(loss)
    call = jax.jit(jax.grad(lambda y, t: loss(y, t, reduction="sum")))
    found = call(jax.numpy.asarray(y), jax.numpy.asarray(t))
    # At a root of the derivative the exponential of the library decides.
    wanted = loss.gradient(y, t, reduction="sum")
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(("loss", "options"), WEIGHTED, ids=str)
def test_weights_and_masks_under_jax(jax, loss, options):
    jnp = jax.numpy
    z, k = jnp.asarray(LOGIT_ROWS), jnp.asarray(CLASSES)
    # A row that is left out may hold anything.
    left_out = options.get("where", [True] * 3)[2]
    z = z if left_out else z.at[2, 0].set(jnp.nan)

    def call(z):
        return loss(z, k, **as_arrays(jnp.asarray, options))

    given = np.asarray(z), np.asarray(k)
    plain = as_arrays(np.asarray, options)
    assert float(jax.jit(call)(z)) == pytest.approx(loss(*given, **plain), rel=1e-12)
    np.testing.assert_allclose(
        jax.jit(jax.grad(call))(z), loss.gradient(*given, **plain), rtol=1e-12, atol=1e-15
    )
    whole = np.asarray(jax.hessian(call)(z)).reshape(9, 9)
    np.testing.assert_allclose(
        whole.diagonal().reshape(3, 3), loss.hessian(*given, **plain), rtol=1e-10, atol=1e-15
    )
    np.testing.assert_allclose(whole, whole.T, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize(("loss", "options"), WEIGHTED, ids=str)
def test_weights_and_masks_under_torch(torch, loss, options):
    z, k = torch.tensor(LOGIT_ROWS, dtype=torch.float64), torch.tensor(CLASSES)
    if not options.get("where", [True] * 3)[2]:
        z[2, 0] = torch.nan
    z.requires_grad_()
    given, plain = (z.detach().numpy(), k.numpy()), as_arrays(np.asarray, options)
    found = loss(z, k, **as_arrays(torch.tensor, options))
    found.backward()
    assert found.item() == pytest.approx(loss(*given, **plain), rel=1e-12)
    np.testing.assert_allclose(z.grad, loss.gradient(*given, **plain), rtol=1e-12, atol=1e-15)


class Bent(DistanceLoss):
    def value(self, xp, r):
        far = xp.abs(r) + 0.5 * xp.sign(r) * r
        return xp.where(xp.abs(r) < 1.0, xp.minimum(r * r, far), xp.maximum(far, 1.0 + 0.0 * r))


class Spread(CategoricalLoss):
    def value(self, xp, y, t):
        largest = xp.max(y, axis=-1, keepdims=True)
        return xp.sum((y - t) ** 2 * (1.0 + largest - y), axis=-1)


LOSSES = [*ONE_OF_EACH, Bent(), Spread()]


def rows(loss):
    """Return a few predictions and targets with their gradients and curvatures."""
    if isinstance(loss, Spread):
        y, t = np.asarray([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]), np.eye(3)[[2, 0]]
    else:
        y, t = (x[:6] for x in arguments(loss))
    return y, t, loss.gradient(y, t, reduction="none"), loss.hessian(y, t, reduction="none")


def summed(loss):
    return lambda y, t: loss(y, t, reduction="sum")


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_torch_maps_gradients_over_rows(torch, loss):
    func = torch.func
    y, t, derivatives, second_derivatives = rows(loss)
    given = torch.tensor(y), torch.tensor(t)
    each = func.vmap(func.grad(summed(loss)))(*given)
    np.testing.assert_allclose(each, derivatives, rtol=1e-13, atol=1e-15)
    for jacobian in (func.jacrev, func.jacfwd):
        whole = jacobian(lambda y, t: loss(y, t, reduction="none"))(*given)
        np.testing.assert_allclose(whole.sum(1), derivatives, rtol=1e-13, atol=1e-15)
    curved = func.vmap(func.hessian(summed(loss)))(*given)
    if loss.takes_rows:
        curved = curved.diagonal(dim1=1, dim2=2)[smooth(loss, y, t)]
        second_derivatives = second_derivatives[smooth(loss, y, t)]
    np.testing.assert_allclose(curved, second_derivatives, rtol=1e-7, atol=1e-12)


# A few, for seconds each: JAX can map every operation, which PyTorch cannot.
@pytest.mark.parametrize("loss", [*ONE_OF_EACH[::9], Bent(), Spread()], ids=repr)
def test_jax_maps_gradients_over_rows(jax, loss):
    y, t, derivatives, _ = rows(loss)
    each = jax.jit(jax.vmap(jax.grad(summed(loss))))(jax.numpy.asarray(y), jax.numpy.asarray(t))
    np.testing.assert_allclose(each, derivatives, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("loss", ONE_OF_EACH, ids=repr)
def test_no_array_is_made_beside_the_device_of_the_prediction(torch, loss):
    y, t = (torch.tensor(x, device="meta") for x in arguments(loss))
    y.requires_grad_()
    (derivative,) = torch.autograd.grad(loss(y, t), y, create_graph=True)
    derivative.sum().backward()
    assert y.grad.device.type == "meta"
    if loss.takes_classes and loss.name not in ("dice", "jaccard", "tversky"):
        index = torch.zeros(t.shape[:-1], dtype=torch.int64, device="meta")
        loss(y, index).backward()


@pytest.mark.parametrize("loss", ONE_OF_EACH, ids=repr)
def test_jax_without_float64_warns_of_nothing(loss):
    jax = pytest.importorskip("jax")
    from lossfw.losses.engine.jax_rules import double_precision

    y, t = (x.astype(np.float32) for x in points(loss))
    with double_precision(False):
        found = jax.jit(loss)(jax.numpy.asarray(y), jax.numpy.asarray(t))
    assert found.dtype == np.float32
    # Without float64 the guard's 1e-7 beside 1 is rounded too; what overflows may be NaN.
    wanted = loss(y, t)
    assert float(found) == pytest.approx(wanted, rel=1e-2) or np.isinf(wanted)


COMPILED = ("huber", "tukey", "logistic", "brier", "cross_entropy", "binary_cross_entropy", "focal")


# The compiler's own warnings, as it looks at autograd.Function and at cached functions.
@pytest.mark.filterwarnings("ignore:::torch")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("name", COMPILED)
def test_a_call_compiles_whole(torch, name):
    loss = lossfw.loss(name)
    loss = loss.on_raw_outputs() or loss
    y, t = map(torch.tensor, arguments(loss))
    torch.compiler.reset()
    compiled = torch.compile(loss.__call__, fullgraph=True, backend="aot_eager")
    y.requires_grad_()
    found = compiled(y, t)
    found.backward()
    assert found.item() == loss(y.detach(), t).item()
    np.testing.assert_allclose(y.grad, loss.gradient(y.detach(), t), rtol=1e-14, atol=1e-300)


def test_the_target_of_a_residual_has_a_derivative_and_other_targets_have_none(torch, jax):
    huber, poisson = lossfw.loss("huber"), lossfw.loss("poisson_deviance")
    y = torch.tensor([1.0, 5.0], requires_grad=True)
    t = torch.tensor([1.5, 1.0], requires_grad=True)
    huber(y, t, reduction="sum").backward()
    assert t.grad.tolist() == [0.5, -1.0]
    assert jax.grad(huber, 1)(jax.numpy.asarray([4.0]), jax.numpy.asarray([0.0])) == -1.0
    with pytest.raises(ArgumentError, match=r"only with respect to the prediction.*target\.detach"):
        poisson(y, t)

    def forward(loss, wrap=lambda f: f):
        derivative = torch.func.jacfwd(lambda y, t: loss(y, t, reduction="sum"), argnums=1)
        return wrap(derivative)(y.detach(), t.detach()).tolist()

    for wrap in (lambda f: f, torch.func.vmap):
        assert forward(huber, wrap) == [0.5, -1.0]
        with pytest.raises(ArgumentError, match="only with respect to the prediction"):
            forward(poisson, wrap)
    with pytest.raises(ArgumentError, match="only with respect to the prediction"):
        jax.grad(poisson, 1)(jax.numpy.asarray([4.0]), jax.numpy.asarray([1.0]))


def test_weights_have_a_derivative_through_both_sums(torch):
    z, k = torch.tensor(LOGIT_ROWS, dtype=torch.float64), torch.tensor(CLASSES)
    w = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    CROSS(z, k, sample_weight=w).backward()
    each = CROSS(z, k, reduction="none")
    mean = (w * each).sum() / w.sum()
    np.testing.assert_allclose(w.grad, ((each - mean) / w.sum()).detach(), rtol=1e-12)


def test_a_mean_of_nothing(torch, jax):
    z, k = torch.tensor(LOGIT_ROWS), torch.tensor(CLASSES)
    with pytest.raises(EmptyReductionError):
        CROSS(z, k, sample_weight=torch.zeros(3))
    z, k, w = map(jax.numpy.asarray, (LOGIT_ROWS, CLASSES, [0.0, 0.0, 0.0]))
    # Under jit no one can see that it is empty.
    for empty, wanted in (("raise", np.nan), ("nan", np.nan), ("zero", 0.0)):
        call = jax.jit(lambda w, empty=empty: CROSS(z, k, sample_weight=w, empty=empty))
        np.testing.assert_equal(float(call(w)), wanted)
