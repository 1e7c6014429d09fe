"""Stars hold for all differences of a measure in a table; a dot is for one alone."""

import numpy as np
import pytest

ROWS, SETTINGS = 120, 8
CONFIG = """\
lossfw: 1
data: {{name: arrays, file: all.npz, targets_key: t}}
network: {{predictions: guess{number}.npy}}
loss: squared_error
evaluate: {{save_rows: true, columns: [half]}}
"""


@pytest.fixture
def sweep(folder, command):
    """Make runs of predictions, the later ones with `better` errors, and return their folders."""

    def made(seed, better=1.0):
        rng = np.random.default_rng(seed)
        targets = rng.normal(size=ROWS)
        np.savez(folder / "all.npz", t=targets, half=np.arange(ROWS) % 2)
        for number in range(SETTINGS):
            scale = better if number else 1.0
            np.save(folder / f"guess{number}.npy", targets + scale * rng.normal(size=ROWS))
            (folder / "one.yaml").write_text(CONFIG.format(number=number))
            result = command("run", "one.yaml", "--out", f"run{number}")
            assert result.exit_code == 0, result.output
        return [f"run{number}" for number in range(SETTINGS)]

    return made


def stars_of(comparison, part=None):
    of = comparison if part is None else part
    return {
        one["name"]: one["differences"]["loss"].get("star")
        for one in of["runs"]
        if "loss" in one["differences"]
    }


def test_a_difference_by_itself_has_a_dot_and_one_beside_all_a_star(sweep, compared):
    # Of seven equally good settings one excludes 0 by itself.
    runs = sweep(11)
    together, each = compared(*runs), compared(*runs, "--stars", "each")
    assert together["stars_hold_for"] == SETTINGS - 1
    alone = {name for name, star in stars_of(each).items() if star == "*"}
    assert alone
    assert {name for name, star in stars_of(together).items() if star == "."} == alone
    assert "*" not in stars_of(together).values()
    for one in together["runs"][1:]:
        less = one["differences"]["loss"]
        assert less["p"] <= less["p_adjusted"] <= 1.0
        low, high = less["interval"]
        assert (less["star"] != "") == (low > 0 or high < 0)
