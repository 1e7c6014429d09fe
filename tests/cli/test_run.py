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


def test_the_traceback_is_shown_on_request(lossfw):
    wrong = ["run", "run.yaml", "-o", "x"]
    for arguments in ([*wrong, "--traceback"], ["--traceback", *wrong]):
        result = lossfw(*arguments)
        assert result.exit_code == 2
        assert "Traceback" in result.stderr
        assert "an override is KEY=VALUE" in result.stderr


@pytest.fixture
def failing(lossfw, monkeypatch):
    """Run where the evaluation raises an error."""

    def run(error, *more):
        def fail(*arguments, **options):
            raise error

        monkeypatch.setattr(execute, "evaluate", fail)
        result = lossfw("run", "run.yaml", *more)
        assert (result.exit_code, result.stdout) == (1, "")
        return result.stderr

    return run


def test_what_is_not_a_mistake_of_the_user(failing):
    told = failing(RuntimeError("two\nlines"))
    assert told.startswith("lossfw: error: RuntimeError: two lines\n")
    assert "bug in lossfw" in told
    assert "--traceback" in told
    assert "Traceback" not in told
    assert "Traceback" in failing(RuntimeError("two"), "--traceback")
    assert failing(MemoryError()) == "lossfw: error: there is not enough memory\n"
    # A closed pipe is quiet.
    assert failing(BrokenPipeError(32, "Broken pipe")) == ""


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
