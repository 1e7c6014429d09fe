"""``lossfw config``, ``validate`` and ``schema``."""

import json

import jsonschema
import pytest

from support.configs import DIGITS, TRAINED


def test_each_value_stands_with_its_origin(lossfw, in_json):
    result = lossfw("config", "run.yaml", "-o", "evaluate.batch_size=3")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split("#") for line in result.stdout.splitlines()]
    told = {text.strip(): rest[-1].strip() for text, *rest in lines if rest}
    assert told["guard: none"] == "run.yaml:4:36"
    assert told["batch_size: 3"] == "-o evaluate.batch_size=3"
    assert told["seed: 0"] == "default"
    assert "# delta: 1e-07" in result.stdout
    plain = in_json("config", "run.yaml")
    assert plain["config"]["loss"] == {"name": "cross_entropy", "guard": "none"}
    guard = {"path": ["loss", "guard"], "value": "none", "origin": "run.yaml:4:36"}
    assert guard in plain["values"]


def test_what_is_printed_runs_to_the_same_result(lossfw, folder):
    wanted = lossfw("run", "run.yaml", "-o", "loss.guard=additive", "--json").stdout
    for form in ([], ["--plain"]):
        text = lossfw("config", "run.yaml", "-o", "loss.guard=additive", *form).stdout
        # The plain form has no comment.
        assert ("#" in text) == (form == [])
        (folder / "again.yaml").write_text(text)
        assert lossfw("run", "again.yaml", "--json").stdout == wanted


def test_editors_get_line_and_column(lossfw, folder):
    (folder / "bad.yaml").write_text((folder / "run.yaml").read_text().replace("none", "nnone"))
    result = lossfw("validate", "--json", "bad.yaml", "run.yaml", "-o", "evaluate.save_rows=maybe")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["lossfw"] == 1
    bad, good = told["files"]
    assert (bad["file"], bad["valid"], bad["runs"]) == ("bad.yaml", False, 0)
    guard, rows = bad["problems"]
    assert (guard["file"], guard["line"], guard["column"]) == ("bad.yaml", 4, 36)
    assert guard["message"].startswith("loss.guard should be")
    assert (rows["file"], rows["line"], rows["column"]) == (None, None, None)
    assert rows["where"] == "-o evaluate.save_rows=maybe"
    assert [problem["where"] for problem in good["problems"]] == ["-o evaluate.save_rows=maybe"]

    (file,) = json.loads(lossfw("validate", "--json", "run.yml").stdout)["files"]
    (problem,) = file["problems"]
    assert (problem["file"], problem["line"]) == ("run.yml", None)
    assert problem["hint"] == "did you mean 'run.yaml'?"


SWEEP = f"{TRAINED}sweep: {{seeds: 2, grid: {{loss: [cross_entropy, LOSS]}}}}\n"
STUDY = DIGITS + "sensitivity: {parameter: 'layers.0.weights[0,0]', range: [1, 2]}\n"
SEVENTH = "sensitivity={parameter: 'layers.7.weights[0,0]'}"


@pytest.mark.parametrize(
    ("text", "override", "told"),
    [
        (TRAINED, "seed=1", "valid"),
        (TRAINED, "loss={name: top_k, k: 3}", "error"),
        (TRAINED.replace("units: 10", "units: 3"), "seed=1", "write units: 10, one for each class"),
        (SWEEP.replace("LOSS", "brier"), "seed=1", "c.yaml: valid, 4 runs\n"),
        (SWEEP.replace("LOSS", "zero_one"), "seed=1", "c.yaml:6:48: error: no model can be"),
        (STUDY, "seed=1", "c.yaml:10:58: error: sensitivity.range should be two"),
        (STUDY, "sensitivity.range-", "valid"),
        # The parameter may be named when it is run.
        (STUDY, "sensitivity.parameter-", "valid"),
        (STUDY, SEVENTH, "error"),
    ],
    ids=range(9),
)
def test_trainings_sweeps_and_studies_are_looked_at(text, override, told, lossfw, folder):
    (folder / "c.yaml").write_text(text)
    result = lossfw("validate", "c.yaml", "-o", override)
    assert result.exit_code == (0 if "valid" in told else 2)
    assert told in result.stdout


MINE = """\
from lossfw import DistanceLoss

class Mine(DistanceLoss):
    '''A loss of mine.'''

    def value(self, xp, r):
        return xp.abs(r)
"""


def test_the_schema_is_printed_or_written_with_local_plugins(lossfw, folder):
    printed = lossfw("schema")
    assert printed.exit_code == 0
    schema = json.loads(printed.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    written = lossfw("schema", "--out-file", "lossfw.schema.json")
    assert (written.exit_code, written.stdout) == (0, "")
    assert json.loads((folder / "lossfw.schema.json").read_text()) == schema
    (folder / "mine.py").write_text(MINE)
    schema = json.loads(lossfw("schema", "--plugin", "mine.py").stdout)
    assert schema["definitions"]["loss.mine/mine"]["description"] == "A loss of mine."
    result = lossfw("schema", "--out-file", "run.yaml/schema.json")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
