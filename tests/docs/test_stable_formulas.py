"""Each row of the table of stable formulas: the naive form fails where the stable one is right."""

import re
from pathlib import Path

import numpy as np
import pytest

from lossfw import numerics
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import ulp_error

PAGE = Path(__file__).parents[2] / "docs/how-to/stable-formulas.md"
ROW = re.compile(r"^\| `(.+?)` \| `(.+?)` \| (x = .+?) \| (precision|overflow|nan:legal) \|$", re.M)
ROWS = ROW.findall(PAGE.read_text())
assert len(ROWS) > 20

# A form is stable up to so many units in the last place, and naive beyond so many.
STABLE, NAIVE = 4, 1000


def results(form, given):
    """Return a form in floats and on exact numbers."""
    names = re.findall(r"[xy](?= =)", given)
    values = [np.array([float(v)]) for v in re.findall(r"= ([-\d.e]+)", given)]
    functions = vars(numerics)

    def body(xp, *arrays):
        return eval(form, {**functions, "xp": xp, **dict(zip(names, arrays, strict=True))})

    with np.errstate(all="ignore"):
        return body(np, *values), evaluate(body, *values)


@pytest.mark.parametrize(("naive", "stable", "given", "message"), ROWS)
def test_a_row_of_the_table(naive, stable, given, message):
    bad, exact = results(naive, given)
    good, of_stable = results(stable, given)
    exact = of_stable if message == "nan:legal" else exact
    assert ulp_error(good, exact)[0] <= STABLE
    lost = ~np.isfinite(bad) if message != "precision" else ulp_error(bad, exact) > NAIVE
    assert lost.all(), bad
