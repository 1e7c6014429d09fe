"""The rows of CatBoost by kernels: the bits of the loss itself, and its errors."""

import numpy as np
import pytest

from lossfw.bridges import catboost
from lossfw.errors import DivergenceError, DomainError
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

FOCAL = {"name": "categorical_focal", "gamma": 1.5, "alpha": 0.25}


def rows(classes, count=40):
    """Return raw predictions near and far apart, classes, and weights with 0 among them."""
    rng = np.random.default_rng(1)
    z = rng.normal(size=(count, classes)) * np.exp(rng.uniform(-3, 4, (count, 1)))
    z[0] = 0.0
    weight = np.append(0.0, rng.random(count - 1))
    return list(zip(z.tolist(), rng.integers(0, classes, count).astype(float), weight, strict=True))


@pytest.mark.turns(4)
@pytest.mark.parametrize("curvature", ["auto", "exact"])
@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("loss", ["multiclass_hinge", FOCAL], ids=str)
def test_kernels_of_one_row_have_the_bits_of_the_loss(loss, classes, curvature):
    with use_engine("tiles"):
        plain = catboost.objective(loss, curvature=curvature)
        wanted = [plain.calc_ders_multi(*row) for row in rows(classes)]
    with use_engine("compiled"), watched.trust_kernels():
        objective = catboost.objective(loss, curvature=curvature)
        found = [objective.calc_ders_multi(*row) for row in rows(classes)]
    with use_engine("compiled"):
        on_trial = catboost.objective(loss, curvature=curvature)
        found += [on_trial.calc_ders_multi(*row) for row in rows(classes)]
    assert not [e for e in watched._entries.values() if e.problem.startswith("the kernel had")]
    assert objective._row_derivatives._kernels[classes]._usable
    assert not plain._row_derivatives._kernels[classes]._usable
    for one, other in zip(found, 2 * wanted, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_a_row_that_is_wrong_is_told_behind_kernels_too():
    with use_engine("compiled"), watched.trust_kernels():
        objective = catboost.objective("multiclass_hinge")
        for row in rows(3, 3):
            objective.calc_ders_multi(*row)
        with pytest.raises(DomainError, match="not a class"):
            objective.calc_ders_multi([0.0, 1.0, 2.0], 3.0, 1.0)
        with pytest.raises(DomainError, match="not finite"):
            objective.calc_ders_multi([0.0, 1.0, 2.0], np.nan, 1.0)
        with pytest.raises(DivergenceError, match="row 0"):
            objective.calc_ders_multi([np.nan, 1.0, 2.0], 1.0, 1.0)
