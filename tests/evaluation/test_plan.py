"""Plans refuse parts that do not fit, before a row is read."""

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.errors import ShapeError
from lossfw.evaluation.plan import Plan
from lossfw.metrics import LossMetric

FLAT = Dataset("flat", targets=np.array([1.0, 0.0, 1.0, 0.0]))
OF_ROWS = [lossfw.loss("squared_error", per="row"), *map(lossfw.loss, ("cross_entropy", "brier"))]


@pytest.mark.parametrize("loss", OF_ROWS, ids=str)
@pytest.mark.parametrize("as_metric", [False, True])
def test_one_number_for_each_row_and_a_loss_of_rows_do_not_fit(loss, as_metric):
    main, metrics = (loss, ()) if not as_metric else (OF_ROWS[0].replace(per="element"), (loss,))
    metrics = tuple(LossMetric(of=one) for one in metrics)
    with pytest.raises(ShapeError, match=r"takes rows of numbers, but outputs of shape \(4,\)"):
        Plan(FLAT, main, outputs=np.full(4, 0.5), metrics=metrics)
