"""Derivatives that nobody wrote are compiled for rows, too."""

import numpy as np
import pytest

from lossfw.losses.engine.kernels.calls import candidate_of
from support.author_losses import ROWS

LOSSES = [author() for author, _ in ROWS]


@pytest.mark.parametrize("columns", [3, 100])
@pytest.mark.parametrize("form", ["gradient", "both", "hessian"])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_derived_functions_have_a_kernel(loss, form, columns):
    candidate = candidate_of(loss, form, columns, by_index=form != "hessian")
    assert candidate.problem(np.dtype(np.float64)) == ""
