"""``lossfw config``, ``validate`` and ``schema``."""

import json

import jsonschema

from support.configs import DIGITS, TRAINED


def test_each_value_stands_with_its_origin(lossfw):
    result = lossfw("config", "run.yaml", "-o", "evaluate.batch_size=3")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split("#") for line in result.stdout.splitlines()]
    told = {text.strip(): rest[-1].strip() for text, *rest in lines if rest}
    assert told["guard: none"] == "run.yaml:4:36"
    assert told["batch_size: 3"] == "-o evaluate.batch_size=3"
    assert told["seed: 0"] == "default"
    assert "# delta: 1e-07" in result.stdout


def test_what_is_printed_runs_to_the_same_result(lossfw, folder):
    wanted = lossfw("run", "run.yaml", "-o", "loss.guard=additive", "--json").stdout
    for form in ([], ["--plain"]):
        text = lossfw("config", "run.yaml", "-o", "loss.guard=additive", *form).stdout
        # The plain form has no comment.
        assert ("#" in text) == (form == [])
        (folder / "again.yaml").write_text(text)
        assert lossfw("run", "again.yaml", "--json").stdout == wanted


def test_it_is_there_in_json(in_json):
    told = in_json("config", "run.yaml")
    assert told["config"]["loss"] == {"name": "cross_entropy", "guard": "none"}
    (guard,) = [value for value in told["values"] if value["path"] == ["loss", "guard"]]
    assert guard == {"path": ["loss", "guard"], "value": "none", "origin": "run.yaml:4:36"}


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


def test_a_file_that_cannot_be_read_is_told_in_json_too(lossfw):
    (file,) = json.loads(lossfw("validate", "--json", "run.yml").stdout)["files"]
    (problem,) = file["problems"]
    assert (problem["file"], problem["line"]) == ("run.yml", None)
    assert problem["hint"] == "did you mean 'run.yaml'?"


def test_a_training_is_looked_at_as_one(lossfw, folder):
    (folder / "train.yaml").write_text(TRAINED)
    assert lossfw("validate", "train.yaml").exit_code == 0
    result = lossfw("validate", "train.yaml", "-o", "loss={name: top_k, k: 3}")
    assert result.exit_code == 2
    (folder / "train.yaml").write_text(TRAINED.replace("units: 10", "units: 3"))
    result = lossfw("validate", "train.yaml")
    assert "write units: 10, one for each class" in result.stdout


def test_each_training_of_a_sweep_is_looked_at(lossfw, folder):
    sweep = "sweep: {seeds: 2, grid: {loss: [cross_entropy, LOSS]}}\n"
    (folder / "train.yaml").write_text(TRAINED + sweep.replace("LOSS", "brier"))
    assert lossfw("validate", "train.yaml").stdout == "train.yaml: valid, 4 runs\n"
    (folder / "train.yaml").write_text(TRAINED + sweep.replace("LOSS", "zero_one"))
    result = lossfw("validate", "train.yaml")
    assert result.exit_code == 2
    assert "train.yaml:6:48: error: no model can be trained on the loss zero_one" in result.stdout


def test_a_study_of_sensitivity_is_looked_at(lossfw, folder):
    text = DIGITS + "sensitivity: {parameter: 'layers.0.weights[0,0]', range: [1, 2]}\n"
    (folder / "study.yaml").write_text(text)
    result = lossfw("validate", "study.yaml")
    assert result.stdout.startswith("study.yaml:10:58: error: sensitivity.range should be two")
    assert lossfw("validate", "study.yaml", "-o", "sensitivity.range-").exit_code == 0
    # The parameter may be named when it is run.
    assert lossfw("validate", "study.yaml", "-o", "sensitivity.parameter-").exit_code == 0
    wrong = "sensitivity={parameter: 'layers.7.weights[0,0]'}"
    assert lossfw("validate", "study.yaml", "-o", wrong).exit_code == 2


MINE = """\
from lossfw import DistanceLoss

class Mine(DistanceLoss):
    '''A loss of mine.'''

    def value(self, xp, r):
        return xp.abs(r)
"""


def test_the_schema_is_printed_or_written(lossfw, folder):
    printed = lossfw("schema")
    assert printed.exit_code == 0
    schema = json.loads(printed.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    written = lossfw("schema", "--out-file", "lossfw.schema.json")
    assert (written.exit_code, written.stdout) == (0, "")
    assert json.loads((folder / "lossfw.schema.json").read_text()) == schema


def test_local_plugins_are_in_it(lossfw, folder):
    (folder / "mine.py").write_text(MINE)
    schema = json.loads(lossfw("schema", "--plugin", "mine.py").stdout)
    assert schema["definitions"]["loss.mine/mine"]["description"] == "A loss of mine."


def test_a_place_that_cannot_be_written(lossfw, folder):
    result = lossfw("schema", "--out-file", "run.yaml/schema.json")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
