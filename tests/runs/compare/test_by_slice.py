"""Runs compared on parts of their rows: as if only these rows had been evaluated."""

import csv
import io
import json
import shutil

import numpy as np
import pytest

import lossfw
from lossfw.runs.compare import compare, find_runs
from lossfw.runs.compare.by_slice import slice_of_runs
from lossfw.runs.compare.rows import read_rows

REGIONS = np.array(["north", "south", "", "west"])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with two runs of 160 rows with columns, slices and intervals, and rows of both."""
    folder = tmp_path_factory.mktemp("pair")
    random = np.random.default_rng(8)
    rows = 160
    z = random.normal(size=(rows, 3))
    kinds = np.array(["ant", "bee", "cat"])[(z + random.normal(size=z.shape)).argmax(1)]
    weights = random.integers(0, 3, rows) / 2
    regions, ages = REGIONS[np.arange(rows) % 4], random.integers(0, 9, rows)
    lines = [f"{k},{w},{r},{a}" for k, w, r, a in zip(kinds, weights, regions, ages, strict=True)]
    (folder / "d.csv").write_text("\n".join(["kind,w,region,age", *lines]) + "\n")
    for name, noise in (("a", 0.0), ("b", 0.8)):
        logits = 1.5 * z + noise * random.normal(size=z.shape)
        np.save(folder / f"{name}.npy", np.exp(logits) / np.exp(logits).sum(1, keepdims=True))
        (folder / f"{name}.yaml").write_text(
            "lossfw: 1\n"
            "data: {name: arrays, file: d.csv, targets_key: kind, sample_weight_key: w}\n"
            f"network: {{predictions: {name}.npy}}\nloss: {{name: cross_entropy, guard: none}}\n"
            "evaluate:\n  save_rows: true\n  metrics: [accuracy, brier]\n"
            "  intervals: {level: 0.9}\n"
            "  slices: [column.region, target, {name: old, by: column.age, bins: [3, 6]}]\n"
        )
        lossfw.run(folder / f"{name}.yaml", out=folder / name)
    return folder


@pytest.fixture
def pair(folder, written):
    """The two runs, in a folder of its own for each test."""
    shutil.copytree(written, folder, dirs_exist_ok=True)
    return [find_runs([folder / name])[0][0] for name in ("a", "b")]


def test_the_difference_in_a_part_is_that_of_its_rows(pair, compared):
    rows = [read_rows(run.path).sorted_by_number() for run in pair]
    found = compared("a", "b", "--by", "column.region")
    names = np.array(["" if x is None else x for x in rows[0].columns["region"].labels_or_none])
    own = names[rows[0].columns["region"].values]
    for part in found["slices"]:
        there = own == ("" if "missing" in part["value"] else part["value"])
        weight = rows[0].weight[there]
        counts = weight > 0
        means = [np.average(one.loss[there][counts], weights=weight[counts]) for one in rows]
        less = part["runs"][1]["differences"]["loss"]
        assert less["value"] == pytest.approx(means[1] - means[0], rel=1e-9)
        assert less["interval"][0] < less["value"] < less["interval"][1]
        assert part["runs"][0]["differences"] == {}


def test_parts_are_shown_in_every_form(pair, shown, compared, folder):
    def by_target(*form):
        return shown("compare", "a", "b", "--by", "target", *form)

    text = by_target()
    assert "loss (cross_entropy) by target  rows  a " in text
    parts = [line[:3] for line in text.splitlines() if line[:4] in ("ant ", "bee ", "cat ")]
    assert parts == ["ant", "bee", "cat"] * 3
    assert r"| brier by target | rows | a | b | second - first |" in by_target("--markdown")
    lines = list(csv.DictReader(io.StringIO(by_target("--csv"))))
    assert [(line["run"], line["target"]) for line in lines] == [
        (run, part) for run in "ab" for part in ("", "ant", "bee", "cat")
    ]
    counted = int((read_rows(folder / "a").weight > 0).sum())
    assert sum(int(line["rows"]) for line in lines[1:4]) == counted < int(lines[0]["rows"]) == 160
    again = lossfw.compare("a", "b", by="target").to_dict()["slices"]
    assert json.loads(json.dumps(again)) == json.loads(by_target("--json"))["slices"]


def test_a_page_shows_the_parts(pair):
    pytest.importorskip("matplotlib")
    from lossfw.report.html.comparison import comparison_page

    page = comparison_page(compare(pair, by=slice_of_runs("column.region")), "a title")
    assert "<h3>accuracy by region</h3>" in page
    assert page.count('<th scope="row">west</th>') == 3


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_column_that_was_not_kept_is_read_from_the_data(
    pair, made, refused, compared, folder, form
):
    wanted = compared("a", "b", "--by", "column.region")["slices"]
    for name in "ab":
        made(f"{name}.yaml", name, "evaluate.slices-", f"evaluate.save_rows={form}")
    assert compared("a", "b", "--by", "column.region")["slices"] == wanted
    text = (folder / "d.csv").read_text()
    (folder / "d.csv").write_text(text + "ant,1,north,3\n")
    told = "data 'arrays (d.csv)' have changed since the run"
    refused(told, "a", "b", "--by", "column.region")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "column.regio"], "have no column 'regio'; they have age, region. Did you mean"),
        (["--by", "column.regio"], "Runs keep it with evaluate: {columns: [regio]}."),
        (["--by", "prediction.max"], "by target, or by a column of the data, as column.region"),
        (["--by", "region"], "by target, or by a column of the data"),
        (["--by", "column.age", "--bins", "3,x"], "expected numbers, as in --bins 30,50"),
        (["--by", "column.age", "--bins", "6,3"], "bins should increase"),
        (["--bins", "3"], "--bins needs --by WHAT"),
    ],
)
def test_what_cannot_tell_rows_apart(pair, refused, arguments, said):
    refused(said, "a", "b", *arguments)


def test_parts_need_rows(run, refused):
    one, other = run("one", rows="false"), run("other")
    told = "those of one were not kept, or are different ones: write evaluate: {save_rows"
    refused(told, one, other, "--by", "target")
