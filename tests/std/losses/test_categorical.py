"""Losses over classes besides cross-entropy: derivatives at ends and ties, errors."""

import math

import numpy as np
import pytest

import lossfw

INF = math.inf


class TestRobust:
    @pytest.mark.parametrize("q", [0.01, 0.3, 0.7])
    def test_derivatives_at_the_ends(self, q):
        loss = lossfw.loss("generalised_cross_entropy", q=q)
        for target in (0, [1.0, 0.0]):
            assert loss.gradient([0.0, 1.0], target).tolist() == [-INF, 0]
            assert loss.hessian([0.0, 1.0], target).tolist() == [INF, 0]
            assert loss.gradient([1.0, 0.0], target).tolist() == [-1, 0]


class TestHinges:
    @pytest.mark.parametrize("form", ["crammer_singer", "weston_watkins"])
    def test_derivatives_of_an_index_and_of_its_row_are_the_same_at_ties_too(self, form):
        loss = lossfw.loss("multiclass_hinge", form=form)
        z = np.random.default_rng(7).integers(-2, 3, (200, 4)) * 0.5
        index = np.arange(200) % 4
        by_index = loss.gradient(z, index, reduction="none")
        assert np.array_equal(by_index, loss.gradient(z, np.eye(4)[index], reduction="none"))
        assert by_index.sum(-1).tolist() == [0] * 200
        assert not loss.hessian(z, index).any()

    @pytest.mark.parametrize(
        ("row", "worst", "every"),
        [
            ([INF, 0, 0], 0, 0),
            ([0, INF, 0], INF, INF),
            ([-INF, 0, 0], INF, INF),
            ([0, -INF, -INF], 0, 0),
            ([INF, INF, 0], 1, 1),
            ([-INF, -INF, -INF], 1, 2),
        ],
    )
    def test_infinite_scores(self, row, worst, every):
        for form, value in (("crammer_singer", worst), ("weston_watkins", every)):
            loss = lossfw.loss("multiclass_hinge", form=form)
            assert loss(row, 0) == loss(row, [1.0, 0.0, 0.0]) == value
            assert np.isfinite(loss.gradient(row, 0)).all()
