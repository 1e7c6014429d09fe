import pytest

LIAR = '''
from lossfw import DistanceLoss


class Lost(DistanceLoss):
    """r^2, by way of a sum in which its digits are lost."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return (1 + r * r) - 1
'''


def test_only_the_parameters_that_were_set(in_json):
    given = ("huber", "-p", "delta=0.25", "--points", "40", "--processes", "1")
    rows = in_json("accuracy", *given)["rows"]
    assert [(row["config"], row["dtype"]) for row in rows] == [
        ({"name": "huber", "delta": 0.25}, "float32"),
        ({"name": "huber", "delta": 0.25}, "float64"),
    ]
    first = rows[0]["results"][0]
    assert first["ulps"] <= first["goal"] == 4.0
    assert first["points"] >= 40


@pytest.mark.slow
def test_processes_change_nothing(lossfw, process):
    arguments = ("accuracy", "absolute_error", "--points", "40", "--seed", "2", "--json")
    here = lossfw(*arguments, "--processes", "1").stdout
    there = process(*arguments, "--processes", "2")
    assert there.returncode == 0, there.stderr
    assert there.stdout == here


def test_where_a_goal_is_missed_the_point_is_named(folder, lossfw):
    (folder / "liar.py").write_text(LIAR)
    arguments = ("accuracy", "lost", "--plugin", "liar.py", "--points", "60", "--processes", "1")
    lines = lossfw(*arguments).stdout.splitlines()
    missed = [line for line in lines if line.startswith("! Lost() float64 value")]
    assert len(missed) == 1
    assert "goal 4, at y = " in missed[0]


def test_an_activation_and_a_row(lossfw):
    result = lossfw("accuracy", "relu", "softmax", "--points", "60", "--processes", "1")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()[1:5]]
    assert [row[0] for row in rows] == ["Relu()", "Relu()", "Softmax()", "Softmax()"]
    assert [row[4] for row in rows] == ["0.0", "0.0", "-", "-"]
