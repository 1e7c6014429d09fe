"""What the pages of a run are made of: images, the worst rows, the spread of losses, mistakes."""

import base64
import io

import numpy as np
import pytest

import lossfw
from lossfw.report.html.picture import image_to_data_uri, to_images
from lossfw.report.html.row_statistics import (
    MOST_CLASSES,
    confusion_matrix,
    describe_rows,
    loss_spread,
    matrix_cells,
    reliability_curve,
    worst_rows,
)
from lossfw.runs.rows import RowRecords

Image = pytest.importorskip("PIL.Image", reason="pillow is not installed")


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((64,), (8, 8, 1)),
        ((784,), (28, 28, 1)),
        ((9, 12), (9, 12, 1)),
        ((10, 8, 3), (10, 8, 3)),
        ((3, 10, 8), (10, 8, 3)),
        ((1, 28, 28), (28, 28, 1)),
    ],
)
def test_images_keep_their_pixels(shape, image):
    rows = np.random.default_rng(0).integers(0, 256, (3, *shape))
    rows.reshape(3, -1)[0, 0] = 255
    images = to_images(rows.astype(np.float32) / 255)
    assert images.shape == (3, *image)
    for one, row in zip(images, rows, strict=True):
        wanted = np.moveaxis(row, 0, -1) if shape[0] in (1, 3) else row
        png = base64.b64decode(image_to_data_uri(one).removeprefix("data:image/png;base64,"))
        found = np.array(Image.open(io.BytesIO(png))).reshape(image)
        assert (found == wanted.reshape(image)).all()


@pytest.mark.parametrize("shape", [(), (4,), (16,), (63,), (2, 2), (8, 8, 2), (8, 8, 3, 1)])
def test_other_rows_are_no_images(shape):
    assert to_images(np.ones((2, *shape))) is None
    # Numbers below 0 are not pixels.
    assert to_images(-np.ones((2, 64))) is None
    assert to_images(np.zeros((2, 64))).max() == 0


def rows(loss, weight=None, prediction=None, target=None):
    loss = np.array(loss, float)
    if prediction is not None:
        prediction, target = np.array(prediction), np.array(target)
    else:
        prediction, target = np.full((loss.size, 2), 0.5), np.zeros(loss.size, int)
    weight = None if weight is None else np.array(weight)
    return RowRecords(np.arange(loss.size) + 100, loss, prediction, target, weight)


def test_the_worst_rows_come_first_and_those_without_weight_not_at_all():
    kept = rows([1.0, np.nan, 3.0, np.inf, 9.0], weight=[1.0, 1.0, 1.0, 1.0, 0.0])
    assert worst_rows(kept).row.tolist() == [101, 103, 102, 100]
    assert worst_rows(kept, 1).row.tolist() == [101]


def test_the_spread_of_losses():
    spread = loss_spread(rows([*range(1, 101), np.inf], weight=[*[1.0] * 101]))
    assert dict(spread.quantiles)["median"] == 50.5
    assert spread.mean == 50.5
    assert spread.others == 1
    assert spread.worst_share == sum(range(91, 101)) / 5050
    assert loss_spread(rows([np.nan])) is None
    assert loss_spread(rows([-1.0, 1.0])).worst_share is None
    # Rows without weight do not count.
    spread = loss_spread(rows([*np.ones(30), 100.0, np.nan], [*np.ones(30), 0.0, 0.0]))
    assert (spread.losses.size, spread.others, spread.mean) == (30, 0, 1.0)
    assert spread.worst_share == pytest.approx(0.1)


def test_weight_two_is_a_row_twice():
    rng = np.random.default_rng(5)
    loss = rng.exponential(size=40)
    weight = rng.integers(1, 4, size=40).astype(float)
    weighted = loss_spread(rows(loss, weight))
    doubled = loss_spread(rows(np.repeat(loss, weight.astype(int))))
    assert weighted.mean == pytest.approx(doubled.mean, rel=1e-12)
    whole = doubled.losses.size // 10 * 10
    assert weighted.worst_share == pytest.approx(doubled.worst_share, rel=10 / whole)
    low, high = dict(weighted.quantiles)["least"], dict(weighted.quantiles)["most"]
    assert (low, high) == (loss.min(), loss.max())


def test_confusion_and_reliability_are_those_of_the_metrics():
    random = np.random.default_rng(3)
    y = random.dirichlet(np.ones(4) * 0.5, 300)
    t, w = random.integers(0, 4, 300), random.integers(0, 3, 300).astype(float)
    kept = rows(np.ones(300), weight=w, prediction=y, target=t)
    metric = lossfw.metric("confusion_matrix")
    assert confusion_matrix(kept) == metric(y, t, sample_weight=w)
    metric = lossfw.metric("calibration_error")
    wanted = metric.curve(metric.partial(y, t, sample_weight=w))
    for name, values in reliability_curve(kept).items():
        assert values == pytest.approx([v for v in wanted[name] if v is not None], rel=1e-12)
    # Of predictions that are not probabilities there is no curve.
    odd = rows([1, 1], prediction=np.array([[3.0, 1], [0, 2]]), target=np.array([0, 1]))
    assert reliability_curve(odd) is None
    assert confusion_matrix(rows([1, 1], prediction=np.ones(2), target=np.ones(2))) is None


def test_a_row_in_words():
    y = np.array([[0.25, 0.75]])
    (told,) = describe_rows(rows([2.0], prediction=y, target=np.array([0])))
    assert told["prediction"] == "1"
    assert (told["target"], told["sure"], told["of_target"]) == ("0", 0.75, 0.25)
    (told,) = describe_rows(rows([2.0], prediction=np.arange(8.0)[None], target=np.ones((1, 8))))
    assert told["prediction"] == "[0, 1, 2, 3, 4, 5, …]"
    # Single numbers have no brackets, and inputs their names.
    one, inputs = rows([2.0], prediction=[[2.8021]], target=[[3.0]]), np.array([[79.3, 111.6]])
    (shown,) = describe_rows(one, inputs, names=("age", "power"))
    assert (shown["prediction"], shown["target"]) == ("2.802", "3")
    assert shown["inputs"] == "age 79.3, power 111.6"
    (shown,) = describe_rows(one, inputs)
    assert shown["inputs"] == "[79.3, 111.6]"
    (shown,) = describe_rows(one, np.arange(9.0)[None], names=list("abcdefghi"))
    assert shown["inputs"].startswith("a 0, b 1, ")
    assert shown["inputs"].endswith(", …")


def test_a_matrix_names_its_mistakes_the_most_frequent_first():
    found = matrix_cells([[5, 1, 0], [3, 4, 0], [0, 0, 0]])
    assert found["mistakes"] == [("3", "1", "0"), ("1", "0", "1")]
    assert (found["right"], found["whole"]) == (9, 13)
    assert [cell["text"] for cell in found["rows"][1]] == ["3", "4", "0"]
    assert matrix_cells([[2.0, 1.0], [0.0, 3.0]], ["cat", "dog"])["labels"] == ["cat", "dog"]
    assert matrix_cells(None) is None
    # One of very many classes has a line in place of a picture.
    small, large = (np.eye(size).tolist() for size in (MOST_CLASSES, MOST_CLASSES + 1))
    assert len(matrix_cells(small)["rows"]) == MOST_CLASSES
    large[0][5] = 3.0
    found = matrix_cells(large)
    assert (found["rows"], found["classes"]) == ([], MOST_CLASSES + 1)
    assert (found["right"], found["whole"]) == (MOST_CLASSES + 1, MOST_CLASSES + 4)
    assert found["mistakes"] == [("3", "0", "5")]
    assert len(repr(found)) < 10_000
