import shlex
from functools import partial

import numpy as np
import pytest

import lossfw as face


@pytest.fixture
def evaluated(in_json):
    """Evaluate a loss and return what the JSON says."""
    return partial(in_json, "eval")


def test_a_loss_on_two_numbers(evaluated):
    found = evaluated("huber", "-y", "[1, 3]", "-t", "[0, 0]", "-p", "delta=1.0", "--gradient")
    # (1/2 + 5/2) / 2, with the derivatives 1 and 1 halved.
    assert found["value"] == 1.5
    assert found["gradient"] == [0.5, 0.5]
    assert "hessian" not in found
    assert found["loss"] == {"name": "huber"}


def test_weights_and_the_hessian(evaluated):
    found = evaluated(
        *("squared_error", "-y", "[1, 3]", "-t", "[0, 0]"),
        *("--sample-weight", "[1, 3]", "--hessian", "--exact"),
    )
    assert found["value"] == 7.0
    assert found["exact_value"] == "7.0"
    assert found["hessian"] == [0.5, 1.5]
    assert found["exact_hessian"] == ["0.5", "1.5"]


def test_the_truth_has_sixty_digits(evaluated):
    arguments = ("log_cosh", "-y", "1e-9", "-t", "0", "--exact", "--reduction", "none")
    found = evaluated(*arguments)
    digits = found["exact_value"].partition("e")[0].replace(".", "")
    assert len(digits) == 60
    # r^2 / 2 - r^4 / 12, at the float nearest to 1e-9, which is 1e-9 + 6.228159...e-26.
    assert digits.startswith("50000000000000006219825")
    assert found["value"] == float(found["exact_value"])


def test_text_shows_every_digit(lossfw):
    result = lossfw("eval", "squared_error", "-y", "[0.1, -2]", "-t", "[0, 0]", "--gradient")
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    loss = face.loss("squared_error")
    assert float(lines["value"]) == loss([0.1, -2.0], [0.0, 0.0])
    assert lines["gradient"] == str(loss.gradient([0.1, -2.0], [0.0, 0.0]).tolist())


def test_a_long_array_is_cut_in_the_text(folder, lossfw):
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
