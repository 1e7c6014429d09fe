"""Models of Keras: its files, and what only Keras refuses."""

import os
from functools import partial

import numpy as np
import pytest

from support.models import fitted, growing_targets, network_model

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
pytest.importorskip(keras.backend.backend())

# Keras hands its tensors to NumPy in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

keras_model = partial(network_model, "keras")
TWEEDIE = {"name": "tweedie_deviance", "power": 1.5}


@pytest.fixture(scope="module")
def data():
    return growing_targets()


def test_keras_reads_the_file_of_a_training(data, tmp_path):
    path = tmp_path / "model.weights.h5"
    path.write_bytes(keras_model().cut(fitted(keras_model(), data, TWEEDIE, 1).content, 1))
    net = keras_model()._build_net()
    net.load_weights(path)
    rows = data.inputs[:256].astype(np.float32)
    predictor = keras_model(file=path, output_activation="exp").load_predictor()
    np.testing.assert_array_equal(predictor.run_block(rows).raw_outputs, net.predict_on_batch(rows))


def test_a_whole_model_is_code(data, tmp_path):
    net = keras_model()._build_net()
    net.save(tmp_path / "net.keras")
    model = keras_model(module=None, file=tmp_path / "net.keras")
    assert model.code_files() == {"file": tmp_path / "net.keras"}
    rows = data.inputs[:9].astype(np.float32)
    expected = net.predict_on_batch(rows)
    np.testing.assert_allclose(
        model.load_predictor().run_block(rows).predictions, expected, rtol=1e-5
    )
