"""Pictures in folders: classes, sizes, colours, damage, memory, workers and resumed runs."""

import io
import pickle
import shutil

import numpy as np
import pytest

import lossfw
from lossfw.data import PictureFormat, open_pictures, pictures
from lossfw.data.lazy_arrays import check_unchanged, is_file_backed, read_rows, take_rows
from lossfw.errors import ConfigError, DataError

Image = pytest.importorskip("PIL.Image")

rng = np.random.default_rng(8)
GREY = rng.integers(0, 256, (2, 5, 4, 3)).astype(np.uint8)  # of two classes five pictures
COLOURS = rng.integers(0, 256, (2, 5, 4, 3, 3)).astype(np.uint8)
CLASSES = ("cat", "dog")


def save(folder, pixels=GREY, ending=".png"):
    """Write pictures, and return the folder."""
    for name, some in zip(CLASSES, pixels, strict=True):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(some):
            Image.fromarray(one).save(folder / name / f"{number}{ending}")
    return folder


@pytest.fixture
def lazy(monkeypatch):
    """Leave every folder on the disk."""
    monkeypatch.setattr(pictures, "_WHOLE_BYTES", 0)


@pytest.fixture(params=[False, True], ids=["memory", "disk"])
def both(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(pictures, "_WHOLE_BYTES", 0)


@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "rgb"])
def test_rows_are_the_pixels_class_by_class(pixels, both, tmp_path):
    found = open_pictures(save(tmp_path / "p", pixels), PictureFormat())
    np.testing.assert_array_equal(np.asarray(found.inputs), pixels.reshape(10, *pixels.shape[2:]))
    assert found.inputs.dtype == np.uint8
    assert found.targets.tolist() == [0] * 5 + [1] * 5
    assert found.classes == CLASSES


def test_classes_and_rows_are_those_of_torchvision(tmp_path):
    folder = save(tmp_path / "p")
    (folder / "cat" / "deep").mkdir()
    shutil.copy(folder / "cat" / "0.png", folder / "cat" / "deep" / "9.PNG")
    (folder / "cat" / "notes.txt").write_text("no picture")
    (folder / "cat" / ".DS_Store").write_bytes(b"\0")
    found = open_pictures(folder, PictureFormat())
    assert (len(found.inputs), found.left_out) == (11, 1)
    # ImageFolder sorts the classes, and the paths of each.
    assert found.targets.tolist() == [0] * 6 + [1] * 5


def test_another_size_is_told_and_scaled_on_request(both, tmp_path):
    folder = save(tmp_path / "p")
    Image.fromarray(np.full((8, 6), 77, np.uint8)).save(folder / "dog" / "2.png")
    with pytest.raises(DataError, match=r"dog/2.png has 8 x 6 pixels, but .*cat/0.png has 4 x 3:"):
        open_pictures(folder, PictureFormat())
    found = open_pictures(folder, PictureFormat(size=(4, 3)))
    assert (found.inputs[7] == 77).all()
    np.testing.assert_array_equal(found.inputs[0], GREY[0, 0])
    small = open_pictures(folder, PictureFormat(size=(2, 2)))
    assert small.inputs.shape == (10, 2, 2)


def test_other_colours_are_told_and_converted_on_request(tmp_path):
    folder = save(tmp_path / "p")
    Image.fromarray(COLOURS[0, 0]).save(folder / "dog" / "2.png")
    with pytest.raises(DataError, match=r"dog/2.png has colours, but .*cat/0.png is grey"):
        open_pictures(folder, PictureFormat())
    grey = open_pictures(folder, PictureFormat("grey"))
    wanted = np.asarray(Image.fromarray(COLOURS[0, 0]).convert("L"))
    np.testing.assert_array_equal(grey.inputs[7], wanted)
    rgb = open_pictures(folder, PictureFormat("rgb"))
    np.testing.assert_array_equal(rgb.inputs[0], np.repeat(GREY[0, 0][..., None], 3, axis=-1))


def encoded(pixels, kind):
    """Return the content of a file of pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


# What becomes of the content of a file.
DAMAGE = {
    "cut": lambda content: content[:-20],
    "not a picture": lambda _: b"not a picture",
    "empty": lambda _: b"",
    "flipped": lambda content: content[:45] + bytes([content[45] ^ 0xFF]) + content[46:],
    "deep": lambda _: encoded(np.full((4, 3), 40_000, np.uint16), "PNG"),
    "jpeg cut": lambda _: encoded(GREY[0, 0], "JPEG")[:-40],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_picture_is_told_by_its_name(damage, tmp_path):
    path = save(tmp_path / "p") / "dog" / "3.png"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"dog/3\.png (is not a readable PNG|has more than 8 bits)"):
        np.asarray(open_pictures(tmp_path / "p", PictureFormat()).inputs)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    folder = save(tmp_path / "p")
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10)
    with pytest.raises(DataError, match="has 4 x 3 pixels; at most 10"):
        open_pictures(folder, PictureFormat())


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda f: None, "is not there; expected a folder"),
        (lambda f: f.write_text(""), "is not a folder"),
        (lambda f: f.mkdir(), "has no sub-folders"),
        (
            lambda f: (f / "cat").mkdir(parents=True),
            r"has no pictures \(.png, .jpg, .jpeg\) in cat",
        ),
    ],
)
def test_a_folder_without_classes_is_told(make, told, tmp_path):
    make(tmp_path / "p")
    with pytest.raises(DataError, match=told):
        open_pictures(tmp_path / "p", PictureFormat())


def test_a_folder_on_the_disk_is_read_in_pieces(lazy, tmp_path):
    found = open_pictures(save(tmp_path / "p"), PictureFormat())
    assert is_file_backed(found.inputs)
    whole = GREY.reshape(10, 4, 3)
    np.testing.assert_array_equal(read_rows(found.inputs, 3, 8), whole[3:8])
    rows = np.array([9, 0, 0, 4])
    np.testing.assert_array_equal(take_rows(found.inputs, rows), whole[rows])
    there = pickle.loads(pickle.dumps(found.inputs))
    np.testing.assert_array_equal(np.asarray(there), whole)
    check_unchanged(found.inputs)
    path = tmp_path / "p" / "dog" / "1.png"
    path.write_bytes(path.read_bytes() + b"\0")
    for use in (check_unchanged, np.asarray):
        with pytest.raises(DataError, match=r"dog/1.png has \d+ bytes and had"):
            use(found.inputs)


CONFIG = """\
lossfw: 1
data: {name: images, path: p, flatten: true, scale: 255}
network: {layers: [{units: 2, activation: softmax}]}
loss: cross_entropy
evaluate: {metrics: [accuracy]}
train: {epochs: 3, optimizer: {name: adam, learning_rate: 0.05}}
"""


@pytest.fixture
def config(folder):
    save(folder / "p")
    (folder / "c.yaml").write_text(CONFIG)
    return folder / "c.yaml"


def test_a_training_and_a_run(config, both, folder):
    trained = lossfw.train(config, out="out")
    weights = ["network.weights=out/weights.npz", "evaluate.save_rows=true"]
    result = lossfw.run(config, overrides=weights, out="run")
    assert result.loss == trained.history[-1].train.loss
    assert result.classes == CLASSES
    again = lossfw.run(config, overrides=weights, out="run", resume=True)
    assert again.digest == result.digest
    with pytest.raises(ConfigError, match="trained with scale: 255"):
        lossfw.run(config, overrides=[*weights, "data.scale-"])
    with pytest.raises(ConfigError, match="flatten: true"):
        lossfw.run(config, overrides=[*weights, "data.flatten-"])
