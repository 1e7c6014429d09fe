"""Calls with nothing in them, and with no array: the library's own errors, never raw ones."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, EmptyReductionError

GROUPS = ("lambda_ndcg", "pairwise_hinge", "pairwise_logistic", "listnet", "cox")
SHAPES = ((2, 0), (0, 2), (0, 0))


def library(name):
    if name == "numpy":
        return np.zeros
    if name == "torch":
        torch = pytest.importorskip("torch")
        return lambda shape: torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    return pytest.importorskip("jax.numpy").zeros


def number(x):
    return float(x.detach() if hasattr(x, "detach") else x)


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", GROUPS)
def test_groups_without_rows(loss, shape, name):
    zeros, loss = library(name), lossfw.loss(loss)
    width = loss.target_space.size if loss.target_space.axes else None
    y, t = zeros(shape), zeros(shape if width is None else (*shape, width))
    t = t.detach() if name == "torch" else t
    for weight in (None, zeros(shape), zeros(shape[:1])):
        given = {} if weight is None else {"sample_weight": weight}
        if name == "torch" and weight is not None:
            given = {"sample_weight": weight.detach()}
        assert tuple(loss(y, t, reduction="none", **given).shape) == shape[:1]
        assert number(loss(y, t, reduction="sum", **given)) == 0
        assert number(loss(y, t, empty="zero", **given)) == 0
        with pytest.raises(EmptyReductionError):
            loss(y, t, **given)
        assert tuple(loss.gradient(y, t, reduction="sum", **given).shape) == shape


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy", "lambda_ndcg"])
def test_none_is_not_an_array(loss, name):
    array, loss = library(name)((3, 2)), lossfw.loss(loss)
    for given, role in (((None, array), "prediction"), ((array, None), "target")):
        with pytest.raises(ArgumentError, match=f"{role} is None; expected an array"):
            loss(*given)
        with pytest.raises(ArgumentError, match=f"{role} is None; expected an array"):
            loss.gradient(*given)
