"""Losses of Keras: its conventions, parity with its own losses, and a saved model."""

import importlib
import os
import subprocess
import sys
import textwrap
from functools import partial

import numpy as np
import pytest

# Keras chooses its backend when it is imported; an empty choice would be TensorFlow.
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
pytest.importorskip(keras.backend.backend())

from lossfw import ArgumentError, DomainError, ShapeError  # noqa: E402  # the backend comes first
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
    "huber": (partial(keras.losses.Huber, delta=1.0), T, Y),
    "log_cosh": (keras.losses.LogCosh, T, Y),
    "binary_cross_entropy": (partial(keras.losses.BinaryCrossentropy, from_logits=True), BITS, Y),
    "cross_entropy": (
        partial(keras.losses.SparseCategoricalCrossentropy, from_logits=True), CLASSES, ROWS,
    ),
    "hinge": (keras.losses.Hinge, 2 * BITS - 1, Y),
}  # fmt: skip


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


MODULE = """
    from lossfw import DistanceLoss

    class Cubic(DistanceLoss):
        c: float = 1.0

        def value(self, xp, r):
            return self.c * xp.abs(r) ** 3
"""

SAVE = """
    import keras, numpy as np
    from lossfw.bridges import keras as bridge
    from cubic import Cubic
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), bridge.loss(2 * Cubic(c=0.5), name="bent"))
    model.fit(x, x[:, 0], epochs=2, shuffle=False, verbose=0)
    model.save("model.keras")
    np.save("seen.npy", model.predict(x, verbose=0))
    print(model.evaluate(x, x[:, 0], verbose=0))
    print(model.fit(x, x[:, 0], epochs=2, shuffle=False, verbose=0).history["loss"])
"""

# The bridge before Keras and without a name, as import sorters like it.
LOAD = """
    import lossfw.bridges.keras
    import keras, numpy as np
    from cubic import Cubic
    x = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
    model = keras.saving.load_model("model.keras", custom_objects={"cubic": Cubic})
    assert model.loss.name == "bent", model.loss.name
    assert repr(model.loss.loss) == "Scaled(of=Cubic(c=0.5), scale=2.0)", model.loss.loss
    np.testing.assert_array_equal(model.predict(x, verbose=0), np.load("seen.npy"))
    print(model.evaluate(x, x[:, 0], verbose=0))
    print(model.fit(x, x[:, 0], epochs=2, shuffle=False, verbose=0).history["loss"])
"""


def test_a_model_with_a_loss_of_a_script_goes_on_in_another_process(tmp_path, monkeypatch, capsys):
    (tmp_path / "cubic.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    exec(textwrap.dedent(SAVE), {})
    again = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LOAD)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
    )
    assert again.stdout == capsys.readouterr().out


def test_a_saved_loss_whose_class_is_not_there_is_told(tmp_path):
    config = keras.saving.serialize_keras_object(bridge.loss("huber"))
    config["config"]["loss"] = {"name": "huberish"}
    with pytest.raises(Exception, match="custom_objects"):
        keras.saving.deserialize_keras_object(config)
    # The class is where Keras writes that it is.
    home = importlib.import_module(config["module"])
    assert getattr(home, config["class_name"]) is bridge.KerasLoss
    assert config["registered_name"] == "lossfw>Loss"


def test_a_configuration_makes_an_equal_loss():
    for fuse in (True, False):
        loss = bridge.loss("cross_entropy", fuse=fuse, reduction="sum")
        again = type(loss).from_config(loss.get_config())
        assert again.loss == loss.loss
        assert again.reduction == "sum"
    images = bridge.loss("cross_entropy", class_axis=1, check=False)
    again = type(images).from_config(images.get_config())
    assert (again.class_axis, again.check) == (1, False)
    assert repr(bridge.loss("huber")).startswith("KerasLoss(Huber(delta=1.0), reduction='sum_over")
    assert bridge.loss("cross_entropy").loss.from_logits
    assert not bridge.loss("cross_entropy", fuse=False).loss.from_logits


def test_targets_of_other_codes_and_layers_that_cannot_train(monkeypatch):
    for loss in ("hinge", "logistic"):
        criterion = bridge.loss(loss)
        assert float(criterion(BITS, Y)) == float(criterion(2 * BITS - 1, Y))
    with pytest.raises(ShapeError, match="one unit per class"):
        bridge.loss("cross_entropy")(np.array([0, 1, 2]), np.zeros((3, 1), "float32"))
    with pytest.raises(ArgumentError, match="gradient of zero_one is 0"):
        bridge.loss("zero_one")
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(ArgumentError, match="KERAS_BACKEND to jax or torch"):
        bridge.loss("huber")


POSITIVES = np.abs(T[:, :1]) + 0.5
WRONG = np.where(np.arange(24) == 7, 4, CLASSES)
BROKEN = np.where(np.arange(24) == 7, 1.5, CLASSES)
SIMPLEX_ROWS = np.eye(4, dtype="float32")[CLASSES]

# A loss, its options, targets, the units of the last layer and the message.
OUTSIDE = {
    "prediction": ("squared_log_error", {}, POSITIVES, 1, "lies outside.*'softplus'"),
    "rows": ("cross_entropy", {"fuse": False}, CLASSES, 4, "lies outside SIMPLEX.*'softmax'"),
    "share": ("binary_cross_entropy", {"fuse": False}, BITS[:, :1], 1, "UNIT.*'sigmoid'"),
    "class": ("cross_entropy", {}, WRONG, 4, r"= 4 is no(t a)? class"),
    "broken class": ("cross_entropy", {}, BROKEN, 4, "is not a whole number"),
    "distribution": ("cross_entropy", {}, 2 * SIMPLEX_ROWS, 4, "sum 2.*outside SIMPLEX"),
    "side": ("hinge", {}, 3 * BITS, 2, "= 3 lies outside SIGN"),
    "bit": ("binary_cross_entropy", {}, 2 * BITS, 2, "= 2 lies outside UNIT"),
    "count": ("poisson_deviance", {"fuse": False}, -POSITIVES, 1, "lies outside"),
    "wrapped": ({"name": "masked", "of": "brier", "ignore": -1}, {}, CLASSES, 4, "SIMPLEX"),
}


def trained(loss, t, units, **options):
    model = network(loss, units)
    return model.fit(ROWS, t, batch_size=8, shuffle=False, verbose=0, **options).history["loss"]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="a compiled step has no values")
@pytest.mark.parametrize("name", OUTSIDE)
def test_what_lies_outside_is_told_at_the_first_batch_that_has_it(name):
    loss, options, t, units, words = OUTSIDE[name]
    with pytest.raises(DomainError, match=f"(?s)(target|prediction).*{words}"):
        trained(bridge.loss(loss, **options), t, units)
    with pytest.raises(DomainError, match="pass check=False"):
        network(bridge.loss(loss, **options), units).evaluate(ROWS, t, verbose=0)


def test_without_a_look_a_training_goes_on():
    loss = bridge.loss("squared_log_error", check=False)
    assert np.isnan(trained(loss, POSITIVES, 1)[-1])
    legal = bridge.loss("cross_entropy")
    unseen = bridge.loss("cross_entropy", check=False)
    assert trained(legal, CLASSES, 4) == trained(unseen, CLASSES, 4)


NAN = np.where(np.arange(24) == 7, np.nan, T[:, 0]).astype("float32")


@pytest.mark.parametrize(
    ("loss", "t", "units"),
    [
        ("cross_entropy", WRONG, 4),
        ("cross_entropy", BROKEN, 4),
        ("huber", NAN, 1),
        ({"name": "huber", "per": "row"}, NAN[:, None], 1),
        ("binary_cross_entropy", np.where(np.arange(24) == 7, 9.0, BITS[:, 0]), 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("check", [True, False])
def test_a_weight_of_0_takes_out_a_row_whatever_it_holds(loss, t, units, check):
    weight = np.where(np.arange(24) == 7, 0.0, W)
    loss = bridge.loss(loss, check=check)
    legal = np.where(np.arange(24).reshape(-1, *[1] * (t.ndim - 1)) == 7, 0, t)
    for w in (weight, weight[:, None]):
        found = trained(loss, t, units, sample_weight=w)
        assert found == trained(loss, legal, units, sample_weight=w)
        assert np.isfinite(found).all()


def test_a_step_that_a_mask_of_keras_leaves_out_may_hold_anything():
    steps, t = ROWS.reshape(6, 4, 4).copy(), CLASSES.reshape(6, 4).copy()
    steps[:, 3], t[:, 3] = 0.0, -100
    model = keras.Sequential(
        [keras.layers.Input((4, 4)), keras.layers.Masking(), keras.layers.Dense(4)]
    )
    model.compile("sgd", bridge.loss("cross_entropy"))
    assert np.isfinite(model.fit(steps, t, verbose=0).history["loss"]).all()
    if keras.backend.backend() == "torch":  # a step that JAX compiles has no values
        with pytest.raises(DomainError, match=r"-100 is no(t a)? class"):
            model.fit(steps + 1, t, verbose=0)


def test_weights_of_pixels_with_classes_along_axis_1():
    images, labels = RNG.normal(size=(4, 5, 6, 7)).astype("float32"), RNG.integers(0, 5, (4, 6, 7))
    last, wanted = np.moveaxis(images, 1, -1), bridge.loss("cross_entropy")
    along_1 = bridge.loss("cross_entropy", class_axis=1)
    assert float(along_1(labels[:, None], images)) == float(wanted(labels[..., None], last))
    weight = RNG.integers(0, 2, (4, 6, 7)).astype("float32")
    assert float(along_1(labels, images, weight)) == float(wanted(labels, last, weight))


def test_lines_of_groups_come_with_a_mask():
    criterion, scores, mask = bridge.loss("pairwise_logistic"), ROWS[:6], ROWS[6:12] < 1
    mask[:, 0] = True
    labels = np.where(mask, np.floor(2 * ROWS[12:18]), np.nan)
    expected = criterion.loss(scores, labels, where=mask)
    found = number(criterion({"labels": labels, "mask": mask}, scores))
    assert found == pytest.approx(expected, rel=1e-6)
    assert number(criterion(ROWS[6:12], scores)) > 0
    with pytest.raises(ArgumentError, match="expected labels and mask"):
        criterion({"labels": labels}, scores)
