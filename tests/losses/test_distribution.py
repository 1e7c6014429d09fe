"""A loss whose prediction names a distribution gives its quantiles and probabilities."""

import numpy as np
import pytest

from lossfw import (
    POSITIVE,
    REAL,
    ArgumentError,
    Columns,
    DistributionLoss,
    DomainError,
    PointwiseLoss,
    ShapeError,
)


class Exponential(DistributionLoss, PointwiseLoss):
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
    loss = Exponential()
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
        call(Exponential())
