"""Kernels of named columns: the bits of tiles in every number, and what stays with tiles."""

import numpy as np
import pytest

import lossfw
from lossfw import POSITIVE, REAL, Columns, PointwiseLoss, Vector
from lossfw.errors import DomainError
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched
from lossfw.losses.engine.kernels.calls import candidate_of, no_kernel_reason
from lossfw.losses.engine.kernels.candidates import NoKernelError
from support.column_bodies import drawn_loss
from support.column_members import OF_COLUMNS, drawn_members
from support.engines import same_bits, same_bits_with_options

pytest.importorskip("llvmlite", reason="llvmlite is not installed")
pytestmark = pytest.mark.usefixtures("fresh_kernels")

FORMS = ("value", "gradient", "both", "hessian")


def hold_drawn_body(seed, form):
    """Hold a kernel of a random body to it, and return whether it has one."""
    loss, dtype = drawn_loss(seed), np.dtype(("float32", "float64")[seed // 4 % 2])
    # Flat, as the engine has records.
    y, t = (x.reshape(len(x), -1) if x.ndim > 1 else x for x in drawn_members(loss, dtype))
    widths = tuple(x[0].size for x in (y, t))
    try:
        kernel = candidate_of(loss, form, widths=widths).kernel(dtype)
    except NoKernelError:
        # Dual numbers add up some derivatives in another order with care.
        return False
    values, derivatives = np.empty(len(y), dtype), np.empty(y.shape, dtype)
    _, inside = kernel(y, t, values=values, derivatives=derivatives)
    with np.errstate(all="ignore"):
        results = loss._unreduced_losses(form, np, np.asfortranarray(y), np.asfortranarray(t))
    assert inside
    for found, wanted in zip(
        {"value": [values], "both": [values, derivatives]}.get(form, [derivatives]),
        results if form == "both" else [results],
        strict=True,
    ):
        np.testing.assert_array_equal(found, wanted)
    return True


def test_random_bodies_have_kernels_with_their_bits():
    assert sum(hold_drawn_body(seed, FORMS[seed % 4]) for seed in range(24)) > 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(24, 2024, 100))
def test_many_random_bodies_have_kernels_with_their_bits(first):
    seeds = range(first, first + 100)
    assert sum(hold_drawn_body(seed, FORMS[seed % 4]) for seed in seeds) > 80


@pytest.mark.parametrize("name", ["interval_score", "cosine_embedding"])
def test_calls_have_the_bits_of_tiles(name):
    hold_calls(lossfw.loss(name), "float32")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", OF_COLUMNS, ids=repr)
def test_built_in_losses_have_the_bits_of_tiles(loss, dtype):
    hold_calls(loss, dtype)
    made = [entry.kernel for entry in watched._entries.values()]
    # Of a sort there is no kernel.
    assert all(made) or loss.name == "crps_ensemble"


def hold_calls(loss, dtype):
    y, t = drawn_members(loss, dtype)
    rng = np.random.default_rng(0)
    same_bits_with_options(loss, y, t, rng.random(len(y)), rng.random(len(y)) < 0.8)
    same_bits(loss, y[:1], t[:1])


class Box(PointwiseLoss):
    prediction = Columns.of(location=REAL, scale=POSITIVE)
    target = Columns.of(low=REAL, high=REAL).ordered()

    def value(self, xp, y, t):
        middle = 0.5 * (t.low + t.high)
        return 0.5 * ((middle - y.location) / y.scale) ** 2 + xp.log(y.scale)


@pytest.mark.parametrize(
    ("y", "t", "message"),
    [
        ([0.5, -2.0], [0.0, 1.0], "prediction.scale[777] = -2 lies outside POSITIVE"),
        ([0.5, 2.0], [3.0, 1.0], "target.low[777] = 3 is above target.high[777] = 1"),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_values_outside_are_refused_as_in_tiles(y, t, message, weighted):
    rng = np.random.default_rng(0)
    predictions, targets = np.exp(rng.normal(size=(900, 2))), np.sort(rng.normal(size=(900, 2)))
    predictions[777], targets[777] = y, t
    weight = {"sample_weight": rng.random(900)} if weighted else {}
    errors = []
    for mode in ("tiles", "compiled"):
        with use_engine(mode), pytest.raises(DomainError) as error:
            Box().value_and_gradient(predictions, targets, **weight)
        errors.append(str(error.value))
    assert errors[0] == errors[1]
    assert message in errors[0]
    # Once it does not count, it does no harm.
    same_bits(Box(), predictions, targets, where=np.arange(900) != 777)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["triplet_margin", "cosine_embedding"])
def test_long_records_have_the_bits_of_tiles_in_any_number(name, dtype):
    loss, rng = lossfw.loss(name), np.random.default_rng(0)
    # Records of more than eight numbers are transposed, 128 at a time and four by four.
    for count in (1, 3, 4, 6, 127, 131, 515):
        vectors = 3 if name == "triplet_margin" else 2
        y = rng.normal(size=(count, vectors, 7)).astype(dtype)
        t, weight = (1.0 - 2.0 * (rng.random(count) < 0.5)).astype(dtype), rng.random(count)
        same_bits(loss, y, t)
        same_bits(loss, y, t, sample_weight=weight)
    assert all(not entry.problem for entry in watched._entries.values())


def test_infinite_and_missing_numbers_and_mixed_dtypes_have_the_bits_of_tiles():
    rng = np.random.default_rng(0)
    y, t = np.exp(rng.normal(size=(500, 2))), np.sort(rng.normal(size=(500, 2)))
    same_bits(Box(), y.astype("float32"), t, sample_weight=rng.random(500))
    same_bits(Box(), y, t.astype("float32"))
    same_bits(Box(), y.astype("float16"), t.astype("float16"))
    y = np.array([[a, b] for a in (0.0, -0.0, np.inf, -np.inf, np.nan) for b in (1e-300, np.inf)])
    same_bits(Box(), np.repeat(y, 300, axis=0), np.tile([[-np.inf, 0.0], [0.0, np.inf]], (1500, 1)))
    with use_engine("compiled"):
        assert Box()(y[:0], y[:0], reduction="sum") == 0.0
        assert Box().gradient(y[:0], y[:0], reduction="sum").shape == (0, 2)


class Branching(PointwiseLoss):
    prediction = Columns.of(a=REAL, b=REAL)

    def value(self, xp, y, t):
        return (y.a - t) ** 2 if xp.max(y.b) > 0 else y.b * y.b


class Long(PointwiseLoss):
    prediction = target = Vector.of(REAL)

    def value(self, xp, y, t):
        r = y - t
        for _ in range(20):
            r = xp.tanh(r) + r * r
        return xp.sum(r, axis=-1)


@pytest.mark.parametrize(
    ("loss", "columns", "reason"),
    [
        (Branching(), 2, "along the axis of records"),
        (Long(), 32, "operations; kernels take at most"),
        (Long(), 65, "kernels take records of at most 64 numbers"),
        (lossfw.loss("crps_ensemble"), 5, "xp.sort"),
    ],
)
def test_what_stays_with_tiles_says_why(loss, columns, reason):
    assert reason in no_kernel_reason(loss, "value", np.dtype(np.float64), columns)
    if columns < 65:
        rng = np.random.default_rng(0)
        t_shape = (100, columns) if loss._takes_target_rows else 100
        same_bits(loss, rng.normal(size=(100, columns)), rng.normal(size=t_shape))
