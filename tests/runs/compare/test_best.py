"""The best of many runs, corrected for the choice, and the stars of their differences."""

import json

import numpy as np
import pytest

import lossfw

ROWS, SETTINGS = 120, 6
CONFIG = """\
lossfw: 1
data: {name: arrays, file: all.npz, targets_key: t}
network: {predictions: guess0.npy}
loss: squared_error
evaluate: {metrics: [r2, bias], intervals: {}, columns: [patient]}
"""


@pytest.fixture
def write(folder):
    """Write targets, and predictions that have the errors given."""

    def written(targets, errors):
        np.savez(folder / "all.npz", t=targets, patient=np.arange(ROWS) % 3)
        for place, error in enumerate(errors.T):
            np.save(folder / f"guess{place}.npy", targets + error)
        (folder / "one.yaml").write_text(CONFIG)

    return written


@pytest.fixture
def guesses(write):
    """Predictions of equally good settings, the errors of each row alike; and the errors."""
    rng = np.random.default_rng(7)
    targets = 5.0 + rng.normal(size=ROWS)
    errors = rng.normal(size=(ROWS, 1)) + 0.5 * rng.normal(size=(ROWS, SETTINGS))
    write(targets, errors)
    return errors


@pytest.fixture
def runs(guesses, made):
    """Make the run of each setting, and return their folders."""

    def done(*overrides, settings=SETTINGS):
        for place in range(settings):
            made("one.yaml", f"run{place}", f"network.predictions=guess{place}.npy", *overrides)
        return [f"run{place}" for place in range(settings)]

    return done


@pytest.mark.slow
def test_the_order_of_the_runs_changes_nothing(runs, compared):
    names = runs()
    found = compared(*names)["winner"]
    for order in (names[::-1], [names[place] for place in (3, 0, 5, 1, 4, 2)]):
        assert compared(*order)["winner"] == found


def test_what_is_clearly_better_needs_no_correction(runs, folder, compared):
    np.save(folder / "guess2.npy", np.load(folder / "all.npz")["t"] + 0.01)
    found = compared(*runs())["winner"]
    assert found["name"] == "run2"
    assert found["corrected"]["value"] == pytest.approx(found["value"], rel=1e-9)
    assert found["within_one_standard_error"] == []


def test_the_measure_is_the_one_of_sort(runs, guesses, compared, shown):
    names = runs()
    found = compared(*names, "--sort", "r2")["winner"]
    assert found["by"] == "r2"
    assert found["name"] == f"run{(guesses**2).mean(axis=0).argmin()}"
    assert found["corrected"]["value"] < found["value"]
    told = "bias does not say whether a larger or a smaller number is better"
    assert f"because {told}." in shown("compare", *names, "--sort", "bias")


def test_a_loss_that_is_nan_does_not_win(runs, folder, compared, shown):
    broken = np.load(folder / "guess0.npy")
    broken[3] = np.nan
    np.save(folder / "guess0.npy", broken)
    names = runs("evaluate.allow_nan=true")
    found = compared(*names)["winner"]
    assert found["name"] != "run0"
    assert (found["count"], found["undefined"]) == (SETTINGS - 1, ["run0"])
    assert "left out, because loss is not finite: run0" in shown("compare", *names)


def test_where_there_is_no_winner_it_is_said_why(runs, made, compared):
    few = runs("evaluate.intervals.resample=column.patient", settings=3)
    assert compared(*few)["winner"] == {"why": "too few patients (3)"}
    names = runs(settings=3)
    assert compared(*names[:2])["winner"] is None
    made("one.yaml", "other", "loss=absolute_error")
    told = "the runs have different losses (compare --loss NAME takes one for all)"
    assert compared(*names, "other")["winner"] == {"why": told}
    made("one.yaml", "plain", "evaluate.intervals=null")
    assert "plain kept neither" in compared(*names, "plain")["winner"]["why"]


SWEEP = "sweep={grid: {network.predictions: [guess0.npy, guess1.npy, guess2.npy, nan.npy]}}"


def test_a_sweep_shows_the_winner_of_the_runs_that_are_done(guesses, command, folder):
    np.save(folder / "nan.npy", np.full(ROWS, np.nan))
    failed = command("run", "one.yaml", "-o", SWEEP, "--out", "all")
    assert failed.exit_code == 1
    name = f"network.predictions=guess{(guesses[:, :3] ** 2).mean(axis=0).argmin()}.npy"
    assert f"best of 3 by loss  {name}  " in failed.stdout
    assert "corrected for the choice: " in failed.stdout
    again = ("--out", "all", "--resume", "--json")
    plain = json.loads(command("run", "one.yaml", "-o", SWEEP, *again).stdout)
    assert [one["name"] for one in plain if "winner" in one] == [name]
    compared = lossfw.compare(folder / "all")
    assert compared.winner.name == name
    assert compared.winner.corrected.value > compared.winner.number.value


@pytest.mark.slow
def test_a_sweep_that_cannot_say_so_says_why(guesses, shown):
    run = ("run", "one.yaml", "-o", SWEEP.replace(", nan.npy", ""))
    told = "No run is named the best, because the runs are not saved: give --out DIR."
    assert told in shown(*run)
    assert "kept neither" in shown(*run, "-o", "evaluate.intervals=null", "--out", "none")
    wheres = "[column.patient < 1, column.patient < 2, column.patient < 3]"
    data = ("-o", f"sweep={{grid: {{data.where: {wheres}}}}}", "--out", "data")
    assert "because the runs have different data." in shown("run", "one.yaml", *data)


def test_seeds_of_one_setting_are_judged_by_their_mean(guesses, made, compared, shown):
    losses = (guesses**2).mean(axis=0).reshape(3, 2).mean(axis=1)
    for place in range(SETTINGS):
        model = f"model={{name: predictions, file: guess{place}.npy}}"
        given = (f"seed={place % 2}", model, "network=null")
        made("one.yaml", f"all/run{place}", *given, f"evaluate.intervals.seed={place // 2}")
    found = compared("all")["winner"]
    best = int(losses.argmin())
    assert found["name"] == f"evaluate.intervals.seed={best}"
    assert found["runs"] == [f"run{2 * best}", f"run{2 * best + 1}"]
    assert found["value"] == pytest.approx(losses[best])
    low, high = found["interval"]
    assert low < losses[best] < high
    assert found["corrected"]["value"] > found["value"]
    assert f"evaluate.intervals.seed={best} (mean of 2 seeds)  " in shown("compare", "all")


def test_the_page_of_a_comparison_shows_the_winner(runs):
    pytest.importorskip("matplotlib")
    from lossfw.report.html.comparison import comparison_page

    page = comparison_page(lossfw.compare(*runs(settings=3)), "three runs")
    assert "best of 3 by loss (squared_error) · run" in page
    assert "corrected for the choice: " in page


def test_a_difference_by_itself_has_a_dot_and_one_beside_all_a_star(write, runs, compared):
    # Of seven equally good settings one excludes 0 by itself.
    rng = np.random.default_rng(11)
    targets = rng.normal(size=ROWS)
    write(targets, rng.normal(size=(8, ROWS)).T)
    names = runs(settings=8)
    together, each = compared(*names), compared(*names, "--stars", "each")
    assert together["stars_hold_for"] == 7
    less, alone = (
        {one["name"]: one["differences"]["loss"] for one in found["runs"][1:]}
        for found in (together, each)
    )
    stars = {name for name, number in alone.items() if number["star"] == "*"}
    assert stars
    assert {name for name, number in less.items() if number["star"] == "."} == stars
    for number in less.values():
        assert number["star"] != "*"
        assert number["p"] <= number["p_adjusted"] <= 1.0
        low, high = number["interval"]
        assert (number["star"] != "") == (low > 0 or high < 0)
