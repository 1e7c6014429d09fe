"""What is said of intervals of differences: all are there, some are, none is."""

import html
import re

import pytest

from lossfw.runs.compare import compare, find_runs

PLUGIN = """\
from pathlib import Path
Path(__file__).with_name("executed").touch()
import numpy as np
from lossfw.metrics import RowMetric
class Sureness(RowMetric):
    "The mean of the largest probability."
    def rows(self, prediction, target):
        return np.max(prediction, axis=1)
"""


def page_of(*folders):
    """Return the text of the page that compares runs."""
    pytest.importorskip("matplotlib")
    from lossfw.report.html.comparison import comparison_page

    page = comparison_page(compare(find_runs(folders)[0]), "a title")
    return " ".join(
        html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", page, flags=re.S)).split()
    )


@pytest.mark.turns(4)
@pytest.mark.parametrize(
    ("kept", "caption", "remark"),
    [
        ("abc", "in 2 of 2 runs the interval excludes 0",
         "paired by 60 rows taken as independent; given these models. *"),
        ("ab", "the interval of the only run with one excludes 0; 1 run has none, because the rows",
         "note: c has no rows, so differences are not paired and have no interval: write"),
        ("bc", "none of them has an interval, because the rows of a were not kept",
         "No difference has an interval, because the rows of a were not kept"),
        ("", "none of them has an interval, because the rows of a and b were not kept",
         "note: a, b and c have no rows, so"),
    ],
)  # fmt: skip
def test_a_missing_interval_counts_as_none(run, shown, kept, caption, remark):
    runs = [
        run(name, rows=str(name in kept).lower(), predictions="good" if name == "a" else "worse")
        for name in "abc"
    ]
    page = page_of(*runs)
    assert caption in re.findall(r"Right: the difference; ([^.]*)\.", page)[0]
    paired = kept.startswith("a")
    if not paired:
        assert " in 0 of" not in page
    text = shown("compare", *runs)
    assert remark in text
    assert ("excludes 0" in text) == paired
    # Whoever reads the page has no command at hand.
    assert "save_rows: true" not in page
    assert text.count("note: ") == (kept != "abc")


def test_a_number_that_no_choice_of_rows_changes_has_no_interval(run):
    page = page_of(run("a"), run("b"))
    # Each caption is the description of its picture, too.
    assert page.count("it has no interval, because resampling the rows does not change it") == 6


@pytest.mark.parametrize("trusted", [False, True])
def test_a_plugin_takes_no_interval_from_other_metrics(run, compared, folder, trusted):
    (folder / "mine.py").write_text(PLUGIN)
    a, b = (
        run(name, "plugins=[mine.py]", predictions=p, metrics="[sureness, accuracy]")
        for name, p in (("a", "good"), ("b", "worse"))
    )
    (folder / "executed").unlink()
    # A new text is a module that this process has not imported.
    (folder / "mine.py").write_text(f"{PLUGIN}# again\n")
    found = compared(a, b, *(["--trust"] if trusted else []))
    assert (folder / "executed").exists() == trusted
    differences = found["runs"][1]["differences"]
    assert differences["loss"]["interval"]
    assert differences["accuracy"]["interval"]
    assert bool(differences["sureness"]["interval"]) == trusted
    assert len(found["notes"]) == (not trusted)
    if not trusted:
        told = "differences of sureness have no interval, because the plugin that computes it was"
        assert found["notes"][0].startswith(told)
        assert found["notes"][0].endswith("which executes mine.py.")
        page = page_of(a, b)
        assert told.capitalize() in page
        assert "--trust" not in page
        assert str(folder) not in page


def test_brackets_are_of_one_kind(run, shown, compared):
    ninety = run("a", "evaluate.intervals={level: 0.9}", rows="false")
    drawn = run("b", "evaluate.intervals={level: 0.9, method: bootstrap}", rows="false")
    plain = run("c", predictions="worse")
    # As runs of an older lossfw: with the sums by unit, both would have intervals of one kind.
    for folder in (ninety, drawn):
        (folder / "units.npz").unlink()
    found = compared(ninety, drawn)
    assert [bool(one["numbers"]["loss"]["interval"]) for one in found["runs"]] == [True, False]
    assert "the intervals of b have another level or method" in found["notes"][1]
    # The first run that has intervals decides how those of the others are made.
    asked = {"level": 0.9, "method": "bootstrap", "replicates": 1000, "seed": 0}
    assert compared(plain, drawn)["intervals"] == asked | {"resample": "rows"}
    for level, more in ((90, ()), (80, ("--level", "0.8"))):
        told = f"In brackets: {level}% intervals, by the bootstrap."
        assert told in shown("compare", plain, drawn, *more)
