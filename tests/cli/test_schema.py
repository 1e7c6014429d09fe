import json

import jsonschema

MINE = """\
from lossfw import DistanceLoss

class Mine(DistanceLoss):
    '''A loss of mine.'''

    def value(self, xp, r):
        return xp.abs(r)
"""


def test_it_is_printed_or_written(lossfw, folder):
    printed = lossfw("schema")
    assert printed.exit_code == 0
    schema = json.loads(printed.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    written = lossfw("schema", "--out", "lossfw.schema.json")
    assert (written.exit_code, written.stdout) == (0, "")
    assert json.loads((folder / "lossfw.schema.json").read_text()) == schema


def test_local_plugins_are_in_it(lossfw, folder):
    (folder / "mine.py").write_text(MINE)
    schema = json.loads(lossfw("schema", "--plugin", "mine.py").stdout)
    assert schema["definitions"]["loss.mine/mine"]["description"] == "A loss of mine."


def test_a_place_that_cannot_be_written(lossfw, folder):
    result = lossfw("schema", "--out", "run.yaml/schema.json")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
