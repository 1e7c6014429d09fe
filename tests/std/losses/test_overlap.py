"""Overlap of sets: known values, empty sets."""

import pytest

import lossfw

NAMES = ["tversky", "dice", "jaccard"]


def at(name, y, t, **parameters):
    return lossfw.loss(name, **parameters)(y, t)


class TestMeaning:
    def test_one_false_positive_and_one_false_negative(self):
        # One member found, one of each mistake: 1 - 1 / (1 + alpha + beta).
        y, t = [1, 1, 0], [1, 0, 1]
        assert at("tversky", y, t, alpha=0.25, beta=0.75) == 0.5
        assert at("tversky", y, t, alpha=1.0, beta=0.0) == 0.5
        assert at("tversky", [1, 1], [1, 0], alpha=1.0, beta=0.0) == 0.5
        assert at("tversky", [1, 0], [1, 1], alpha=1.0, beta=0.0) == 0


class TestEnds:
    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_there_and_nothing_predicted(self, name):
        loss = lossfw.loss(name)
        assert loss([0.0, 0.0], [0.0, 0.0]) == 0
        assert not loss.gradient([0.0, 0.0], [0.0, 0.0]).any()
        assert not loss.hessian([0.0, 0.0], [0.0, 0.0]).any()
        assert loss([0.0, 0.0], [1.0, 0.0]) == 1
