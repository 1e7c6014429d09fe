"""Data of a run and data of the training: what disagrees is found, with a hint."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ConfigError

rng = np.random.default_rng(3)
PIXELS = rng.integers(0, 256, (60, 2, 2)).astype(np.uint8)
CLASSES = (PIXELS.mean(axis=(1, 2)) > 127).astype(int)

CONFIG = """\
lossfw: 1
data: {DATA}
network: {NETlayers: [{units: 2, activation: softmax}]}
loss: LOSS
train: {epochs: 20, optimizer: {name: sgd, learning_rate: 0.5}}
"""

# The data of the training, and those of a run that forgets a key.
ALL = "name: arrays, file: rows.npz"
TABLE = [
    (f"{ALL}, flatten: true, scale: 255", f"{ALL}, flatten: true", "trained with scale: 255"),
    (f"{ALL}, flatten: true, scale: 255", f"{ALL}, scale: 255", "flatten: true"),
    (
        "name: idx, images: images.idx, labels: labels.idx, flatten: true, scale: 255",
        "name: idx, images: images.idx, labels: labels.idx, flatten: true",
        "trained with scale: 255",
    ),
]


def idx(array):
    head = bytes([0, 0, 8, array.ndim])
    return head + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


@pytest.fixture(autouse=True)
def files(folder):
    np.savez(folder / "rows.npz", inputs=PIXELS, targets=CLASSES)
    (folder / "images.idx").write_bytes(idx(PIXELS))
    (folder / "labels.idx").write_bytes(idx(CLASSES))


def written(folder, data, weights="", loss="cross_entropy"):
    net = f"weights: {weights}, " if weights else ""
    text = CONFIG.replace("DATA", data).replace("NET", net).replace("LOSS", loss)
    path = folder / "config.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("trained", "run", "told"), TABLE)
def test_a_key_that_is_forgotten_is_told(trained, run, told, folder):
    done = lossfw.train(written(folder, trained), out=folder / "out")
    weights = folder / "out" / "weights.npz"
    result = lossfw.run(written(folder, trained, weights))
    assert result.loss == done.history[-1].train.loss
    assert result.warnings == ()
    with pytest.raises(ConfigError, match=told):
        lossfw.run(written(folder, run, weights))


@pytest.mark.parametrize(
    ("trained", "run", "told"),
    [
        ("flatten: true, scale: 255", "flatten: true, scale: 1", "scale: 255, but data.scale is 1"),
        ("flatten: true, scale: 255", "flatten: true, scale: 256", "data.scale is 256"),
        ("flatten: true", "flatten: true, scale: 255", "without scale, but data.scale is 255"),
    ],
)
@pytest.mark.filterwarnings("ignore:The loss has hardly fallen")
def test_another_scale_that_is_written_is_a_warning(trained, run, told, folder):
    lossfw.train(written(folder, f"{ALL}, {trained}"), out=folder / "out")
    result = lossfw.run(written(folder, f"{ALL}, {run}", folder / "out" / "weights.npz"))
    assert len(result.warnings) == 1
    assert told in result.warnings[0]


@pytest.mark.parametrize("key", ["", ", scale: 1"])
def test_rows_that_are_held_out_are_divided_too(key, folder):
    data = f"{ALL}, flatten: true, scale: 255"
    np.savez(folder / "held.npz", inputs=PIXELS[:9], targets=CLASSES[:9])
    held = f"train.hold_out={{data: {{name: arrays, file: held.npz, flatten: true{key}}}}}"
    path = written(folder, data)
    if not key:
        with pytest.raises(ConfigError, match="these inputs are not divided"):
            lossfw.train(path, overrides=[held])
    else:
        with pytest.warns(RuntimeWarning, match=r"train.hold_out.data.scale is 1"):
            lossfw.train(path, overrides=[held])


@pytest.mark.parametrize(
    ("divisor", "told"),
    [(np.array(-1.0), "above 0"), (np.array([1.0, 2.0]), "one number"), (np.array("a"), "one")],
)
def test_a_divisor_that_is_wrong_is_told(divisor, told, folder):
    np.savez(folder / "w.npz", W1=np.ones((4, 2)), b1=np.zeros(2), inputs_divisor=divisor)
    with pytest.raises(ConfigError, match=f"inputs_divisor should be .*{told}"):
        lossfw.run(written(folder, f"{ALL}, flatten: true", "w.npz"))
