"""Means, spreads and differences over seeds, against the textbook."""

import itertools
import json
import statistics

import numpy as np
import pytest

from lossfw.runs.compare.seeds import SeedMember, seed_groups
from support.training_text import CONFIG

# The two-sided 95 percent point of Student's t with 2 degrees of freedom: Abramowitz and Stegun,
# table 26.10.
T_2 = 4.3027
LOSSES = {(0.1, 0): 1.0, (0.1, 1): 1.5, (0.1, 2): 1.1, (0.5, 0): 0.7, (0.5, 1): 1.3, (0.5, 2): 0.6}


def seeded(losses, **more):
    return [
        SeedMember(f"{rate},{seed}", {"rate": rate, "seed": seed, **more}, {"loss": loss})
        for (rate, seed), loss in losses.items()
    ]


def test_means_spreads_and_the_paired_t_test():
    first, second = seed_groups(seeded(LOSSES), 0.95)
    assert (first.name, second.name) == ("rate=0.1", "rate=0.5")
    for group, rate in ((first, 0.1), (second, 0.5)):
        own = [loss for (of, _), loss in LOSSES.items() if of == rate]
        found = group.numbers["loss"]
        assert found.mean == pytest.approx(statistics.fmean(own))
        assert found.deviation == pytest.approx(statistics.stdev(own))
        assert found.seeds == 3
    less = [LOSSES[0.5, seed] - LOSSES[0.1, seed] for seed in range(3)]
    half = T_2 * statistics.stdev(less) / 3**0.5
    found = second.differences["loss"]
    mean = found.spread.mean
    assert found.number.value == mean == pytest.approx(statistics.fmean(less))
    assert found.number.interval == pytest.approx([mean - half, mean + half], rel=1e-4)
    # Other seeds on the same data say nothing of recipes.
    assert (found.recipe, found.number.mark) == ("", "")
    assert first.differences == {}
    assert (first.base, second.base) == ("", first.name)


def test_infinite_losses_have_a_mean_and_no_spread():
    (group,) = seed_groups(seeded({(0.1, 0): np.inf, (0.1, 1): 2.0}), 0.95)
    assert group.numbers["loss"][:2] == (np.inf, None)


@pytest.mark.slow
def test_a_sweep_of_trainings_is_averaged_everywhere(folder, command):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(40, 3)).astype("f4")
    np.savez(folder / "data.npz", inputs=inputs, targets=(inputs[:, 0] > 0).astype(np.int64))
    (folder / "train.yaml").write_text(CONFIG)
    sweep = "sweep={grid: {train.optimizer.learning_rate: [0.5, 0.1]}, seeds: 2}"
    result = command("train", "train.yaml", "--out", "all", "-o", sweep)
    assert result.exit_code == 0, result.output
    found = json.loads(command("compare", "all", "--json").stdout)
    losses = {one["name"]: one["numbers"]["loss"] for one in found["trainings"]}
    for group in found["seeds"]:
        own = [losses[name] for name in group["members"]]
        assert len(own) == 2
        assert group["numbers"]["loss"]["mean"] == pytest.approx(statistics.fmean(own))
        assert group["seeds"] == [0, 1]
    shown = command("compare", "all").stdout
    assert "trainings over seeds" in shown
    assert "Differences have 95% intervals by Student's t over the seeds: would other" in shown
    assert "have 80% intervals" in command("compare", "all", "--level", "0.8").stdout
    assert "trainings over seeds" in command("compare", "all", "--markdown").stdout
    pytest.importorskip("matplotlib")
    assert command("report", "all").exit_code == 0
    page = (folder / "all" / "report.html").read_text()
    assert '<section id="seeds"' in page
    assert '<th scope="row">train.optimizer.learning_rate=0.1</th>' in page


def test_runs_of_a_seed_and_their_page(run, command, folder):
    for seed, (name, predictions) in itertools.product((0, 1), (("a", "good"), ("b", "worse"))):
        run(f"s/{name}{seed}", f"seed={seed}", predictions=predictions)
    found = json.loads(command("compare", "s", "--json").stdout)
    assert [group["members"] for group in found["seeds"]] == [["a0", "a1"], ["b0", "b1"]]
    assert "runs over seeds" in command("compare", "s").stdout
    assert json.loads(command("compare", "s/a0", "s/b0", "--json").stdout)["seeds"] == []
