"""Parameters and losses that other libraries have, against their own numbers."""

import math
import os

import numpy as np
import pytest

import lossfw

# Keras reads it when it is imported.
os.environ.setdefault("KERAS_BACKEND", "torch")

RNG = np.random.default_rng(5)
Z = RNG.normal(size=60) * 4
COUNTS = RNG.poisson(3.0, size=60).astype(float)
SHARES = RNG.random(60)
SCORES = RNG.normal(size=(60, 5)) * 2
CLASSES = RNG.integers(0, 5, 60)
SOFT = RNG.dirichlet(np.ones(5), 60)


def both_of_torch(function, y, t):
    """Return the values of PyTorch, and their slopes."""
    torch = pytest.importorskip("torch")
    prediction = torch.tensor(y, requires_grad=True)
    values = function(prediction, torch.tensor(t))
    values.sum().backward()
    return values.detach().numpy(), prediction.grad.numpy()


def assert_same(loss, y, t, wanted):
    value, slope = wanted
    np.testing.assert_allclose(loss(y, t, reduction="none"), value, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(loss.gradient(y, t, reduction="sum"), slope, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("weight", [0.2, 1.0, 7.0])
@pytest.mark.parametrize("t", [SHARES, np.round(SHARES)], ids=["soft", "hard"])
def test_pos_weight_is_that_of_torch(weight, t):
    torch = pytest.importorskip("torch")
    criterion = torch.nn.BCEWithLogitsLoss(
        pos_weight=torch.tensor(weight, dtype=torch.float64), reduction="none"
    )
    loss = lossfw.loss("binary_cross_entropy", from_logits=True, pos_weight=weight)
    assert_same(loss, Z, t, both_of_torch(criterion, Z, t))
    # The mean is over elements, there too.
    assert loss(Z, t) == pytest.approx(float(np.mean(loss(Z, t, reduction="none"))), rel=1e-14)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.7])
def test_label_smoothing_is_that_of_keras(share):
    keras = pytest.importorskip("keras")
    t = np.round(SHARES)
    for logits, y in ((True, Z), (False, 0.05 + 0.9 * SHARES)):
        wanted = [
            float(keras.losses.binary_crossentropy([a], [b], logits, label_smoothing=share))
            for a, b in zip(t.astype("float32"), y.astype("float32"), strict=True)
        ]
        loss = lossfw.loss(
            "binary_cross_entropy", from_logits=logits, label_smoothing=share, guard="none"
        )
        np.testing.assert_allclose(loss(y, t, reduction="none"), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weight", [0.01, 1.0, 3.0, 100.0])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_the_constants_of_a_weighted_cross_entropy_are_tight(weight, share):
    ends = np.geomspace(1e-9, 0.5, 700)
    inner = np.unique(np.concatenate([[0.0, 1.0], ends, 1 - ends]))
    for guard in ("normalised", "additive", "floor", "none"):
        for delta in (1e-3, 0.3, 0.8):
            kinks = [delta, np.nextafter(delta, 0), 1 - delta, np.nextafter(1 - delta, 1)]
            y = np.concatenate([inner, kinks]) if guard == "floor" else inner
            loss = lossfw.loss("binary_cross_entropy", guard=guard, delta=delta,
                               pos_weight=weight, label_smoothing=share)  # fmt: skip
            _assert_tight(loss, y, bends=guard != "floor")
    z = np.linspace(-60, 60, 4001)
    loss = lossfw.loss("binary_cross_entropy", from_logits=True, pos_weight=weight,
                       label_smoothing=share)  # fmt: skip
    _assert_tight(loss, z, bends=True)
    assert (loss.curvature_bound(np, z, 0 * z) * (1 + 1e-12) >= loss.hessian(z, 0 * z)).all()


def _assert_tight(loss, y, *, bends):
    pairs = [np.tile(y, 3), np.repeat([0.0, 0.3, 1.0], len(y))]
    with np.errstate(all="ignore"):
        values = loss(*pairs, reduction="none")
        slopes, curves = (
            loss.gradient(*pairs, reduction="sum"),
            loss.hessian(*pairs, reduction="sum"),
        )
    claims = loss.claims()
    found = {"bounded": values.max(), "lipschitz": np.abs(slopes).max()}
    if bends:
        found |= {"gradient_lipschitz": curves.max(), "strongly_convex": curves.min()}
    if loss.guard == "additive":
        found["lower_bound"] = values.min()
    for name, one in found.items():
        claimed = getattr(claims, name)
        if claimed is not None:
            assert one == pytest.approx(claimed, rel=1e-3, abs=1e-7), (loss, name)


def test_a_weighted_cross_entropy_claims_what_it_is():
    def claims(**parameters):
        return lossfw.loss("binary_cross_entropy", **parameters).claims()

    assert claims(guard="none").strictly_proper
    for changed in ({"pos_weight": 2.0}, {"label_smoothing": 0.1}):
        assert not claims(guard="none", **changed).proper
        assert claims(guard="none", **changed).elicits is None
        assert claims(**changed).linear_in_target
        assert claims(from_logits=True, **changed).strictly_convex
    assert claims(label_smoothing=0.1).calibrated
    assert not claims(pos_weight=2.0).calibrated


@pytest.mark.parametrize("margin", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("power", [1, 2])
def test_multi_margin_is_that_of_torch(power, margin):
    torch = pytest.importorskip("torch")
    criterion = torch.nn.MultiMarginLoss(p=power, margin=margin, reduction="none")
    loss = lossfw.loss("multiclass_hinge", form="multi_margin", power=power, margin=margin)
    wanted = both_of_torch(criterion, SCORES, CLASSES)
    assert_same(loss, SCORES, CLASSES, wanted)
    assert_same(loss, SCORES, np.eye(5)[CLASSES], wanted)
    # The other forms are multiples and parts of it.
    every = loss.replace(form="weston_watkins")
    np.testing.assert_allclose(every(SCORES, CLASSES, reduction="none"), 5 * wanted[0])
    assert loss.replace(form="crammer_singer")(SCORES, SOFT) <= every(SCORES, SOFT)


@pytest.mark.parametrize("form", ["crammer_singer", "weston_watkins", "multi_margin"])
def test_squares_of_violations_have_their_second_derivative(form):
    loss = lossfw.loss("multiclass_hinge", form=form, power=2, margin=0.7)
    step = 1e-5
    for target in (CLASSES, SOFT):
        bends = loss.hessian(SCORES, target, reduction="sum")
        for k, unit in enumerate(np.eye(5) * step):
            ahead, behind = (
                loss.gradient(SCORES + sign * unit, target, reduction="sum") for sign in (1, -1)
            )
            found = (ahead - behind)[:, k] / (2 * step)
            assert np.mean(np.abs(found - bends[:, k]) > 1e-6) < 0.01  # a kink is passed


def test_hinge_embedding_is_that_of_torch():
    torch = pytest.importorskip("torch")
    distance, alike = np.abs(Z), np.where(SHARES < 0.5, -1.0, 1.0)
    for margin in (0.5, 1.0, 3.0):
        criterion = torch.nn.HingeEmbeddingLoss(margin=margin, reduction="none")
        loss = lossfw.loss("hinge_embedding", margin=margin)
        assert_same(loss, distance, alike, both_of_torch(criterion, distance, alike))
    with pytest.raises(lossfw.errors.DomainError, match="NONNEGATIVE"):
        lossfw.loss("hinge_embedding")([-0.5], [1])
    slopes = lossfw.loss("hinge_embedding").gradient([1.0, 1.0, math.nan], [-1, 1, 1])
    assert np.array_equal(slopes * 3, [0.0, 1.0, math.nan], equal_nan=True)


def test_poisson_nll_is_that_of_torch():
    torch = pytest.importorskip("torch")
    for log, link, y in ((True, "log", Z), (False, "identity", np.exp(Z))):
        criterion = torch.nn.PoissonNLLLoss(log_input=log, eps=0.0, reduction="none")
        loss = lossfw.loss("poisson_nll", link=link)
        assert_same(loss, y, COUNTS, both_of_torch(criterion, y, COUNTS))
        # PyTorch adds Stirling's formula above 1, which lacks 1 / (12 t), and nothing up to 1.
        full = torch.nn.PoissonNLLLoss(log_input=log, eps=0.0, full=True, reduction="none")
        theirs, _ = both_of_torch(full, y, COUNTS)
        ours = loss.replace(full=True)(y, COUNTS, reduction="none")
        t = np.maximum(COUNTS, 1.0)
        assert (np.abs(ours - theirs) <= np.where(COUNTS > 1, 1 / (12 * t), 1e-12)).all()


def test_poisson_nll_is_that_of_keras():
    keras = pytest.importorskip("keras")
    y = np.exp(0.3 * Z).astype("float32")
    wanted = [
        float(keras.losses.poisson([t], [one]))
        for t, one in zip(COUNTS.astype("float32"), y, strict=True)
    ]
    found = lossfw.loss("poisson_nll")(y, COUNTS, reduction="none")
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_poisson_nll_is_that_of_scikit_learn():
    losses = pytest.importorskip("sklearn._loss.loss")
    wanted = losses.HalfPoissonLoss().loss(COUNTS, Z)
    on_logits = lossfw.loss("poisson_nll", link="log")
    np.testing.assert_allclose(on_logits(Z, COUNTS, reduction="none"), wanted, rtol=1e-12)


@pytest.mark.parametrize("link", ["identity", "log"])
def test_the_full_likelihood_is_the_logarithm_of_a_chance(link):
    t = np.array([0, 1, 2, 7, 40, 3, 3], float)
    mean = np.array([0.5, 1.0, 2.5, 7.0, 30.0, 1e-3, 50.0])
    chances = [m**k * math.exp(-m) / math.factorial(int(k)) for m, k in zip(mean, t, strict=True)]
    y = mean if link == "identity" else np.log(mean)
    found = lossfw.loss("poisson_nll", link=link, full=True)(y, t, reduction="none")
    np.testing.assert_allclose(found, -np.log(chances), rtol=1e-12)


def test_the_negative_likelihood_is_half_a_deviance_and_a_function_of_the_target():
    y, t = np.exp(Z), np.append(COUNTS[1:], 0.5)
    half = 0.5 * lossfw.loss("poisson_deviance")(y, t, reduction="none")
    rest = t - t * np.log(np.where(t > 0, t, 1.0))
    np.testing.assert_allclose(
        lossfw.loss("poisson_nll")(y, t, reduction="none"), half + rest, rtol=1e-12, atol=1e-12
    )
    for order in ("gradient", "hessian"):
        ours, theirs = (
            getattr(lossfw.loss(name), order)(y, t) for name in ("poisson_nll", "poisson_deviance")
        )
        np.testing.assert_allclose(2 * ours, theirs, rtol=1e-15)


@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 1.0, 30.0])
def test_poly_cross_entropy_of_logits_is_that_of_optax(epsilon):
    optax, jax = pytest.importorskip("optax"), pytest.importorskip("jax")
    loss = lossfw.loss("poly_cross_entropy", epsilon=epsilon, from_logits=True)
    for target, rows in ((CLASSES, np.eye(5)[CLASSES]), (SOFT, SOFT)):

        def summed(z, rows=rows):
            return optax.losses.poly_loss_cross_entropy(z, rows, epsilon=epsilon).sum()

        value, slope = jax.value_and_grad(summed)(SCORES.astype("float32"))
        assert float(loss(SCORES, target, reduction="sum")) == pytest.approx(float(value), rel=1e-5)
        found = loss.gradient(SCORES, target, reduction="sum")
        np.testing.assert_allclose(found, slope, rtol=1e-4, atol=3e-5 * (1 + abs(epsilon)))
    softmax = np.exp(SCORES) / np.exp(SCORES).sum(-1, keepdims=True)
    of_chances = lossfw.loss("poly_cross_entropy", epsilon=epsilon)
    assert loss(SCORES, SOFT) == pytest.approx(of_chances(softmax, SOFT), rel=1e-12)


def test_poly_cross_entropy_of_logits_keeps_the_digits_of_a_sure_prediction():
    # With q the chance of the other class, -log(1 - q) - q is q^2 / 2 and more.
    loss = lossfw.loss("poly_cross_entropy", epsilon=-1.0, from_logits=True)
    q = math.exp(-40) / (1 + math.exp(-40))
    assert loss([[40.0, 0.0]], [0]) == pytest.approx(q * q / 2, rel=1e-14)
    assert loss.gradient([[40.0, 0.0]], [0])[0] == pytest.approx([-q * q, q * q], rel=1e-14)


@pytest.mark.parametrize("epsilon", [-1.0, 1.0, 3.0, 1e3])
def test_the_slope_of_poly_cross_entropy_at_logits_reaches_its_bound(epsilon):
    loss = lossfw.loss("poly_cross_entropy", epsilon=epsilon, from_logits=True)
    z = np.zeros((4001, 2))
    z[:, 0] = np.linspace(-40, 40, 4001)
    slopes = loss.gradient(z, np.zeros(4001, int), reduction="sum")
    bound = loss.claims().lipschitz
    assert 0.999 * bound <= np.linalg.norm(slopes, axis=1).max() <= bound * (1 + 1e-12)
    assert loss.claims().convex == (epsilon <= 1 or None)
