"""extended_range: one body for all elements, on whatever runs it."""

import pickle

import numpy as np
import pytest

import lossfw
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels.calls import candidate_of
from lossfw.numerics import extended_range
from lossfw.numerics.arrays import namespace_of
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.symbolic.trace import trace

Y = np.array([2.0, 1e-200, 1e200, 1e-307, np.inf])
T = np.array([3.0, 4e-200, 3e200, 3e-307, 1.0])
SHARE = np.array([1 / 13, 9 / 17, 4 / 10, 4 / 10, 1.0])


def is_rare(xp, y, t):
    return ~((y > 1e-70) & (y < 1e70) & (t < 1e70))


def plain_share(xp, y, t):
    return (y - t) ** 2 / (y * y + t * t)


share = extended_range(is_rare)(plain_share)


class SharedSquare(lossfw.PointwiseLoss):
    """(y - t)^2 / (y^2 + t^2)."""

    prediction = target = lossfw.POSITIVE

    def _is_rare(self, xp, y, t):
        return is_rare(xp, y, t)

    @extended_range(_is_rare)
    def value(self, xp, y, t):
        return plain_share(xp, y, t)


LOSS = SharedSquare()


@pytest.fixture
def quiet():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.usefixtures("quiet")
def test_rare_elements_have_their_digits_and_their_limits():
    np.testing.assert_allclose(share(np, Y, T), SHARE, rtol=1e-15)
    assert share(np, Y[1], T[1]) == pytest.approx(9 / 17, rel=1e-15)
    assert np.isnan(share(np, np.array([np.nan, 1e-200]), np.array([1e-200, np.nan]))).all()


def test_ordinary_elements_keep_the_bits_of_the_body():
    rng = np.random.default_rng(1)
    y, t = np.exp(rng.normal(size=(2, 1000)))
    plain = plain_share(np, y, t)
    assert np.array_equal(share(np, y, t), plain)
    with np.errstate(all="ignore"):
        beside_rare = share(np, np.append(y, 1e-300), np.append(t, 1e-300))
    assert np.array_equal(beside_rare[:-1], plain)


@pytest.mark.usefixtures("quiet")
def test_an_argument_that_is_returned_is_not_written_to():
    same = extended_range(lambda xp, x: x > 1.0)(lambda xp, x: x)
    x = np.array([0.5, np.inf])
    assert same(np, x) is not x
    assert same(np, x).tolist() == x.tolist()


@pytest.mark.usefixtures("quiet")
def test_all_parts_of_a_result_are_computed():
    both = extended_range(is_rare)(lambda xp, y, t: (y * y / t, t * t / y))
    found = both(np, Y[:4], T[:4])
    np.testing.assert_allclose(found[0], Y[:4] * (Y[:4] / T[:4]), rtol=4e-16)
    np.testing.assert_allclose(found[1], T[:4] * (T[:4] / Y[:4]), rtol=4e-16)


@pytest.mark.usefixtures("quiet")
def test_derivatives_by_dual_numbers_have_the_same_range():
    y, t = np.array([1e-200, 2.0]), np.array([4e-200, 3.0])
    _, first, second = derivatives(lambda xp, y: share(xp, y, t), np, y)
    u = y / t  # The loss of the ratio is 1 - 2 u / (1 + u^2).
    slope = 2 * (u * u - 1) / (1 + u * u) ** 2
    np.testing.assert_allclose(first, slope / t, rtol=1e-14)
    bend = 4 * u * (3 - u * u) / (1 + u * u) ** 3
    np.testing.assert_allclose(second, [np.inf, bend[1] / t[1] ** 2], rtol=1e-14)


@pytest.mark.usefixtures("quiet")
def test_a_constant_may_stand_before_a_dual_number():
    _, first, _ = derivatives(lambda xp, t: share(xp, Y[1:2], t), np, T[1:2])
    _, other, _ = derivatives(lambda xp, y: share(xp, y, Y[1:2]), np, T[1:2])
    assert first == pytest.approx(other, rel=1e-15)  # It is symmetric.


def test_exact_numbers_take_the_body_as_it_is():
    found = evaluate(share, Y[:4], T[:4])
    assert [float(x) for x in found] == pytest.approx(SHARE[:4].tolist(), rel=1e-15)


def test_so_do_dual_numbers_of_exact_ones():
    def slope(xp, y, t):
        return derivatives(lambda xp, y: share(xp, y, t), xp, y)[1]

    found = [float(x) for x in evaluate(slope, Y[:4], T[:4])]
    assert found == pytest.approx(slope(np, Y[:4], T[:4]).tolist(), rel=1e-14)


def test_arrays_of_other_libraries_lend_their_rare_elements(convert):
    y, t = convert(Y[:4]), convert(T[:4])
    found = share(namespace_of(y), y, t)
    assert type(found) is type(y)
    np.testing.assert_allclose(np.asarray(found), SHARE[:4], rtol=1e-15)


def test_float32_goes_by_float64():
    y, t = np.array([1e-30], np.float32), np.array([4e-30], np.float32)
    found = share(np, y, t)
    assert found.dtype == np.float32
    assert found == pytest.approx(9 / 17)


@pytest.mark.parametrize("form", ["value", "gradient", "both"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_kernel_leaves_rare_elements_to_the_body(form, dtype):
    pytest.importorskip("llvmlite")
    assert candidate_of(LOSS, form).problem(np.dtype(dtype)) == ""
    rng = np.random.default_rng(2)
    y, t = np.exp(rng.normal(size=(2, 5000))).astype(dtype)
    if dtype == "float64":
        y[[7, 4000]] *= 1e-200
    results = []
    for mode in ("tiles", "compiled"):
        with use_engine(mode):
            results.append((LOSS(y, t), LOSS.gradient(y, t), LOSS.value_and_gradient(y, t)[1]))
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other)


def test_equal_calls_have_equal_graphs():
    graphs = [trace(SharedSquare().value, dict.fromkeys("yt", "float64")) for _ in range(2)]
    assert graphs[0].shape() == graphs[1].shape()


def test_a_loss_can_be_sent_to_another_process():
    copy = pickle.loads(pickle.dumps(LOSS))
    assert np.array_equal(
        copy(Y[:4], T[:4], reduction="none"), LOSS(Y[:4], T[:4], reduction="none")
    )


def test_the_plain_body_is_what_tracers_get():
    torch = pytest.importorskip("torch")
    y, t = torch.tensor(Y[:2]), torch.tensor(T[:2])
    mapped = torch.func.vmap(lambda y, t: share(namespace_of(y), y, t))(y, t)
    assert mapped[0] == pytest.approx(1 / 13)
    assert mapped[1].isnan()
    y.requires_grad_()
    share(namespace_of(y), y, t)[0].backward()
    assert y.grad[0] == pytest.approx(
        derivatives(lambda xp, y: share(xp, y, T[:1]), np, Y[:1])[1][0]
    )
