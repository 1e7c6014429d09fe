import json
import math

import pytest

from lossfw.config.text import source
from lossfw.runs import execute

# -(log 1/4 + log 1/2) / 2
LOSS = 1.5 * math.log(2)


def test_the_report_says_what_was_evaluated_and_what_came_out(lossfw):
    result = lossfw("run", "run.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = {line.split("  ")[0]: line for line in result.stdout.splitlines()}
    assert "inline, 2 rows" in lines["data"]
    assert "(2, 2)" in lines["network"]
    assert "guard='none'" in lines["loss"]
    assert "from predictions" in lines["loss"]
    assert float(lines["cross_entropy"].split()[-1]) == pytest.approx(LOSS, rel=1e-15)
    assert lines["accuracy"].split() == ["accuracy", "0.0"]
    assert "%" in lines["slowest"]


def test_json_is_one_object_and_nothing_else(lossfw):
    result = lossfw("run", "run.yaml", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    written = json.loads(result.stdout)
    assert list(written) == ["lossfw", "count", "weight", "loss", "metrics", "sample", "digest"]
    assert (written["lossfw"], written["count"], written["weight"]) == (1, 2, 2.0)
    assert written["loss"]["name"] == "cross_entropy"
    assert written["loss"]["value"] == pytest.approx(LOSS, rel=1e-15)
    assert written["loss"]["form"] == "prediction"
    assert written["metrics"] == {"accuracy": {"value": 0.0}}
    assert written["sample"] is None
    assert len(written["digest"]) == 64


def test_numbers_that_are_not_finite_are_texts_in_json(lossfw):
    for first, text in (("0.0", "inf"), (".nan", "nan")):
        changed = f"network.predictions=[[{first}, 1.0], [0.5, 0.5]]"
        printed = lossfw("run", "run.yaml", "--json", "-o", changed).stdout
        assert json.loads(printed, parse_constant=exec)["loss"]["value"] == text


class TestMistakes:
    """lossfw explains a user's mistake in words."""

    def test_each_is_shown_with_its_line_and_a_caret(self, refused, folder):
        (folder / "run.yaml").write_text("lossfw: 1\nlos: mse\n")
        text = refused("run", "run.yaml")
        assert "run.yaml:2:1: error: unknown key 'los'" in text
        assert "\n  los: mse\n  ^\n  hint: did you mean 'loss'?\n" in text

    # What each part of a configuration refuses is tested with that part.
    @pytest.mark.parametrize(
        ("arguments", "pieces"),
        [
            ("run run.yaml -o loss=cross_entropi",
             ["no loss 'cross_entropi'", "did you mean 'cross_entropy'?"]),
            ("run run.yaml -o data.targets=[0,-1]", ["-1", "target[1]"]),
            ("run run.yaml -o network.predictions=x.npy", ["there is no file 'x.npy'"]),
            ("run rum.yaml", ["there is no such file", "did you mean 'run.yaml'?"]),
            ("run", ["CONFIG"]),
            ("run run.yaml --jsn", ["--jsn"]),
            ("rum", ["rum"]),
            ("run run.yaml --disable nobody", ["nobody"]),
            ("run run.yaml --plugin mine.py", ["mine.py"]),
        ],
    )  # fmt: skip
    def test_bad_input(self, arguments, pieces, refused):
        text = refused(*arguments.split())
        assert all(piece in text for piece in pieces)

    def test_the_traceback_is_shown_on_request(self, lossfw):
        for arguments in (
            ["run", "run.yaml", "-o", "x", "--traceback"],
            ["--traceback", "run", "run.yaml", "-o", "x"],
        ):
            result = lossfw(*arguments)
            assert result.exit_code == 2
            assert "Traceback" in result.stderr
            assert "an override is KEY=VALUE" in result.stderr


class TestFailures:
    """What is not a mistake of the user."""

    def failing(self, monkeypatch, error):
        def fail(*arguments, **options):
            raise error

        monkeypatch.setattr(execute, "evaluate", fail)

    def test_a_bug_is_called_one(self, lossfw, monkeypatch):
        self.failing(monkeypatch, RuntimeError("two\nlines"))
        result = lossfw("run", "run.yaml")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("lossfw: error: RuntimeError: two lines\n")
        assert "bug in lossfw" in result.stderr
        assert "--traceback" in result.stderr
        assert "Traceback" not in result.stderr
        assert "Traceback" in lossfw("run", "run.yaml", "--traceback").stderr

    def test_too_little_memory(self, lossfw, monkeypatch):
        self.failing(monkeypatch, MemoryError())
        result = lossfw("run", "run.yaml")
        assert result.exit_code == 1
        assert result.stderr == "lossfw: error: there is not enough memory\n"

    def test_a_closed_pipe_is_quiet(self, lossfw, monkeypatch):
        self.failing(monkeypatch, BrokenPipeError(32, "Broken pipe"))
        result = lossfw("run", "run.yaml")
        assert (result.exit_code, result.stderr) == (1, "")


@pytest.mark.parametrize("sweep", ["", "sweep: {seeds: 2}\n", "# a sweep that extends nothing\n"])
def test_a_file_is_read_once(sweep, lossfw, folder, monkeypatch):
    read = []
    read_file = source.read_file
    monkeypatch.setattr(
        source, "read_file", lambda name, **more: read.append(name) or read_file(name, **more)
    )
    with (folder / "run.yaml").open("a") as file:
        file.write(sweep)
    assert lossfw("run", "run.yaml", "--dry-run").exit_code == 0
    assert read == ["run.yaml"]
