"""Bodies on bare values: the digits of numbers, also where only numbers go on."""

import numpy as np
import pytest

from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact import values
from lossfw.numerics.exact.truth import run

# Zeros of either sign, ends of the exponents and usual numbers.
X = np.array([0.0, -0.0, 1e-300, -2.5, 0.3, 7.0, 1e300, np.inf, np.nan, 2.0, 5.0, -1e-9])
Y = np.array([-1.0, 0.0, 3.0, -0.0, 1e10, -7.0, 1e300, 2.0, 1.0, 1e-30, 0.5, -1e9])
LEVELS = [(60, "u"), (120, "d"), (60, "n")]

BODIES = {
    "a quotient by a negative zero": lambda xp, x, y: 1 / (x * y),
    "a quotient of arrays": lambda xp, x, y: xp.where(x > 0, y, x) / (-x),
    "a quotient by a sum of rows": lambda xp, x, y: y / xp.sum(xp.stack([-x, 0 * y]), axis=0),
    "an odd power of a negative zero": lambda xp, x, y: (x * y) ** -3,
    "powers": lambda xp, x, y: xp.abs(x) ** 1.5 + 2**y + xp.pow(xp.abs(x), y),
    "an angle": lambda xp, x, y: xp.atan2(0 * y, x),
    "exponents without end": lambda xp, x, y: xp.log(xp.exp(xp.abs(x)) + xp.exp(xp.abs(y))),
    "constants": lambda xp, x, y: xp.full_like(x, 2 / xp.pi) * y + 0.1 * xp.e,
    "a part that does not matter": lambda xp, x, y: xp.where(x > 1, x, xp.exp(x * 1e300)),
    "derivatives": lambda xp, x, y: xp.stack(
        derivatives(lambda xp, x, y: xp.tanh(x) * xp.log1p(x * x) / y, xp, x, y), axis=-1
    ),
    "derivatives of constants over duals": lambda xp, x, y: xp.stack(
        derivatives(lambda xp, x, y: y / x + abs(y) ** x, xp, x, y), axis=-1
    ),
}


def texts(found):
    return [number.text(60) for number in found.ravel()]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_results_have_the_digits_of_numbers(body, level):
    found = run(body, level, [X, Y])
    expected = values._on_numbers(body, level, [X, Y])
    assert found.shape == expected.shape
    assert texts(found) == texts(expected)
    assert {type(number) for number in found.ravel()} == {type(expected.ravel()[0])}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_usual_numbers_need_no_others(body, monkeypatch):
    monkeypatch.delattr(values, "_on_numbers")
    assert len(run(body, (60, "u"), [X[[3, 4, 5, 10]], Y[[3, 5, 10, 0]] + 0.25])) == 4


def test_few_rows_are_computed_again(monkeypatch):
    counts = []

    def count(body, level, arrays):
        counts.append(len(arrays[0]))
        return original(body, level, arrays)

    original = values._on_numbers
    monkeypatch.setattr(values, "_on_numbers", count)
    x = np.linspace(1.0, 2.0, 1000)
    x[17] = 7e8
    found = run(lambda xp, x: xp.exp(x) * xp.exp(x), (60, "n"), [x])
    assert counts == [1]
    assert found[17].value.exponent > 2**30
    # One that does not look unusual is found by halves.
    counts.clear()
    x[17] = 3.0
    run(lambda xp, x: xp.exp(xp.where(x > 2, x * 2e8, x)) * xp.exp(x * 2e8), (60, "n"), [x])
    assert len(counts) == 1
    assert counts[0] <= 16


def test_numbers_beyond_mpfr_are_computed_with_others(monkeypatch):
    def body(xp, x):
        far = xp.exp(x)
        return xp.stack(
            [2 * far - x, 0.5 - far, far / 3, 1 / far, -far + far, x**2 / far, far**-0.5]
        )

    x = np.array([1.0, 1e300, -1e300])
    expected = values._on_numbers(body, (60, "u"), [x])
    monkeypatch.delattr(values, "_on_numbers")
    assert texts(values._on_values(body, (60, "u"), [x])) == texts(expected)
