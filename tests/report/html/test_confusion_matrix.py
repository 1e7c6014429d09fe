"""The confusion matrix on a page: a table of few classes, and of many the mistakes alone."""

import numpy as np

from lossfw.report.html.row_statistics import matrix_of


def test_a_thousand_classes_have_no_table():
    matrix = np.eye(1000)
    matrix[3, 7] = 5
    section = matrix_of(matrix.tolist())
    assert (section["classes"], section["whole"], section["right"]) == (1000, 1005, 1000)
    assert not section["rows"]
    assert tuple(section["mistakes"][0]) == ("5", "3", "7")
    assert len(repr(section)) < 10_000


def test_classes_have_their_labels():
    section = matrix_of([[2.0, 1.0], [0.0, 3.0]], ["cat", "dog"])
    assert section["labels"] == ["cat", "dog"]
    assert section["mistakes"] == [("1", "cat", "dog")]


def test_few_classes_have_a_table():
    section = matrix_of([[2.0, 1.0], [0.0, 3.0]])
    assert [[cell["text"] for cell in row] for row in section["rows"]] == [["2", "1"], ["0", "3"]]
