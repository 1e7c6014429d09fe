"""Rows of a large file stay in it where the model reads them in batches."""

import numpy as np
import pytest

from lossfw.config.plan import training
from lossfw.config.schema.checked import read_config
from lossfw.config.text.mapping import NAME, MappingConfig
from lossfw.config.text.source import ConfigSource
from lossfw.data.lazy_arrays import is_file_backed

# The mean of the targets, which needs no inputs.
MEAN = '''
import numpy as np

from lossfw.models import Model, Predictor


class Mean(Model):
    """The mean of the targets."""

    ending = ".txt"
    training_mode = "once"

    def load(self, content, card):
        return Predictor("mean", content, (2,), 1, lambda x: np.full(len(x), float(content)))

    def fit(self, leg):
        leg.report_round(np.full(len(leg.data), leg.targets.mean()), None)
        return str(leg.targets.mean()).encode()


class Streaming(Mean):
    """The same, of inputs in batches."""

    reads_in_batches = True
'''


@pytest.mark.parametrize("hold_out", [{"fraction": 0.25}, {"folds": 3, "fold": 1}])
@pytest.mark.parametrize("model", ["mean", "streaming"])
def test_inputs_of_a_model_that_reads_batches_stay_in_their_file(
    folder, monkeypatch, model, hold_out
):
    (folder / "models.py").write_text(MEAN)
    np.save(folder / "inputs.npy", np.arange(40.0).reshape(20, 2))
    np.save(folder / "targets.npy", np.arange(20.0))
    monkeypatch.setattr(training, "_READ_ONCE_BYTES", 100)
    files = {role: str(folder / f"{role}.npy") for role in ("inputs", "targets")}
    given = {
        "lossfw": 1,
        "plugins": [str(folder / "models.py")],
        "data": {"name": "arrays", **files},
        "model": model,
        "loss": "squared_error",
        "train": {"hold_out": hold_out},
    }
    config = read_config(ConfigSource(NAME, given=MappingConfig.of(given)))
    made = training.training_of(config)
    assert is_file_backed(made.data.inputs) == (model == "streaming")
    assert not is_file_backed(made.data.targets)
    rows = np.arange(40.0).reshape(20, 2)
    for part in (made.data, made.held_out):
        np.testing.assert_array_equal(part.inputs, rows[part.rows])
        np.testing.assert_array_equal(part.targets[:, 0], part.rows)
