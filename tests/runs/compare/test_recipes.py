"""Differences of recipes: runs and trainings over seeds, by units and by folds."""

import itertools
import json
import statistics

import numpy as np
import pytest

import lossfw as framework
from lossfw.errors import DataError
from lossfw.evaluation.intervals.student import t_quantile
from lossfw.report.html.comparison import comparison_page

ROWS, SEEDS = 60, 3
OTHER = {"a": "rmse", "b": "r2", "c": ""}
EVALUATED = """\
lossfw: 1
data: {name: arrays, targets: y.npy}
model: {name: predictions, file: a0.npy}
loss: squared_error
evaluate: {save_rows: true, intervals: {}, metrics: [mae], allow_nan: true}
"""
TRAINED = """\
lossfw: 1
data: {name: arrays, inputs: x.npy, targets: y.npy}
network: {layers: [{units: 2, activation: tanh}, {units: 1, activation: identity}]}
loss: squared_error
evaluate: {metrics: [mae]}
train:
  epochs: 2
  optimizer: {name: adam, learning_rate: 0.05}
  hold_out: {folds: 3}
"""


@pytest.fixture
def data(folder):
    """Rows, and predictions of two recipes by three seeds, the second one worse."""
    random = np.random.default_rng(8)
    y = random.normal(size=ROWS)
    np.save(folder / "y.npy", y)
    np.save(folder / "x.npy", np.column_stack([y, random.normal(size=ROWS)]))
    for seed, (name, more) in itertools.product(range(SEEDS), (("a", 0.0), ("b", 0.5), ("c", 0))):
        bias = more + 0.1 * random.normal()
        np.save(folder / f"{name}{seed}.npy", y + bias + 0.5 * random.normal(size=ROWS))
    (folder / "run.yaml").write_text(EVALUATED)
    (folder / "train.yaml").write_text(TRAINED)
    return folder


@pytest.fixture
def runs(data, made):
    """Make runs of seeds by recipe, in one folder, and return the folder."""

    def done(seeds):
        for name, given in seeds.items():
            for seed in given:
                # A second metric is a setting in which the recipes differ, and changes nothing.
                metrics = f"evaluate.metrics=[mae, {OTHER[name]}]"
                model = f"model.file={name}{seed}.npy"
                made("run.yaml", f"all/{name}{seed}", model, f"seed={seed}", metrics)
        return "all"

    return done


def losses_of(run):
    lines = [json.loads(line) for line in (run / "results.jsonl").read_text().splitlines()]
    return np.array([line["loss"] for line in lines])


def held_out_losses(run):
    told = [json.loads((run / f"fold={k}/training.json").read_text()) for k in range(3)]
    return np.array([training["epochs"][-1]["held_out"]["loss"] for training in told])


def by_units_and_seeds(less):
    """Return the interval of the mean of differences (seeds, rows), by the textbook."""
    seeds, rows = less.shape
    of_units = less.mean(axis=0).var(ddof=1) / rows
    of_seeds = less.mean(axis=1).var(ddof=1) / seeds
    square = of_units + of_seeds
    freedom = square**2 / (of_units**2 / (rows - 1) + of_seeds**2 / (seeds - 1))
    half = t_quantile(0.95, freedom) * square**0.5
    return [less.mean() - half, less.mean() + half]


def by_folds(less, share):
    """Return half of the interval of Nadeau and Bengio, of differences (seeds, folds)."""
    n = less.size
    return t_quantile(0.95, n - 1) * (less.var(ddof=1) * (1 / n + share / (1 - share))) ** 0.5


def test_without_folds_units_and_seeds_add_up(runs, data, shown, compared):
    found = framework.compare(runs({"a": range(3), "b": range(3)}))
    (_, second) = found.seeds
    less = [losses_of(data / f"all/b{s}") - losses_of(data / f"all/a{s}") for s in range(3)]
    one = second.differences["loss"]
    assert one.number.interval == pytest.approx(by_units_and_seeds(np.array(less)), rel=1e-9)
    assert one.recipe == "60 rows taken as independent and 3 seeds, given the training rows"
    assert one.number.star == "*"
    # Of one model each there is no star where there are several.
    assert all(d.mark == "" for of in found.differences.values() for d in of.values())
    assert f"over seeds less {second.base}" in str(found)
    assert str(found).count(" *") == 2
    text = shown("compare", "all")
    assert "Differences of recipes: 60 rows taken as independent and 3 seeds, given" in text
    assert text.count("*") == 3  # of the loss, of the metric, and what it means
    stored = compared("all")["seeds"][1]["differences"]["loss"]
    assert stored["recipe"] == one.recipe
    assert stored["p"] == stored["p_adjusted"] < 0.05
    assert stored["interval"] == one.number.interval
    # Any order of the runs gives the same bits.
    for order in ("a2 b1 b0 a0 b2 a1", "a1 a0 a2 b2 b0 b1"):
        again = framework.compare(*(f"all/{name}" for name in order.split()))
        number = again.seeds[1].differences["loss"].number
        assert number.value == pytest.approx(one.number.value, rel=1e-14)
        assert number.interval == pytest.approx(one.number.interval, rel=1e-12)


@pytest.mark.slow
def test_two_seeds_are_no_recipes_and_three_in_some_groups_are(runs, shown):
    runs({"a": (0, 1), "b": (0, 1)})
    text = shown("compare", "all")
    assert "t over the seeds: would other seeds on the same data give the same answer?" in text
    assert "For recipes take at least 3 seeds, and keep rows or intervals." in text
    runs({"a": (2,), "c": range(3)})
    b, c = framework.compare("all").seeds[1:]
    assert (b.differences["loss"].recipe, b.differences["loss"].spread.seeds) == ("", 2)
    assert "and 3 seeds" in c.differences["loss"].recipe
    tables = shown("compare", "all").split("runs over seeds")[1]
    # One kind of interval in a table: that of two seeds is only in the JSON.
    line = next(line for line in tables.splitlines() if line.startswith(b.name) and "+" in line)
    assert "[" not in line
    assert b.differences["loss"].number.interval is not None
    assert "A difference without an interval has too few seeds" in tables


def test_a_damaged_file_of_sums_is_told_and_rows_take_its_place(runs, data, shown):
    runs({"a": range(3), "b": range(3)})
    expected = framework.compare("all").seeds[1].differences["loss"].number
    (data / "all/b1/units.npz").write_bytes(b"PK damaged")
    found = framework.compare("all")
    assert any("units.npz is damaged" in str(note) for note in found.notes)
    assert found.seeds[1].differences["loss"].number.interval == pytest.approx(expected.interval)
    (data / "all/b1/results.jsonl").unlink()
    text = shown("compare", "all")
    for words in ("units.npz is damaged", "b1 has no rows", "Student's t over the seeds"):
        assert words in text


def test_a_loss_that_is_nan_has_no_interval(runs, data):
    y = np.load(data / "y.npy")
    y[3] = np.nan
    np.save(data / "b1.npy", y)
    runs({"a": range(3), "b": range(3)})
    less = framework.compare("all").seeds[1].differences
    assert np.isnan(less["loss"].number.value)
    assert (less["loss"].recipe, less["loss"].number.interval) == ("", None)


@pytest.mark.slow
def test_with_folds_the_wider_interval_counts(data, shown):
    grid = "sweep={grid: {network.layers.0.units: [2, 3]}, seeds: 3}"
    framework.train_all("train.yaml", overrides=[grid], out="folded")
    folded = data / "folded"
    found = framework.compare(folded)
    second = found.seeds[1]
    names = [f"network.layers.0.units={units},seed={{}}" for units in (2, 3)]
    rows, folds = [], []
    for seed in range(3):
        base, one = (folded / name.format(seed) for name in names)
        rows.append(losses_of(one) - losses_of(base))
        folds.append(held_out_losses(one) - held_out_losses(base))
    rows, half = np.array(rows), by_folds(np.array(folds), 1 / 3)
    expected = by_units_and_seeds(rows)
    if half > (expected[1] - expected[0]) / 2:
        expected = [rows.mean() - half, rows.mean() + half]
    one = second.differences["loss"]
    assert one.number.interval == pytest.approx(expected, rel=1e-6)
    assert one.recipe == "3 folds x 3 seeds, corrected for shared rows"
    text = shown("compare", "folded")
    assert f"Differences of recipes: {one.recipe}; 95% intervals." in text
    assert "for recipes take" not in text
    pair = shown("compare", *(f"folded/{name.format(0)}" for name in names))
    assert "given these models; for recipes take at least 3 seeds." in pair
    pytest.importorskip("matplotlib")
    page = comparison_page(found, "settings")
    assert f"Differences of recipes: {one.recipe}" in page
    assert "A star marks" not in page
    assert '<section id="seeds"' in page
    assert '<th scope="row">network.layers.0.units=3</th>' in page
    # Scored by the stored rows, a loss has the same interval; the trainings know nothing of it.
    again = framework.compare(folded, loss={"name": "squared_error", "factor": 2.0})
    less = again.seeds[1].differences["loss"]
    assert less.recipe == one.recipe
    doubled = [2 * end for end in one.number.interval]
    assert less.number.interval == pytest.approx(doubled, rel=1e-5)
    held_out = folded / names[1].format(1) / "fold=0" / "held_out.npz"
    kept = held_out.read_bytes()
    held_out.write_bytes(kept[:60])
    with pytest.raises(DataError, match=r"held_out\.npz is damaged: train again"):
        framework.compare(folded, metrics=["rmse"])
    held_out.write_bytes(kept)
    # Without the folders of the folds units and seeds are left.
    fold = folded / "network.layers.0.units=3,seed=1" / "fold=0" / "training.json"
    content = fold.read_text()
    fold.unlink()
    less = framework.compare(folded).seeds[1].differences["loss"]
    assert less.recipe == "60 rows taken as independent and 3 seeds"
    fold.write_text(content[:50])
    with pytest.raises(DataError, match=r"fold=0.training\.json"):
        framework.compare(folded)


def test_other_folds_are_not_paired(data):
    for folds in (2, 3):
        sweep = [f"train.hold_out.folds={folds}", "sweep={seeds: 3}", "train.epochs=1"]
        framework.train_all("train.yaml", overrides=sweep, out=f"k{folds}")
    found = framework.compare("k2", "k3").seeds[1]
    assert found.name == "train.hold_out.folds=3"
    assert found.differences["loss"].recipe == "60 rows taken as independent and 3 seeds"


def test_trainings_that_hold_out_rows_by_seed_are_corrected_for_shared_rows(data):
    grid = "sweep={grid: {network.layers.0.units: [2, 3]}, seeds: 3}"
    share = "train.hold_out={fraction: 0.25}"
    framework.train_all("train.yaml", overrides=[grid, share], out="shares")
    found = framework.compare("shares")
    losses = np.array([run.numbers["held-out loss"] for run in found.runs])
    less = (losses[3:] - losses[:3])[:, None]
    half, mean = by_folds(less, 0.25), less.mean()
    one = found.seeds[1].differences["held-out loss"]
    assert one.number.interval == pytest.approx([mean - half, mean + half], rel=1e-9)
    assert one.recipe.startswith("3 seeds that each hold out 25% of the rows, taken as independent")
    # The loss of the training rows judges nothing.
    assert found.seeds[1].differences["loss"].recipe == ""
    other = framework.compare("shares").to_dict()["seeds"][1]["differences"]
    assert other["held-out loss"]["recipe"] == one.recipe
    # Without rows that the seed draws there is only the t-test.
    sweep = [grid, "train.hold_out-", "train.epochs=1"]
    framework.train_all("train.yaml", overrides=sweep, out="all rows")
    assert framework.compare("all rows").seeds[1].differences["loss"].recipe == ""


def test_other_losses_have_no_difference_over_seeds(data):
    grid = "sweep={grid: {loss: [{name: huber, delta: 1.0}, {name: huber, delta: 2.0}]}, seeds: 2}"
    framework.train_all("train.yaml", overrides=[grid, "train.hold_out-"], out="deltas")
    second = framework.compare("deltas").seeds[1]
    assert list(second.differences) == ["mae"]


# The two-sided 95 percent point of Student's t with 1 degree of freedom: Abramowitz and Stegun,
# table 26.10.
T_1 = 12.706


def test_two_seeds_have_means_spreads_and_the_paired_t_test(run, shown, compared):
    good, worse = np.load("good.npy"), np.load("worse.npy")
    # A second metric is a setting in which the recipes differ.
    metrics = {"a": "[accuracy]", "b": "[accuracy, brier]"}
    for name, share in (("a0", 0.0), ("a1", 0.1), ("b0", 0.6), ("b1", 0.9)):
        np.save(f"{name}.npy", (1 - share) * good + share * worse)
        model = f"model={{name: predictions, file: {name}.npy}}"
        run(f"s/{name}", "network=null", model, f"seed={name[1]}", metrics=metrics[name[0]])
    found = framework.compare("s")
    losses = {run.name: run.numbers["loss"].value for run in found.runs}
    first, second = found.seeds
    for group, members in ((first, ("a0", "a1")), (second, ("b0", "b1"))):
        own = [losses[name] for name in members]
        assert tuple(member.name for member in group.members) == members
        assert group.numbers["loss"].mean == pytest.approx(statistics.fmean(own))
        assert group.numbers["loss"].deviation == pytest.approx(statistics.stdev(own))
        assert group.numbers["loss"].seeds == 2
    less = [losses[f"b{seed}"] - losses[f"a{seed}"] for seed in range(2)]
    mean, half = statistics.fmean(less), T_1 * statistics.stdev(less) / 2**0.5
    number = second.differences["loss"].number
    assert number.value == pytest.approx(mean)
    assert number.interval == pytest.approx([mean - half, mean + half], rel=1e-4)
    # Other seeds on the same data say nothing of recipes.
    assert (second.differences["loss"].recipe, number.mark) == ("", "")
    assert (first.differences, first.base, second.base) == ({}, "", first.name)
    text = shown("compare", "s")
    assert "runs over seeds" in text
    assert "Differences have 95% intervals by Student's t over the seeds: would other" in text
    assert "have 80% intervals" in shown("compare", "s", "--level", "0.8")
    assert "runs over seeds" in shown("compare", "s", "--markdown")
    assert compared("s/a0", "s/b0")["seeds"] == []
