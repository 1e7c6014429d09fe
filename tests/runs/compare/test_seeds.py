"""Means, spreads and differences over seeds, against the textbook."""

import itertools
import statistics

import numpy as np
import pytest

from lossfw.runs.compare.seeds import SeedMember, seed_groups

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


def test_runs_of_a_seed_and_their_page(run, shown, compared, folder):
    good, worse = np.load("good.npy"), np.load("worse.npy")
    # A second metric is a setting in which the recipes differ.
    metrics = {"a": "[accuracy]", "b": "[accuracy, brier]"}
    for seed, (name, share) in itertools.product((0, 1), (("a", 0.0), ("b", 0.6))):
        share += 0.3 * seed * (name == "b")
        np.save(f"{name}{seed}.npy", (1 - share) * good + share * worse)
        model = f"model={{name: predictions, file: {name}{seed}.npy}}"
        run(f"s/{name}{seed}", "network=null", model, f"seed={seed}", metrics=metrics[name])
    found = compared("s")
    losses = {one["name"]: one["numbers"]["loss"]["value"] for one in found["runs"]}
    for group, members in zip(found["seeds"], (["a0", "a1"], ["b0", "b1"]), strict=True):
        assert group["members"] == members
        mean = statistics.fmean(losses[name] for name in members)
        assert group["numbers"]["loss"]["mean"] == pytest.approx(mean)
        assert group["seeds"] == [0, 1]
    text = shown("compare", "s")
    assert "runs over seeds" in text
    assert "Differences have 95% intervals by Student's t over the seeds: would other" in text
    assert "have 80% intervals" in shown("compare", "s", "--level", "0.8")
    assert "runs over seeds" in shown("compare", "s", "--markdown")
    assert compared("s/a0", "s/b0")["seeds"] == []
    pytest.importorskip("matplotlib")
    shown("report", "s")
    page = (folder / "s" / "report.html").read_text()
    assert '<section id="seeds"' in page
    assert '<th scope="row">evaluate.metrics.1=brier</th>' in page
