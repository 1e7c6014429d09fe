"""Tasks: a weighted sum over columns, each with a loss of its own."""

import numpy as np
import pytest

import lossfw
from lossfw import DomainError, LossfwError
from lossfw.check import check
from lossfw.losses.wrappers import Tasks

SPEC = {
    "price": "huber",
    "sold": {"name": "logistic", "weight": 2.0},
    "kind": {"name": "cross_entropy", "from_logits": True},
    "demand": "crps_normal",
}
LOSS = lossfw.loss({"name": "tasks", "of": SPEC})
RNG = np.random.default_rng(3)
N = 12
Y = RNG.normal(size=(N, 7))
KIND = RNG.integers(0, 3, N)
T = np.stack([RNG.normal(size=N), RNG.choice([-1.0, 1.0], N), KIND, RNG.normal(size=N)], -1)
PARTS = [
    (1.0, lossfw.loss("huber"), Y[:, 0], T[:, 0]),
    (2.0, lossfw.loss("logistic"), Y[:, 1], T[:, 1]),
    (1.0, lossfw.loss("cross_entropy", from_logits=True), Y[:, 2:5], KIND),
    (1.0, lossfw.loss("crps_normal"), Y[:, 5:], T[:, 3]),
]


def test_the_value_is_the_weighted_sum_and_derivatives_lie_side_by_side():
    columns = ("price", "sold", "kind", "demand_location", "demand_log_scale")
    assert LOSS.prediction_space.names == columns
    assert LOSS.target_space.names == ("price", "sold", "kind", "demand")
    losses = sum(w * loss(y, t, reduction="none") for w, loss, y, t in PARTS)
    assert LOSS(Y, T, reduction="none") == pytest.approx(losses, rel=1e-15)
    for name in ("gradient", "hessian"):
        each = [w * getattr(loss, name)(y, t, reduction="sum") for w, loss, y, t in PARTS]
        beside = np.concatenate([x.reshape(N, -1) for x in each], axis=1)
        assert getattr(LOSS, name)(Y, T, reduction="sum") == pytest.approx(beside, rel=1e-14)
    assert LOSS.exact(Y[:2], T[:2]).astype(float) == pytest.approx(losses[:2], rel=1e-15)


def test_torch():
    torch = pytest.importorskip("torch")
    derivative = LOSS.gradient(Y, T, reduction="sum")
    y = torch.tensor(Y, requires_grad=True)
    LOSS(y, torch.tensor(T), reduction="sum").backward()
    assert y.grad.numpy() == pytest.approx(derivative, rel=1e-12)


def test_jax():
    jax = pytest.importorskip("jax")
    derivative = LOSS.gradient(Y, T, reduction="sum")
    with jax.enable_x64(True):
        found = jax.grad(lambda y: LOSS.unchecked(y, jax.numpy.asarray(T), reduction="sum"))(Y)
        assert np.asarray(found) == pytest.approx(derivative, rel=1e-12)


def test_a_configuration_builds_it_again():
    assert lossfw.loss(LOSS.to_config()) == LOSS
    assert hash(lossfw.loss(LOSS.to_config())) == hash(LOSS)
    price = Tasks(of={"price": lossfw.loss("huber")}).to_config()
    assert price == {"name": "tasks", "of": {"price": {"name": "huber"}}}


def test_claims_follow_from_those_of_the_losses():
    loss = Tasks(of={"a": "squared_error", "b": 3.0 * lossfw.loss("squared_error")})
    claims = loss.claims()
    assert (claims.strongly_convex, claims.gradient_lipschitz) == (2.0, 6.0)
    assert claims.strictly_convex
    assert LOSS.claims().strictly_convex is None
    checks = ["gradient", "claim:convex", "claim:strongly_convex", "claim:gradient_lipschitz"]
    assert check(loss, examples=24, only=checks).refuted == []


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (1, 0.5, "target.sold[0] = 0.5 lies outside SIGN"),
        (2, 3.0, "target.kind[0] = 3 is not a class: the prediction has 3 columns"),
        (2, 1.5, "target.kind[0] = 1.5 lies outside COUNT"),
        (2, np.inf, "target.kind[0] = inf is not a class"),
    ],
)
def test_a_wrong_target_is_named_by_its_column(column, value, message):
    t = T.copy()
    t[0, column] = value
    with pytest.raises(DomainError) as error:
        LOSS(Y, t)
    assert message in str(error.value)
    t[0, 2] = np.nan
    t[0, 1] = 1.0
    assert np.isnan(LOSS(Y, t))


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({}, "a mapping of names to losses"),
        (["huber"], "a mapping of names to losses"),
        ({"a": "cox"}, "a: cox is a loss of groups of rows"),
        ({"a": "cosine_distance"}, "a: cosine_distance has rows as targets"),
        ({"a": {"name": "huber", "per": "row"}}, "a: huber is a loss of the sum over a row"),
        ({"a": {"name": "masked", "of": "huber", "ignore": -1}}, "masked cannot be inside tasks"),
        ({"class": "huber"}, "'class' cannot name a column"),
        ({"a": "hubr"}, "Did you mean 'huber'"),
    ],
)
def test_what_has_no_column_is_refused(of, message):
    with pytest.raises(LossfwError, match=message):
        Tasks(of=of)
