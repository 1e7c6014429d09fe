"""Arrays of other libraries: the checks, weights and results of NumPy's arrays."""

import numpy as np
import pytest

import lossfw
from lossfw import ArgumentError, EmptyReductionError, LossfwError

SQUARED = lossfw.loss("squared_error")
CROSS = lossfw.loss("cross_entropy")
BINARY = lossfw.loss("binary_cross_entropy", from_logits=True)
ROWS = [[0.2, 0.3, 0.5], [0.5, 0.5, 0.0], [0.1, 0.8, 0.1]]


def both(convert, call, *arguments, **options):
    """Return what a call does with NumPy's arrays and with those of another library."""
    outcomes = []
    for kind in (np.asarray, lambda x: convert(np.asarray(x))):
        try:
            outcomes.append(
                call(*map(kind, arguments), **{name: kind(x) for name, x in options.items()})
            )
        except LossfwError as error:
            outcomes.append(error)
    return outcomes


WRONG = {
    "a negative weight": (SQUARED, [1.0, 2.0, 3.0], [0.0] * 3, {"sample_weight": [-1.0, 1, 1]}),
    "a NaN weight": (SQUARED, [1.0, 2.0], [0.0] * 2, {"sample_weight": [1.0, np.nan]}),
    "an infinite weight": (SQUARED, [1.0, 2.0], [0.0] * 2, {"sample_weight": [1.0, np.inf]}),
    "one weight": (SQUARED, [1.0, 2.0], [0.0] * 2, {"sample_weight": [1.0]}),
    "complex weights": (SQUARED, [1.0, 2.0], [0.0] * 2, {"sample_weight": [1j, 1]}),
    "one mask": (SQUARED, [1.0, 2.0], [0.0] * 2, {"where": [True]}),
    "a mask of numbers": (SQUARED, [1.0, 2.0], [0.0] * 2, {"where": [0, 1]}),
    "a column": (SQUARED, [1.0, 2.0], [[0.0], [0.0]], {}),
    "a longer target": (SQUARED, [1.0, 2.0], [0.0] * 3, {}),
    "complex numbers": (SQUARED, [1j, 2.0], [0.0] * 2, {}),
    "weights 0": (SQUARED, [1.0, 2.0], [0.0] * 2, {"sample_weight": [0.0, 0.0]}),
    "no number": (SQUARED, [], [], {}),
    "no distribution": (CROSS, [[0.5, 0.5], [1.2, -0.2]], [0, 1], {}),
    "no class": (CROSS, ROWS, [0, 3, 1], {}),
    "a class as a float": (CROSS, ROWS, [0.0, 2.0, 1.0], {}),
    "one number for a row": (CROSS, 0.5, 0, {}),
    "rows of nothing": (CROSS, np.zeros((2, 0)), [0, 0], {}),
    "a target that counts": (BINARY, [[0.1, 0.2]], [[0.5, 7.0]], {"where": [[True, True]]}),
    "a wrong row that counts": (
        CROSS,
        [[[0.5, 0.5], [0.5, 0.5]], [[7.0, 0.0], [9.0, 0.0]]],
        [[0, 0], [0, 0]],
        {"where": [[True, True], [False, True]]},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused_of_numpy_is_refused_with_the_same_words(convert, name):
    loss, y, t, options = WRONG[name]
    for method in (loss, loss.gradient, loss.value_and_gradient):
        wanted, found = both(convert, method, y, t, **options)
        assert type(found) is type(wanted)
        assert isinstance(wanted, LossfwError)
        words = str(found).replace("array_api_strict.", "").replace("torch.", "")
        assert words.replace("pass integers", "pass target.astype(int)") == str(wanted)


def test_arrays_of_different_libraries_are_refused(convert):
    y = convert(np.ones(3))
    library = type(y).__module__.partition(".")[0].removesuffix("lib")
    for target, other in ((np.ones(3), "numpy"), ([1.0] * 3, "list")):
        with pytest.raises(ArgumentError, match=rf"of {library}.*{other}.*one library"):
            SQUARED(y, target)
        with pytest.raises(ArgumentError, match=f"target is of {library}"):
            SQUARED(target, y)
    with pytest.raises(ArgumentError, match="sample_weight is of numpy"):
        SQUARED(y, y, sample_weight=np.ones(3))


def test_a_traced_call_skips_the_checks_that_need_values():
    jax = pytest.importorskip("jax")
    y, w = jax.numpy.asarray([1.0, 2.0, 3.0]), jax.numpy.asarray([1.0, 0.0, 3.0])
    call = jax.jit(lambda y, w: SQUARED(y, 0 * y, sample_weight=w))
    assert float(call(y, w)) == float(SQUARED(y, 0 * y, sample_weight=w)) == 7.0
    assert float(jax.jit(SQUARED)(y, 0 * y)) == pytest.approx(14 / 3)


# Calls with nothing in them, and with no array: the library's own errors, never raw ones.

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
