"""``lossfw compare``: tables, CSV, Markdown, order."""

import csv
import io
import json
import re

import numpy as np

from lossfw.report.text.comparison import show_comparison
from lossfw.runs.compare import compare, find_runs


def test_csv_has_an_empty_cell_for_what_is_not_set(run, shown):
    run("one", "loss.guard-"), run("other", "loss.guard=floor")
    lines = list(csv.DictReader(io.StringIO(shown("compare", "one", "other", "--csv"))))
    assert [line["loss.guard"] for line in lines] == ["", "floor"]


def test_markdown_has_tables_and_no_marks_of_users(run, shown):
    run("a|b"), run("c_d*")
    head, rule = shown("compare", "a|b", "c_d*", "--markdown").splitlines()[:2]
    assert head == r"| result | a\|b | c\_d\* | second - first |"
    assert rule == "| --- | ---: | ---: | ---: |"


def test_the_order(run, compared, shown, refused):
    for name, predictions in (("b", "worse"), ("a", "good"), ("c", "good")):
        run(f"s/{name}", f"seed={ord(name)}", predictions=predictions)

    def order(*arguments):
        return "".join(one["name"] for one in compared("s", *arguments)["runs"])

    assert order() == "abc"
    assert order("--sort", "loss") == "acb"
    assert order("--sort", "loss", "--reverse")[0] == "b"
    assert order("--sort", "seed", "--reverse") == order("--sort", "name", "--reverse") == "cba"
    # Values of a setting stay with their runs.
    lines = shown("compare", "s/c", "s/a", "s/b", "--sort", "seed").splitlines()
    assert [line.split()[0:3:2] for line in lines[1:4]] == [["a", "97"], ["b", "98"], ["c", "99"]]
    refused("Did you mean 'accuracy'?", "s", "--sort", "acuracy")
    refused("exclude each other", "s", "--json", "--csv")


def test_on_a_narrow_terminal_cells_are_folded_and_nothing_is_cut(run, monkeypatch):
    names = [f"network.layers.{n}.units={u}" for n in (0, 1) for u in (5, 7)]
    runs = [find_runs([run(name, f"seed={len(name)}{name[-1]}")])[0][0] for name in names]
    monkeypatch.setenv("COLUMNS", "60")
    printed = io.StringIO()
    printed.isatty = lambda: True
    monkeypatch.setattr("sys.stdout", printed)
    show_comparison(compare(runs))
    # The remarks below the tables are sentences, which the terminal wraps.
    lines = re.sub(r"\x1b\[[\d;]*m", "", printed.getvalue()).rpartition("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= 60
    first_column = "".join(line.split("  ")[0].strip() for line in lines)
    assert all(name in first_column for name in names)


def test_another_level(run, compared, refused):
    run("one"), run("other", predictions="worse")
    found = [compared("one", "other", "--level", level)["runs"][1] for level in ("0.5", "0.99")]
    narrow, wide = (np.ptp(one["differences"]["loss"]["interval"]) for one in found)
    assert wide > 3 * narrow
    refused("level should be between 0 and 1", "one", "other", "--level", "95")


def test_metrics_json_is_what_compare_reads(run, compared):
    """A number that the rows do not give has no interval."""
    one, other = run("one"), run("other", predictions="worse")
    told = json.loads((other / "metrics.json").read_text())
    told["metrics"]["accuracy"]["value"] = 0.125
    (other / "metrics.json").write_text(json.dumps(told))
    found = compared(one, other)
    differences = found["runs"][1]["differences"]
    assert differences["accuracy"]["interval"] is None
    assert differences["loss"]["interval"] is not None
    assert "accuracy: the rows of other do not reproduce its value" in found["notes"][0]
