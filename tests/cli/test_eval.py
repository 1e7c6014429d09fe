"""``lossfw eval`` and ``lossfw accuracy``: numbers of losses at the prompt."""

import shlex
from functools import partial

import numpy as np
import pytest

import lossfw as face


@pytest.fixture
def evaluated(in_json):
    """Evaluate a loss and return what the JSON says."""
    return partial(in_json, "eval")


def test_values_derivatives_and_weights(evaluated):
    numbers = ("-y", "[1, 3]", "-t", "[0, 0]")
    found = evaluated("huber", *numbers, "-p", "delta=1.0", "--gradient")
    # (1/2 + 5/2) / 2, with the derivatives 1 and 1 halved.
    assert (found["value"], found["gradient"]) == (1.5, [0.5, 0.5])
    assert "hessian" not in found
    assert found["loss"] == {"name": "huber"}
    more = ("--sample-weight", "[1, 3]", "--hessian", "--exact")
    found = evaluated("squared_error", *numbers, *more)
    assert (found["value"], found["exact_value"]) == (7.0, "7.0")
    assert (found["hessian"], found["exact_hessian"]) == ([0.5, 1.5], ["0.5", "1.5"])


def test_the_truth_has_sixty_digits(evaluated):
    arguments = ("log_cosh", "-y", "1e-9", "-t", "0", "--exact", "--reduction", "none")
    found = evaluated(*arguments)
    digits = found["exact_value"].partition("e")[0].replace(".", "")
    assert len(digits) == 60
    # r^2 / 2 - r^4 / 12, at the float nearest to 1e-9, which is 1e-9 + 6.228159...e-26.
    assert digits.startswith("50000000000000006219825")
    assert found["value"] == float(found["exact_value"])


def test_text_shows_every_digit_and_cuts_long_arrays(lossfw, folder):
    result = lossfw("eval", "squared_error", "-y", "[0.1, -2]", "-t", "[0, 0]", "--gradient")
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    loss = face.loss("squared_error")
    assert float(lines["value"]) == loss([0.1, -2.0], [0.0, 0.0])
    assert lines["gradient"] == str(loss.gradient([0.1, -2.0], [0.0, 0.0]).tolist())
    np.save(folder / "y.npy", np.arange(1000.0))
    np.save(folder / "t.npy", np.zeros(1000))
    result = lossfw("eval", "huber", "-y", "y.npy", "-t", "t.npy", "--reduction", "none")
    assert "..." in result.stdout
    assert len(result.stdout) < 1000


@pytest.mark.parametrize("name", ["huber", "hinge", "cross_entropy", "poisson_deviance", "pinball"])
def test_a_call_without_arrays_has_an_example_that_runs(name, lossfw):
    result = lossfw("eval", name)
    assert result.exit_code == 2
    assert "predictions (-y) and targets (-t) are missing" in result.stderr
    example = result.stderr.partition("example: ")[2]
    assert lossfw(*shlex.split(example)[1:]).stdout.startswith("value")


LIAR = """
from lossfw import DistanceLoss


class Lost(DistanceLoss):
    '''r^2, by way of a sum in which its digits are lost.'''

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return (1 + r * r) - 1
"""


def test_the_accuracy_of_losses_and_activations(in_json, lossfw):
    given = ("huber", "-p", "delta=0.25", "--points", "40", "--processes", "1")
    rows = in_json("accuracy", *given)["rows"]
    assert [row["config"] for row in rows] == [{"name": "huber", "delta": 0.25}] * 2
    assert [row["dtype"] for row in rows] == ["float32", "float64"]
    first = rows[0]["results"][0]
    assert first["ulps"] <= first["goal"] == 4.0
    assert first["points"] >= 40
    result = lossfw("accuracy", "relu", "softmax", "--points", "60", "--processes", "1")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()[1:5]]
    assert [row[0] for row in rows] == ["Relu()", "Relu()", "Softmax()", "Softmax()"]
    assert [row[4] for row in rows] == ["0.0", "0.0", "-", "-"]


@pytest.mark.slow
def test_processes_change_no_accuracy(lossfw, process):
    arguments = ("accuracy", "absolute_error", "--points", "40", "--seed", "2", "--json")
    here = lossfw(*arguments, "--processes", "1").stdout
    there = process(*arguments, "--processes", "2")
    assert there.returncode == 0, there.stderr
    assert there.stdout == here


def test_where_a_goal_is_missed_the_point_is_named(folder, lossfw):
    (folder / "liar.py").write_text(LIAR)
    arguments = ("accuracy", "lost", "--plugin", "liar.py", "--points", "60", "--processes", "1")
    lines = lossfw(*arguments).stdout.splitlines()
    (missed,) = [line for line in lines if line.startswith("! Lost() float64 value")]
    assert "goal 4, at y = " in missed
