import json

import numpy as np
import pytest

LIBRARIES = ("catboost", "lightgbm", "sklearn", "xgboost")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("{name: huber, delta: 2}", np.linspace(0.0, 9.0, 80)),
        ("logistic", np.arange(80) // 40),
        ("cross_entropy", np.arange(80) % 3),
    ],
)
def test_the_lines_train_a_model(library, loss, y, lossfw):
    for module in LIBRARIES:
        pytest.importorskip(module)
    result = lossfw("bridge", library, "--loss", loss)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.replace(", 100)", ", 3)").replace("{}", '{"verbosity": 0}')
    lines = lines.replace(")).fit(", "), max_iter=1).fit(").replace(
        '"iterations": 100', '"iterations": 3, "allow_writing_files": False, "verbose": False'
    )
    assert len(result.stdout.splitlines()) == 3
    names = {"x": np.arange(80.0)[:, None], "y": y}
    exec(compile(lines, library, "exec"), names)
    assert names["model"] is not None


def test_a_loss_that_cannot_be_boosted_is_told(lossfw):
    result = lossfw("bridge", "xgboost", "--loss", "brier")
    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        "xgboost cannot train with this loss: brier takes predictions in SIMPLEX" in result.stderr
    )


def test_as_json(lossfw):
    told = json.loads(lossfw("bridge", "xgboost", "--loss", "huber", "--json").stdout)
    assert told["loss"] == {"name": "huber"}
    assert "bridge.train('huber'" in told["usage"]
