"""How often a star is false: intervals of differences of models that are equally good.

The slow test has all settings of `support.calibration`, and holds the table of
`docs/explanation/trust.md` to them; the small one finds a mistake in the units, the degrees of
freedom, the quantile, blocks, families or recipes.
"""

from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.evaluation.intervals.left_out import LeaveOneOut
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.paired import NumbersOfSameUnits, difference_interval
from lossfw.evaluation.intervals.unit_keys import block_keys, hashed_numbers
from lossfw.evaluation.intervals.units import Units
from support.calibration import COUNT, SETTINGS, Rates, is_held, rates, row
from support.calibration.means import clustered, measured, of_rows
from support.calibration.setting import LEVEL, left_out

PAGE = Path(__file__).parents[3] / "docs/explanation/trust.md"
# So many of a hundred of the table may differ, where another processor rounds otherwise.
ROUNDING = 0.2

SMALL = (
    "40 clusters, unequal, alike 0.9",
    "20 clusters, one big, alike 0.9",
    "300 rows, weights lognormal",
    "series of 1,000 rows, neighbours alike 0.9",
    "sweep of 12, 40 units, differences alike 0.5",
    "least squares, 60 rows, 1 inputs, 5 folds, 3 seeds",
)


@pytest.mark.parametrize("name", SMALL)
def test_about_five_of_a_hundred_stars_are_false(name):
    # Of 200 with 5 % each, 22 and more come up once in 2,000 times.
    assert rates(SETTINGS[name], 200).stars < 0.11


def test_a_series_that_is_too_short_is_told():
    assert rates(SETTINGS["series of 1,000 rows, neighbours alike 0.98"], 200).warned > 0.8


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_has_more_than_eight_percent(name):
    setting = SETTINGS[name]
    found = rates(setting, COUNT)
    assert is_held(setting, found), f"{found} in {COUNT} comparisons"
    numbers = [number(one) for one in table_of_page()[name][3:]]
    wanted = [number(one) for one in row(setting, found).split(" | ")[3:]]
    assert numbers == pytest.approx(wanted, abs=ROUNDING)


def number(text):
    text = text.strip(" |")
    return float(text) if text else 0.0


def table_of_page():
    """Return the cells of each setting in the table of the page, by name."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [line.removeprefix("| ").split(" | ") for line in lines]
    return {line[0]: line for line in cells if line[0] in SETTINGS}


def test_the_page_has_all_settings_and_what_they_promise():
    page = table_of_page()
    assert sorted(page) == sorted(SETTINGS)
    for name, setting in SETTINGS.items():
        assert page[name][:3] == row(setting, Rates(0.0, 0.0))[2:].split(" | ")[:3]
        stars, warned = (number(one) / 100 for one in page[name][3:])
        assert is_held(setting, Rates(stars, warned))


@pytest.mark.parametrize("weights", [False, True])
def test_the_means_of_the_settings_are_those_of_an_evaluation(weights):
    rows = clustered("unequal", 20, 0.5, weights=weights)(np.random.default_rng(4))
    keys = hashed_numbers(rows.unit)
    asked = Intervals(LEVEL, resample=Units("column", "who"))
    base = measured(np.zeros(len(rows.losses)), keys, rows.weight)
    found = difference_interval(measured(rows.losses, keys, rows.weight), base, asked)
    quick = of_rows(rows)
    assert found.interval == pytest.approx(quick.ends(LEVEL).tolist(), rel=1e-10)
    assert found.freedom == pytest.approx(quick.freedom, rel=1e-12)


def test_a_series_in_blocks_is_that_of_an_evaluation():
    """Blocks, their stretch and the memory are those of the quick way in the settings."""
    random, count = np.random.default_rng(1), 900
    losses = np.cumsum(random.normal(size=count)) * 0.3 + random.normal(size=count)
    keys = block_keys(np.arange(count) * 4096 // count, 4096)
    base = measured(np.zeros(count), keys)
    asked = Intervals(LEVEL, resample=Units("time"))
    found = difference_interval(measured(losses, keys), base, asked)
    assert found.units == 8
    assert found.alike > 0.1
    errors = losses - losses.mean()
    alike = (errors[1:] * errors[:-1]).sum() / (errors**2).sum()
    alike = (count * alike + 1) / (count - 4)
    assert found.memories == pytest.approx(count * (1 - alike) / (1 + alike), rel=1e-9)
    place = np.arange(count) * 4096 // count * 8 // 4096
    quick = left_out(np.bincount(place, losses), np.bincount(place).astype(float))
    # The covariance of blocks that are still alike is in the variance of the mean.
    wider = (1 + 2 * found.alike) ** 0.5
    wanted = LeaveOneOut(quick.middle, quick.middle + (quick.without - quick.middle) * wider, 7.0)
    assert found.freedom == pytest.approx(7, rel=1e-2)
    wanted = wanted._replace(freedom=found.freedom)
    assert found.interval == pytest.approx(wanted.ends(LEVEL).tolist(), rel=1e-10)


@pytest.fixture
def compared(tmp_path, monkeypatch):
    """Make two runs of errors, with intervals of some units, and return their comparison."""
    monkeypatch.chdir(tmp_path)

    def made(errors, units, **columns):
        np.savez("data.npz", t=np.zeros(len(errors[0])), **columns)
        for name, error in zip("ab", errors, strict=True):
            config = {
                "lossfw": 1,
                "data": {"name": "arrays", "file": "data.npz", "targets_key": "t"},
                "network": {"predictions": error},
                "loss": "squared_error",
                "evaluate": {"intervals": {"resample": units}},
            }
            lossfw.run(config, out=name)
        return lossfw.compare("a", "b")

    return made


def test_commands_give_the_same_star(compared):
    """Two runs with patients as units, and the interval of their difference by the quick way."""
    random = np.random.default_rng(7)
    who = np.repeat(np.arange(12), 10)
    errors = [random.normal(size=12)[who] + random.normal(size=120) for _ in range(2)]
    (found,) = [one["loss"] for one in compared(errors, "column.who", who=who).differences.values()]
    less = errors[1] ** 2 - errors[0] ** 2
    quick = left_out(np.bincount(who, less), np.bincount(who).astype(float))
    assert found.interval == pytest.approx(quick.ends(LEVEL).tolist(), rel=1e-6)


@pytest.mark.parametrize(("correlation", "notes"), [(0.5, 0), (0.99, 1)])
def test_a_comparison_over_too_short_a_time_says_so(compared, correlation, notes):
    errors = np.random.default_rng(3).normal(size=(2, 800))
    for now in range(1, 800):
        errors[:, now] += correlation * errors[:, now - 1]
    found = compared([2 + one / 20 for one in errors], {"time": "row", "blocks": "auto"})
    texts = [str(note) for note in found.notes if "so the interval" in str(note)]
    assert len(texts) == notes
    for text in texts:
        assert text.startswith("loss")
        assert text.endswith("more time is needed, some 15 times as long as errors last.")


def test_the_width_of_independent_rows_is_what_student_asks():
    """At most 1 % wider than 1.96 standard errors by more than the t quantile asks."""
    losses = np.random.default_rng(3).chisquare(1, 150_000)
    keys = hashed_numbers(np.arange(len(losses)))
    base = measured(np.zeros(len(losses)), keys)
    low, high = difference_interval(measured(losses, keys), base, Intervals()).interval
    wanted = 1.96 * losses.std(ddof=1) / len(losses) ** 0.5
    assert (high - low) / 2 / wanted == pytest.approx(1.0, abs=0.01)


def test_numbers_of_one_unit_too_many_change_nothing():
    """A unit that has no rows in one of two numbers is a unit of both."""
    losses = np.random.default_rng(2).normal(size=60)
    keys = hashed_numbers(np.arange(60) // 6)
    one, base = measured(losses, keys), measured(losses[6:], keys[6:])
    every = NumbersOfSameUnits.of([base, one])
    first, second = every.left_out()
    assert first.units == second.units == 10
    assert (first.without == first.middle).sum() == 1
