"""Models of Keras: trained in legs, saved, evaluated, refused."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.errors import DataError, DivergenceError, ShapeError
from support.models import fitted, growing_targets, leg_by_leg

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
pytest.importorskip(keras.backend.backend())

from lossfw_std.models.keras import _COMPILED  # noqa: E402  # the backend comes first

# Keras hands its tensors to NumPy in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NETS = Path(__file__).parent / "keras_net.py"
TWEEDIE = {"name": "tweedie_deviance", "power": 1.5}


def keras_model(name="build", **parameters):
    parameters = {"module": f"{NETS}:{name}", "learning_rate": 0.01, **parameters}
    return lossfw.registry().create("model", {"name": "keras", **parameters})


@pytest.fixture(scope="module")
def data():
    return growing_targets()


@pytest.fixture(scope="module")
def learnt(data):
    """Bytes of each epoch of a training with dropout and statistics of batches."""
    return leg_by_leg(keras_model(), data, TWEEDIE, 3)


def test_a_training_repeats_and_resumes_to_the_same_bytes(data, learnt):
    keras.utils.set_random_seed(99)  # what the process draws elsewhere does not count
    _COMPILED.clear()  # as in another process
    assert leg_by_leg(keras_model(), data, TWEEDIE, 3, saved=learnt[1], first=2) == learnt[2:]
    assert leg_by_leg(keras_model(), data, TWEEDIE, 1)[0] == learnt[0]


def test_the_state_of_the_optimizer_counts_and_is_cut_at_the_end(data, learnt):
    model = keras_model()
    forgot = model.cut(learnt[1], 2)
    assert leg_by_leg(model, data, TWEEDIE, 3, saved=forgot, first=2) != learnt[2:]
    rows = data.inputs[:30]
    np.testing.assert_array_equal(
        model.loaded(forgot).block(rows).predictions,
        model.loaded(learnt[1]).block(rows).predictions,
    )


def test_keras_reads_the_file_of_a_training(data, learnt, tmp_path):
    path = tmp_path / "model.weights.h5"
    path.write_bytes(keras_model().cut(learnt[-1], 3))
    net = keras_model()._net()
    net.load_weights(path)
    rows = data.inputs[:256].astype(np.float32)
    predictor = keras_model(file=path, link="exp").loaded()
    np.testing.assert_array_equal(predictor.block(rows).logits, net.predict_on_batch(rows))


def test_raw_outputs_after_an_epoch_are_those_of_the_file(data):
    result = fitted(keras_model(), data, TWEEDIE, 2, held_out=data.take(range(40)))
    predictor = keras_model().loaded(result.content)
    for rows, told in ((256, result.learnt[-1]), (40, result.held_out[-1])):
        with predictor.working():
            outputs = predictor.block(data.inputs[:rows]).predictions
        np.testing.assert_array_equal(outputs, told[:rows])


def test_the_loss_falls(data):
    loss = lossfw.loss(TWEEDIE)
    told = fitted(keras_model(), data, TWEEDIE, 40).learnt
    first, last = (loss(np.exp(raw[:, 0].astype(float)), data.targets) for raw in told[::39])
    assert last < 0.6 * first


def test_a_row_has_the_same_bits_in_any_company_and_on_a_worker(data):
    # So wide that a product of few rows has other bits.
    model = keras_model(arguments={"hidden": 256})
    predictor = model.loaded(fitted(model, data, TWEEDIE, 1).content)
    rows = data.inputs[:256]
    whole = predictor.block(rows).predictions
    for part in (slice(0, 1), slice(5, 18), slice(255, 256), slice(None, None, -1)):
        np.testing.assert_array_equal(predictor.block(rows[part]).predictions, whole[part])
    again = pickle.loads(pickle.dumps(predictor))
    np.testing.assert_array_equal(again.block(rows).predictions, whole)


def test_classes_and_weights(data):
    classes = Dataset(
        "classes",
        (data.targets > 1).astype(int),
        data.inputs,
        sample_weight=np.linspace(0, 1, len(data)),
        classes=("low", "high"),
    )
    model = keras_model(arguments={"units": 2}, optimizer={"name": "SGD", "momentum": 0.9})
    content = fitted(model, classes, "cross_entropy", 1).content
    assert model.loaded(content).units == 2


def test_a_whole_model_is_code(data, tmp_path):
    net = keras_model()._net()
    net.save(tmp_path / "net.keras")
    model = keras_model(module=None, file=tmp_path / "net.keras")
    assert model.code_files() == {"file": tmp_path / "net.keras"}
    rows = data.inputs[:9].astype(np.float32)
    expected = net.predict_on_batch(rows)
    np.testing.assert_allclose(model.loaded().block(rows).predictions, expected, rtol=1e-5)


def test_weights_in_other_files_are_not_read(tmp_path, learnt):
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(96)) * 4)
    path = tmp_path / "net.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/dense/vars/0", (3, 8), "f4", external=[(str(secret), 0, 96)])
    with pytest.raises(DataError, match="weights in other files, which are not read"):
        keras_model(file=path).loaded()


REFUSED = {
    "another name": ({"name": "buildd"}, "Did you mean 'build'?"),
    "a misspelt argument": ({"arguments": {"hiden": 5}}, "Did you mean 'hidden'?"),
    "what is not a model": ({"name": "number"}, "made int; expected a keras.Model"),
    "no shape of inputs": ({"name": "shapeless"}, "begin it with keras.layers.Input"),
    "other inputs": (
        {"arguments": {"width": 4}},
        "takes rows of shape (4,), and those of",
    ),
    "other outputs": (
        {"arguments": {"units": 2}},
        "makes 2 outputs of a row, and the loss",
    ),
    "no module": ({"module": None}, "write module: net.py:build"),
    "a misspelt optimizer": ({"optimizer": "Adamm"}, "Did you mean 'Adam'?"),
    "a misspelt argument of it": (
        {"optimizer": {"name": "SGD", "momentun": 0.9}},
        "Did you mean 'momentum'?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_told_in_words(case, data):
    parameters, message = REFUSED[case]
    with pytest.raises((DataError, ShapeError)) as refusal:
        fitted(keras_model(**parameters), data, TWEEDIE, 1)
    assert message in str(refusal.value)


def test_other_files_and_weights_of_another_model_are_refused(learnt):
    with pytest.raises(DataError, match="is not a file of weights of Keras"):
        keras_model().loaded(b"junk")
    with pytest.raises(DataError, match=r"does not fit keras_net\.py:build"):
        keras_model(arguments={"hidden": 5}).loaded(learnt[-1])


def test_what_cannot_be_learnt_is_refused(data):
    assert "torch, which takes whole groups" in keras_model().refuses(lossfw.loss("listmle"))
    assert "nothing can be learnt" in keras_model().refuses(lossfw.loss("zero_one"))
    with pytest.raises(DivergenceError, match=r"epoch \d, batch \d: the loss is (inf|nan)"):
        fitted(keras_model(learning_rate=1e30), data, "squared_error", 2)
