"""Words against mpmath with 400 bits, and against floats where those are exact."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.numerics.words import Words
from lossfw.numerics.words_namespace import WORDS

PRECISION = 400
RNG = np.random.default_rng(5)
NUMBER = 500

inf, nan = np.inf, np.nan


def of_size(low, high):
    """Return numbers of both signs from 10^low to 10^high."""
    return 10.0 ** RNG.uniform(low, high, NUMBER) * RNG.choice([-1, 1], NUMBER)


def exact(words):
    """Return words as numbers of 400 bits."""
    parts = np.broadcast_arrays(words.high, words.low, words.scale)
    for high, low, scale in zip(*parts, strict=True):
        yield (mp.mpf(float(high)) + float(low)) * mp.mpf(2) ** int(scale)


def bits(words, truths):
    """Return how many leading bits are right, at the least."""
    errors = [abs(x / truth - 1) for x, truth in zip(exact(words), truths, strict=True) if truth]
    return -float(mp.log(max(errors), 2)) if any(errors) else np.inf


ANY, TINY, SMALL, LARGE = (-323, 308), (-323, -0.7), (-16, -0.3), (-1, 2.8)


@pytest.mark.parametrize(
    ("name", "size", "least"),
    [
        *(("exp", TINY, 104), ("exp", LARGE, 94), ("expm1", TINY, 103), ("expm1", LARGE, 94)),
        *(("log1p", TINY, 103), ("log", ANY, 103), ("sqrt", ANY, 104)),
        *(("sinh", TINY, 100), ("sinh", LARGE, 94), ("cosh", LARGE, 94), ("tanh", LARGE, 100)),
    ],
)
def test_functions_have_a_hundred_bits_less_those_of_an_exponent(name, size, least):
    x = of_size(*size)
    x = np.abs(x) if name in ("log", "sqrt") else x
    with mp.workprec(PRECISION):
        truths = [getattr(mp, name)(mp.mpf(float(one))) for one in x]
        assert bits(getattr(WORDS, name)(Words.of(x)), truths) > least


def test_a_logarithm_next_to_one_keeps_its_bits():
    x = 1.0 + of_size(*SMALL)
    with mp.workprec(PRECISION):
        assert bits(WORDS.log(Words.of(x)), [mp.log(mp.mpf(float(one))) for one in x]) > 103


def test_arithmetic_has_no_ends():
    a, b = of_size(*ANY), of_size(*ANY)
    wide_a, wide_b = Words.of(a), Words.of(b)
    with mp.workprec(PRECISION):
        pairs = [(mp.mpf(float(x)), mp.mpf(float(y))) for x, y in zip(a, b, strict=True)]
        assert bits(wide_a * wide_b, [x * y for x, y in pairs]) == np.inf
        assert bits(wide_a / wide_b, [x / y for x, y in pairs]) > 104
        assert bits(wide_a**3, [x**3 for x, _ in pairs]) > 103
        assert bits(wide_a**-2, [x**-2 for x, _ in pairs]) > 103
        assert bits(abs(wide_a) ** 0.7, [abs(x) ** mp.mpf(0.7) for x, _ in pairs]) > 92
        powers = wide_a**2 * wide_b**2 / wide_a**2
        assert bits(powers, [y * y for _, y in pairs]) > 101
        assert (powers.to_float() == b * b).mean() > 0.99  # where that is a float at all


def test_sums_of_one_sign_have_a_hundred_bits_and_others_those_of_the_larger_term():
    a, b = (
        Words.of(x) * Words.of(y) for x, y in np.abs([[of_size(-9, 9)] * 2, [of_size(-9, 9)] * 2])
    )
    with mp.workprec(PRECISION):
        pairs = list(zip(exact(a), exact(b), strict=True))
        assert bits(a + b, [x + y for x, y in pairs]) > 103
        for found, (x, y) in zip(exact(a - b), pairs, strict=True):
            assert abs(found - (x - y)) <= mp.mpf(2) ** -103 * max(x, y)


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "sqrt", "sinh", "cosh", "tanh"])
def test_functions_have_the_ends_of_numpy(name):
    x = np.array([inf, -inf, nan, 0.0, 1e308, -1e308])
    with np.errstate(all="ignore"):
        found = getattr(WORDS, name)(Words.of(x)).to_float()
        np.testing.assert_allclose(found, getattr(np, name)(x), rtol=1e-15)


@pytest.mark.parametrize("operator", ["__add__", "__sub__", "__mul__", "__truediv__"])
@pytest.mark.parametrize("comparison", ["__lt__", "__le__", "__eq__", "__ge__", "__gt__", "__ne__"])
def test_arithmetic_and_comparisons_have_the_ends_of_numpy(operator, comparison):
    some = [inf, -inf, nan, 0.0, 1.0, -2.5, 1e300]
    x, y = (part.ravel() for part in np.meshgrid(some, some))
    with np.errstate(all="ignore"):
        found = getattr(Words.of(x), operator)(Words.of(y)).to_float()
        np.testing.assert_allclose(found, getattr(x, operator)(y), rtol=1e-15)
        told = getattr(Words.of(x), comparison)(Words.of(y))
        np.testing.assert_array_equal(told, getattr(x, comparison)(y))


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(FLOATS, FLOATS)
def test_floats_come_back_and_their_arithmetic_is_rounded_once(a, b):
    x, y = Words.of(np.array([a])), Words.of(np.array([b]))
    with np.errstate(all="ignore"):
        assert x.to_float() == a
        assert (x + y).to_float() == np.float64(a) + b
        assert (x - y).to_float() == np.float64(a) - b
        # Twice, where the result is subnormal.
        np.testing.assert_allclose((x * y).to_float(), [np.float64(a) * b], rtol=0, atol=5e-324)
        if b:
            assert ((x / y) * y).to_float() == a


@given(FLOATS, FLOATS)
def test_words_are_ordered_like_floats(a, b):
    x, y = Words.of(np.array([a])), Words.of(np.array([b]))
    assert (x < y, x <= y, x == y) == (a < b, a <= b, a == b)
    assert WORDS.maximum(x, y).to_float() == max(a, b)
    assert WORDS.minimum(x, y).to_float() == min(a, b)


def test_what_is_missing_is_named():
    with pytest.raises(AttributeError, match=r"xp\.sin has no rule"):
        WORDS.sin(Words.of(1.0))


def test_rows_are_added_up_and_compared():
    x = Words.of(np.array([[3.0, 1e-20, -3.0], [1.0, nan, 2.0], [2.5, 2.5, -1.0]]))
    np.testing.assert_array_equal(WORDS.sum(x, axis=-1).to_float(), [1e-20, nan, 4.0])
    largest = WORDS.max(x, axis=-1, keepdims=True).to_float()
    np.testing.assert_array_equal(largest, [[3.0], [nan], [2.5]])
    assert WORDS.argmax(x, axis=-1).tolist() == [0, 1, 0]
    assert WORDS.floor(x[2]).to_float().tolist() == [2.0, 2.0, -1.0]
    assert WORDS.floor(Words.of(1.0) - 1e-25).to_float() == 0.0
    with pytest.raises(NotImplementedError, match="axis=-1, and got axis=0"):
        WORDS.sum(x, axis=0)
