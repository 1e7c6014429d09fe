"""``lossfw compare``: tables, CSV, Markdown, order."""

import csv
import io
import json
import re

from lossfw.report.text.comparison import show_comparison
from lossfw.runs.compare import compare, find_runs


def test_csv_has_an_empty_cell_for_what_is_not_set(run, command):
    run("one", "loss.guard-"), run("other", "loss.guard=floor")
    lines = list(csv.DictReader(io.StringIO(command("compare", "one", "other", "--csv").stdout)))
    assert [line["loss.guard"] for line in lines] == ["", "floor"]


def test_markdown_has_tables_and_no_marks_of_users(run, command):
    run("a|b"), run("c_d*")
    result = command("compare", "a|b", "c_d*", "--markdown")
    assert result.exit_code == 0
    head, rule = result.stdout.splitlines()[:2]
    assert head == r"| result | a\|b | c\_d\* | second - first |"
    assert rule == "| --- | ---: | ---: | ---: |"


def test_the_order(run, command, folder):
    for name, predictions in (("b", "worse"), ("a", "good"), ("c", "good")):
        run(f"s/{name}", f"seed={ord(name)}", predictions=predictions)

    def order(*arguments):
        result = command("compare", "s", "--json", *arguments)
        assert result.exit_code == 0, result.output
        return [one["name"] for one in json.loads(result.stdout)["runs"]]

    assert order() == ["a", "b", "c"]
    assert order("--sort", "loss") == ["a", "c", "b"]
    assert order("--sort", "loss", "--reverse")[0] == "b"
    assert order("--sort", "seed", "--reverse") == ["c", "b", "a"]
    assert order("--sort", "name", "--reverse") == ["c", "b", "a"]
    result = command("compare", "s", "--sort", "acuracy")
    assert result.exit_code == 2
    assert "did you mean 'accuracy'?" in result.stderr.lower()


def test_values_of_a_setting_stay_with_their_runs_in_any_order(run, command):
    run("one", "seed=2"), run("two", "seed=1"), run("three", "seed=3")
    lines = command("compare", "one", "two", "three", "--sort", "seed").stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:4]] == [["two", "1"], ["one", "2"], ["three", "3"]]


def test_on_a_narrow_terminal_cells_are_folded_and_nothing_is_cut(run, monkeypatch):
    names = [f"network.layers.{n}.units={u}" for n in (0, 1) for u in (5, 7)]
    runs = [find_runs([run(name, f"seed={len(name)}{name[-1]}")])[0][0] for name in names]
    monkeypatch.setenv("COLUMNS", "60")
    shown = io.StringIO()
    shown.isatty = lambda: True
    monkeypatch.setattr("sys.stdout", shown)
    show_comparison(compare(runs))
    # The remarks below the tables are sentences, which the terminal wraps.
    lines = re.sub(r"\x1b\[[\d;]*m", "", shown.getvalue()).rpartition("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= 60
    first_column = "".join(line.split("  ")[0].strip() for line in lines)
    assert all(name in first_column for name in names)


def test_another_level(run, command):
    run("one"), run("other", predictions="worse")
    widths = []
    for level in ("0.5", "0.99"):
        found = json.loads(command("compare", "one", "other", "--level", level, "--json").stdout)
        low, high = found["runs"][1]["differences"]["loss"]["interval"]
        widths.append(high - low)
    assert widths[1] > 3 * widths[0]
    result = command("compare", "one", "other", "--level", "95")
    assert result.exit_code == 2
    assert "level should be between 0 and 1" in result.stderr


def test_one_form_at_a_time(run, command):
    run("one"), run("other")
    result = command("compare", "one", "other", "--json", "--csv")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr
