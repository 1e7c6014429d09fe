"""Losses of named columns and vectors: shapes, derivatives, exact truth, other libraries."""

import numpy as np
import pytest

import lossfw
from lossfw import (
    BINARY,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    UNIT,
    VECTOR,
    ArgumentError,
    CategoricalLoss,
    Columns,
    DistanceLoss,
    DistributionLoss,
    DomainError,
    ParameterError,
    PointwiseLoss,
    ShapeError,
    Vector,
)
from lossfw.numerics import apply_where, computed_in_float64


class Gamma(PointwiseLoss):
    prediction, target = Columns.of(shape=POSITIVE, log_rate=REAL), POSITIVE

    def value(self, xp, y, t):
        return t * xp.exp(y.log_rate) - y.shape * (y.log_rate + xp.log(t))


class WrittenGamma(Gamma):
    def derivative(self, xp, y, t):
        rate = xp.exp(y.log_rate)
        return {"log_rate": t * rate - y.shape, "shape": -(y.log_rate + xp.log(t))}

    def second_derivative(self, xp, y, t):
        return 0.0 * t, t * xp.exp(y.log_rate)

    def curvature_bound(self, xp, y, t):
        return {"shape": 0.0 * t, "log_rate": t}


class Exponential(PointwiseLoss):
    prediction, target = REAL, Columns.of(time=NONNEGATIVE, event=BINARY)

    def value(self, xp, y, t):
        return t.time * xp.exp(y) - t.event * y


class Pinball(PointwiseLoss):
    prediction, target = Vector.of(REAL, size=3), REAL

    def value(self, xp, y, t):
        r = t[..., None] - y
        level = xp.asarray([0.1, 0.5, 0.9], dtype=y.dtype)
        return xp.sum(xp.maximum(level * r, (level - 1) * r), axis=-1)


class Triplet(PointwiseLoss):
    prediction = Columns.of(anchor=VECTOR, positive=VECTOR, negative=VECTOR)
    target = UNIT

    def value(self, xp, y, t):
        near, far = ((y.anchor - x) ** 2 for x in (y.positive, y.negative))
        gap = xp.sum(near, axis=-1) - xp.sum(far, axis=-1) + t
        return xp.logaddexp(gap, xp.zeros_like(gap))


RNG = np.random.default_rng(7)
N = 40
CASES = {
    "columns": (Gamma(), np.exp(RNG.normal(size=(N, 2))), np.exp(RNG.normal(size=N))),
    "written": (WrittenGamma(), np.exp(RNG.normal(size=(N, 2))), np.exp(RNG.normal(size=N))),
    "target": (
        Exponential(),
        RNG.normal(size=N),
        np.stack([RNG.exponential(size=N), RNG.integers(0, 2, N)], -1),
    ),
    "vector": (Pinball(), RNG.normal(size=(N, 3)), RNG.normal(size=N)),
    "vectors": (Triplet(), RNG.normal(size=(N, 3, 2)), RNG.random(N)),
}
every_case = pytest.mark.parametrize(("loss", "y", "t"), CASES.values(), ids=CASES)


def by_differences(loss, y, t):
    """Return the gradient of the sum, by central differences."""
    found = np.zeros(y.size)
    for place in range(y.size):
        step = np.zeros(y.size)
        step[place] = 1e-6
        step = step.reshape(y.shape)
        up, down = (loss(x, t, reduction="sum") for x in (y + step, y - step))
        found[place] = (up - down) / 2e-6
    return found.reshape(y.shape)


@every_case
def test_one_loss_for_each_row_with_derivatives_and_exact_truth(loss, y, t):
    losses = loss(y, t, reduction="none")
    assert losses.shape == (N,)
    gradient, hessian = loss.gradient(y, t, reduction="sum"), loss.hessian(y, t, reduction="sum")
    assert gradient.shape == hessian.shape == y.shape
    assert gradient == pytest.approx(by_differences(loss, y, t), rel=1e-5, abs=1e-5)
    few = y[:3], t[:3]
    assert loss.exact(*few).astype(float) == pytest.approx(losses[:3], rel=1e-14)
    for order, found in (1, gradient), (2, hessian):
        exact = loss.exact(*few, derivative=order).astype(float)
        assert found[:3] == pytest.approx(exact, rel=1e-12, abs=1e-14)
    out = np.empty_like(y)
    value, both = loss.value_and_gradient(y, t, reduction="sum", out=out)
    assert both is out
    assert (both == gradient).all()
    assert value == loss(y, t, reduction="sum")


def test_decorated_bodies_take_columns():
    class Decorated(Gamma):
        @computed_in_float64
        def value(self, xp, y, t):
            plain = Gamma.value(self, xp, y, t)
            assert plain.dtype == np.float64
            rest = lambda xp, y, t: Gamma.value(self, xp, y, t) + 10.0  # noqa: E731
            return apply_where(xp, plain, y.shape > 1.0, rest, y, t)

        @computed_in_float64
        def derivative(self, xp, y, t):
            return WrittenGamma.derivative(self, xp, y, t)

    _, y, t = CASES["columns"]
    y32, t32 = y.astype(np.float32), t.astype(np.float32)
    found = Decorated()(y32, t32, reduction="none")
    assert found.dtype == np.float32
    wanted = Gamma()(y, t, reduction="none") + 10.0 * (y[:, 0] > 1)
    assert found == pytest.approx(wanted, rel=1e-5)
    assert Decorated().gradient(y32, t32, reduction="sum").dtype == np.float32


@pytest.mark.parametrize(
    ("loss", "y", "t", "message"),
    [
        (Gamma(), [[1.0, 1.0, 1.0]], [1.0], "has 3 columns; expected 2: shape, log_rate"),
        (Gamma(), [[1.0, 1.0]], [[1.0]], r"target \(1, 1\); the target should have \(1,\)"),
        (Gamma(), 1.0, 1.0, r"prediction has shape \(\); expected \(..., 2\), of Columns\(shape=P"),
        (Exponential(), [1.0], [[1.0]], "target has 1 column; expected 2: time, event"),
        (Exponential(), [1.0, 2.0], [1.0, 0.0], r"the target should have \(2, 2\), of Columns\("),
        (Exponential(), [[1.0]], [[1.0, 0.0]], r"prediction.squeeze\(-1\) makes them agree"),
        (Pinball(), [[1.0, 1.0]], [1.0], "prediction has 2 columns; expected 3."),
        (Triplet(), np.ones((4, 2, 5)), np.ones(4), r"expected \(..., 3, D\), of Columns\(anc"),
        (Triplet(), np.ones((4, 3)), np.ones(4), r"has shape \(4, 3\); expected \(..., 3, D\)"),
    ],
)  # fmt: skip
def test_other_shapes_are_refused(loss, y, t, message):
    with pytest.raises(ShapeError, match=message):
        loss(y, t)


@pytest.mark.parametrize(
    ("loss", "y", "t", "message"),
    [
        (Gamma(), [[1.0, 1.0], [-2.0, 1.0]], [1.0, 1.0], "prediction.shape[1] = -2 lies outside"),
        (Gamma(), [-2.0, 1.0], 1.0, "prediction.shape = -2 lies"),
        (Exponential(), [1.0, 1.0], [[1.0, 1.0], [1.0, 2.0]], "target.event[1] = 2 lies outside"),
        (Exponential(), [[1.0, 1.0]], [[[1.0, 1.0], [-1.0, 0.0]]], "target.time[0, 1] = -1 lies"),
    ],
)  # fmt: skip
def test_members_outside_are_named_by_column(loss, y, t, message):
    with pytest.raises(DomainError) as error:
        loss(y, t)
    assert message in str(error.value)
    torch = pytest.importorskip("torch")
    with pytest.raises(DomainError, match=message.split("[")[0].split(" ")[0]):
        loss(torch.tensor(y), torch.tensor(t))


def test_wrappers_bounds_and_other_kinds_of_columns():
    loss, y, t = CASES["written"]
    bound = loss._unreduced_curvature_bound(np, y, t)
    assert (bound == np.stack([0 * t, t], -1)).all()
    with pytest.raises(ParameterError, match="a row with columns has one loss already"):
        Gamma(per="row")
    for kind in (CategoricalLoss, DistanceLoss):
        with pytest.raises(TypeError, match="derive Wrong from PointwiseLoss"):
            type("Wrong", (kind,), {"prediction": Pinball.prediction, "__module__": __name__})
    loss, y, t = CASES["columns"]
    assert (2 * loss)(y, t) == 2 * loss(y, t)
    total = loss + WrittenGamma()
    assert total(y, t) == pytest.approx(2 * loss(y, t))
    assert total.gradient(y, t) == pytest.approx(2 * loss.gradient(y, t))
    with pytest.raises(ParameterError, match="the same for all"):
        loss + lossfw.loss("huber")


# A loss whose prediction names a distribution gives its quantiles and probabilities.


class OfMeans(DistributionLoss, PointwiseLoss):
    prediction = target = POSITIVE

    def value(self, xp, y, t):
        return xp.log(y) + t / y

    def quantile(self, xp, y, p):
        return -y * xp.log1p(-p)

    def cdf(self, xp, y, x):
        return -xp.expm1(-x / y)


class Between(DistributionLoss, PointwiseLoss):
    prediction, target = Columns.of(low=REAL, width=POSITIVE), REAL

    def value(self, xp, y, t):
        return xp.log(y.width)

    def quantile(self, xp, y, p):
        return y.low + p * y.width

    def cdf(self, xp, y, x):
        return xp.clip((x - y.low) / y.width, 0.0, 1.0)


MEANS = [0.5, 4.0, 1e-300]


def test_quantiles_have_a_column_for_each_level_and_probabilities_a_number_for_each_prediction():
    loss = OfMeans()
    quantiles = loss.quantiles(MEANS, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(quantiles[:, 1], np.log(2) * np.array(MEANS))
    assert quantiles.shape == (3, 3)
    assert loss.quantiles(MEANS, []).shape == (3, 0)
    assert loss.quantiles(2.0, [0.5]).shape == (1,)
    np.testing.assert_allclose(loss.probabilities(MEANS, quantiles[:, 1]), 0.5)
    np.testing.assert_array_equal(
        loss.probabilities(MEANS, 2), loss.probabilities(MEANS, [2.0] * 3)
    )


def test_functions_get_columns_by_name():
    loss = Between()
    np.testing.assert_array_equal(loss.quantiles([[1.0, 4.0]], [0.25, 0.5]), [[2.0, 3.0]])
    np.testing.assert_array_equal(loss.probabilities([[1.0, 4.0]], 2.0), [0.25])
    assert loss.quantiles([1.0, 4.0], [0.25]).shape == (1,)
    with pytest.raises(DomainError, match=r"prediction\.width\[0\] = -4 lies outside"):
        loss.quantiles([[1.0, -4.0]], [0.5])
    with pytest.raises(ShapeError, match="1 column; expected 2: low, width"):
        loss.quantiles([[1.0]], [0.5])
    with pytest.raises(ShapeError, match=r"prediction has shape \(\); expected \(\.\.\., 2\)"):
        loss.quantiles(1.0, [0.5])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f.quantiles(MEANS, [5, 95]), ArgumentError, r"\[5, 95\]; expected a list of"),
        (lambda f: f.quantiles(MEANS, 0.5), ArgumentError, "levels is 0.5; expected a list"),
        (lambda f: f.quantiles(MEANS, [0.5, np.nan]), ArgumentError, "between 0 and 1"),
        (lambda f: f.quantiles([1.0, -1.0], [0.5]), DomainError, r"prediction\[1\] = -1 lies"),
        (lambda f: f.probabilities(MEANS, [1.0, 2.0]), ShapeError, r"\(2,\); expected one number"),
    ],
)
def test_bad_arguments_get_words(call, error, message):
    with pytest.raises(error, match=message):
        call(OfMeans())
