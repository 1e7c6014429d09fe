"""Folds that are trained several times, with the rows split anew each time."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ConfigError

ROWS = 45
RANDOM = np.random.default_rng(2)
X = RANDOM.normal(size=(ROWS, 2))
CONFIG = {
    "data": {"inputs": X, "targets": X[:, 0] + RANDOM.normal(size=ROWS)},
    "network": {"layers": [{"units": 1, "activation": "identity"}]},
    "loss": "squared_error",
    "train": {
        "epochs": 2,
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
        "hold_out": {"folds": 3, "repeats": 3},
    },
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of three repeats, and what they have trained."""
    out = tmp_path_factory.mktemp("repeats") / "cv"
    return out, lossfw.train_all(CONFIG, out=out)


def test_recipes_are_compared_by_folds_and_repeats(trained, tmp_path):
    out, _ = trained
    lossfw.train_all(CONFIG, overrides=["train.epochs=1"], out=tmp_path / "less")
    found = lossfw.compare(out, tmp_path / "less").seeds
    assert [len(group.members) for group in found] == [3, 3]
    assert found[1].differences["loss"].recipe.startswith("3 folds x 3 repeats of one seed,")


def test_repeats_go_with_a_sweep():
    grid = {"grid": {"train.epochs": [1, 2]}}
    config = CONFIG | {"sweep": grid}
    found = lossfw.train_all(config, overrides=["train.hold_out.repeats=2"])
    names = [f"train.epochs={epochs},repeat={repeat}" for epochs in (1, 2) for repeat in (0, 1)]
    assert list(found.held_out) == names


@pytest.mark.filterwarnings("ignore:.* failed")
@pytest.mark.parametrize(
    ("hold_out", "message"),
    [
        ({"folds": 3, "repeats": 1}, "should be at least 2, got 1"),
        ({"folds": 3, "repeats": True}, "repeats should be"),
        ({"fraction": 0.2, "repeats": 3}, "repeats cannot be used with fraction"),
        ({"folds": 3, "repeats": 3, "fold": 1}, "trains all folds, but fold selects some"),
        ({"folds": 3, "repeats": 3, "time": "column.day"}, "repeats cannot be used with time"),
        ({"folds": 3, "repeats": 2000}, "repeats should be"),
    ],
)
def test_repeats_that_mean_nothing_are_refused(hold_out, message):
    config = CONFIG | {"train": CONFIG["train"] | {"hold_out": hold_out}}
    with pytest.raises(ConfigError, match=message):
        lossfw.train_all(config)
