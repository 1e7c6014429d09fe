"""The best of many runs, corrected for the choice: in compare, in sweeps and on pages."""

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
def guesses(folder):
    """Predictions of equally good settings, the errors of each row alike; and the errors."""
    rng = np.random.default_rng(7)
    targets = 5.0 + rng.normal(size=ROWS)
    np.savez(folder / "all.npz", t=targets, patient=np.arange(ROWS) % 3)
    errors = rng.normal(size=(ROWS, 1)) + 0.5 * rng.normal(size=(ROWS, SETTINGS))
    for place in range(SETTINGS):
        np.save(folder / f"guess{place}.npy", targets + errors[:, place])
    (folder / "one.yaml").write_text(CONFIG)
    return errors


@pytest.fixture
def made(guesses, command):
    """Make the run of each setting, and return their folders."""

    def done(*overrides, settings=SETTINGS):
        for place in range(settings):
            given = ["-o", f"network.predictions=guess{place}.npy"]
            given += [word for one in overrides for word in ("-o", one)]
            result = command("run", "one.yaml", "--out", f"run{place}", *given)
            assert result.exit_code == 0, result.output
        return [f"run{place}" for place in range(settings)]

    return done


@pytest.mark.slow
def test_the_order_of_the_runs_changes_nothing(made, compared):
    runs = made()
    assert compared(*runs)["winner"] == compared(*runs[::-1])["winner"]
    shuffled = [runs[place] for place in (3, 0, 5, 1, 4, 2)]
    assert compared(*runs)["winner"] == compared(*shuffled)["winner"]


def test_what_is_clearly_better_needs_no_correction(made, folder, compared):
    targets = np.load(folder / "all.npz")["t"]
    np.save(folder / "guess2.npy", targets + 0.01)
    found = compared(*made())["winner"]
    assert found["name"] == "run2"
    assert found["corrected"]["value"] == pytest.approx(found["value"], rel=1e-9)
    assert found["within_one_standard_error"] == []


def test_the_measure_is_the_one_of_sort(made, guesses, compared, command):
    runs = made()
    found = compared(*runs, "--sort", "r2")["winner"]
    assert found["by"] == "r2"
    assert found["name"] == f"run{(guesses**2).mean(axis=0).argmin()}"
    assert found["corrected"]["value"] < found["value"]
    shown = command("compare", *runs, "--sort", "bias").stdout
    told = "bias does not say whether a larger or a smaller number is better"
    assert f"No run is named the best, because {told}." in shown


def test_a_loss_that_is_nan_does_not_win(made, folder, compared, command):
    broken = np.load(folder / "guess0.npy")
    broken[3] = np.nan
    np.save(folder / "guess0.npy", broken)
    runs = made("evaluate.allow_nan=true")
    found = compared(*runs)["winner"]
    assert found["name"] != "run0"
    assert (found["count"], found["undefined"]) == (SETTINGS - 1, ["run0"])
    shown = command("compare", *runs).stdout
    assert "left out, because loss is not finite: run0" in shown


def test_too_few_units_name_no_winner(made, compared):
    runs = made("evaluate.intervals.resample=column.patient", settings=3)
    assert compared(*runs)["winner"] == {"why": "too few patients (3)"}


def test_two_runs_have_no_winner_and_others_say_why(made, command, compared):
    runs = made(settings=3)
    assert compared(*runs[:2])["winner"] is None
    command("run", "one.yaml", "--out", "other", "-o", "loss=absolute_error")
    found = compared(*runs, "other")["winner"]
    told = "the runs have different losses (compare --loss NAME takes one for all)"
    assert found == {"why": told}
    command("run", "one.yaml", "--out", "plain", "-o", "evaluate.intervals=null")
    assert "plain kept neither" in compared(*runs, "plain")["winner"]["why"]


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
def test_a_sweep_that_cannot_say_so_says_why(guesses, command):
    sweep = SWEEP.replace(", nan.npy", "")
    shown = command("run", "one.yaml", "-o", sweep).stdout
    assert "No run is named the best, because the runs are not saved: give --out DIR." in shown
    none = ("-o", "evaluate.intervals=null", "--out", "none")
    assert "kept neither" in command("run", "one.yaml", "-o", sweep, *none).stdout
    data = (
        "sweep={grid: {data.where: [column.patient < 1, column.patient < 2, column.patient < 3]}}"
    )
    shown = command("run", "one.yaml", "-o", data, "--out", "data").stdout
    assert "because the runs have different data." in shown


def test_seeds_of_one_setting_are_judged_by_their_mean(guesses, command, compared):
    losses = (guesses**2).mean(axis=0).reshape(3, 2).mean(axis=1)
    for place in range(SETTINGS):
        given = (
            f"seed={place % 2}",
            f"model={{name: predictions, file: guess{place}.npy}}",
            "network=null",
            f"evaluate.intervals.seed={place // 2}",
        )
        options = [word for one in given for word in ("-o", one)]
        result = command("run", "one.yaml", *options, "--out", f"all/run{place}")
        assert result.exit_code == 0, result.output
    found = compared("all")["winner"]
    best = int(losses.argmin())
    assert found["name"] == f"evaluate.intervals.seed={best}"
    assert found["runs"] == [f"run{2 * best}", f"run{2 * best + 1}"]
    assert found["value"] == pytest.approx(losses[best])
    low, high = found["interval"]
    assert low < losses[best] < high
    assert found["corrected"]["value"] > found["value"]
    shown = command("compare", "all").stdout
    assert f"evaluate.intervals.seed={best} (mean of 2 seeds)  " in shown


def test_the_page_of_a_comparison_shows_the_winner(made):
    pytest.importorskip("matplotlib")
    from lossfw.report.html.comparison import comparison_page

    page = comparison_page(lossfw.compare(*made(settings=3)), "three runs")
    assert "best of 3 by loss (squared_error) · run" in page
    assert "corrected for the choice: " in page
