"""Losses of Keras: its conventions, parity with its own losses, and a saved model."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

# Keras chooses its backend when it is imported; an empty choice would be TensorFlow.
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
pytest.importorskip(keras.backend.backend())

from lossfw import ArgumentError, ShapeError  # noqa: E402  # the backend comes first
from lossfw.bridges import keras as bridge  # noqa: E402

# Keras hands its tensors to NumPy in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(0)
ROWS, CLASSES = RNG.normal(size=(24, 4)).astype("float32"), RNG.integers(0, 4, 24)
Y, T = ROWS[:, :2], ROWS[:, 2:]
BITS = (T > 0).astype("float32")
W = RNG.integers(1, 4, 24).astype("float32")

PARITY = {
    "squared_error": (keras.losses.MeanSquaredError, T, Y),
    "absolute_error": (keras.losses.MeanAbsoluteError, T, Y),
    "huber": (lambda **o: keras.losses.Huber(delta=1.0, **o), T, Y),
    "log_cosh": (keras.losses.LogCosh, T, Y),
    "binary_cross_entropy": (
        lambda **o: keras.losses.BinaryCrossentropy(from_logits=True, **o),
        BITS,
        Y,
    ),
    "cross_entropy": (
        lambda **o: keras.losses.SparseCategoricalCrossentropy(from_logits=True, **o),
        CLASSES,
        ROWS,
    ),
    "hinge": (keras.losses.Hinge, 2 * BITS - 1, Y),
}


def number(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"]
)
@pytest.mark.parametrize("name", PARITY)
def test_parity_with_the_losses_of_keras(name, reduction):
    own, t, y = PARITY[name]
    for options in ({}, {"sample_weight": W}):
        found = bridge.loss(name, reduction=reduction)(t, y, **options)
        wanted = own(reduction=reduction)(t, y, **options)
        np.testing.assert_allclose(number(found), number(wanted), rtol=1e-5, atol=1e-6)


def test_targets_of_one_column_and_of_none():
    sparse = bridge.loss("cross_entropy")
    assert number(sparse(CLASSES[:, None], ROWS)) == number(sparse(CLASSES, ROWS))
    one_hot = np.eye(4, dtype="float32")[CLASSES]
    np.testing.assert_allclose(
        number(sparse(one_hot, ROWS)), number(sparse(CLASSES, ROWS)), rtol=1e-6
    )
    squared, column = bridge.loss("squared_error"), Y[:, :1]
    assert number(squared(T[:, 0], column)) == number(squared(T[:, :1], column))
    with pytest.raises(ShapeError):
        squared(T, column)


def network(loss, outputs):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(outputs)])
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


@pytest.mark.parametrize("name", ["cross_entropy", "huber"])
def test_a_training_is_that_of_keras(name):
    own, t, y = PARITY[name]
    histories = []
    for loss in (bridge.loss(name), own()):
        model = network(loss, y.shape[1])
        fitted = model.fit(
            ROWS, t, sample_weight=W, epochs=4, batch_size=8, shuffle=False, verbose=0
        )
        histories.append(fitted.history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)
    assert histories[0][-1] < histories[0][0]


def test_a_saved_model_loads_in_another_process(tmp_path):
    model = network(bridge.loss({"name": "huber", "delta": 0.5}, name="robust"), 2)
    model.fit(ROWS, T, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    wanted = float(number(model.loss(T, model.predict(ROWS, verbose=0))))
    code = f"""
        import numpy as np, keras
        from lossfw.bridges import keras as bridge
        bridge.register()
        model = keras.saving.load_model({str(tmp_path / "model.keras")!r})
        print(model.loss.loss, model.loss.name)
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    ).stdout
    assert told.strip() == "Huber(delta=0.5) robust"
    bridge.register()
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert float(number(again.loss(T, again.predict(ROWS, verbose=0)))) == pytest.approx(wanted)


def test_a_configuration_makes_an_equal_loss():
    for fuse in (True, False):
        loss = bridge.loss("cross_entropy", fuse=fuse, reduction="sum")
        again = type(loss).from_config(loss.get_config())
        assert again.loss == loss.loss
        assert again.reduction == "sum"
    assert bridge.loss("cross_entropy").loss.from_logits
    assert not bridge.loss("cross_entropy", fuse=False).loss.from_logits


def test_what_cannot_train_is_refused(monkeypatch):
    with pytest.raises(ArgumentError, match="slope of zero_one is 0"):
        bridge.loss("zero_one")
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(ArgumentError, match="KERAS_BACKEND to jax or torch"):
        bridge.loss("huber")


def test_a_single_unit_for_several_classes_is_told():
    with pytest.raises(ShapeError, match="a unit for each class"):
        bridge.loss("cross_entropy")(np.array([0, 1, 2]), np.zeros((3, 1), "float32"))


def test_labels_0_and_1_of_a_margin_are_its_sides():
    for loss in ("hinge", "logistic"):
        criterion = bridge.loss(loss)
        assert float(criterion(BITS, Y)) == float(criterion(2 * BITS - 1, Y))
