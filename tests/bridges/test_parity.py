"""A loss trains the model that the library's own objective trains, where it can."""

import pytest

for module in ("xgboost", "lightgbm", "catboost", "sklearn"):
    pytest.importorskip(module)

from support.parity import ROWS, gap  # noqa: E402  # after the skips

# Of raw predictions, in parts of their standard deviation: float32, added up over the rounds.
SAME = 1e-5


@pytest.mark.turns(9)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_models_are_the_same(row, weighted):
    if not row.holds_here:
        pytest.skip(f"true from {row.needs or 'the first release'} to before {row.before or 'now'}")
    if weighted and row.note:
        assert gap(row, weighted) > SAME, f"no longer true: {row.note}"
        return
    assert gap(row, weighted) <= SAME
