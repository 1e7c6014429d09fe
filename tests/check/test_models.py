"""Models under check: by name, among many, and where they cannot be checked."""

import json

import numpy as np
import pytest

from lossfw.check import check, parametrize_with_checks
from lossfw.errors import ArgumentError
from lossfw.models import Model, Predictor
from support.liars.models import Lines


class Fixed(Model):
    """A model that only makes predictions."""

    @classmethod
    def examples(cls):
        return []

    def load(self, content, card):
        weights = np.array(json.loads(content))
        return Predictor(
            "fixed", content, weights.shape, 1, lambda x: (x * weights).sum(axis=1), "sigmoid"
        )


class Means(Model):
    """A model whose rounds add nothing."""

    ending = ".json"
    training_mode = "rounds"

    def fit(self, leg):
        constant = leg.best_constant()
        content = json.dumps([constant.tolist(), leg.inputs.shape[1]]).encode()
        for _ in range(leg.rounds):
            leg.report_round(np.tile(constant, (len(leg.data), 1)), None)
        return content

    def cut(self, content, rounds):
        return content

    def load(self, content, card):
        constant, width = json.loads(content)
        return Predictor(
            "means", content, (width,), len(constant), lambda x: np.tile(constant, (len(x), 1))
        )


@parametrize_with_checks([Lines()])
def test_an_honest_model(component, check):
    check(component)


def test_a_trained_model_is_checked_by_its_file(tmp_path):
    file = tmp_path / "means.json"
    file.write_text("[[0.5], 3]")
    report = check(Means(file=file))
    assert [one.check for one in report.refuted] == ["model:file"]


def test_a_model_without_a_file_says_so():
    with pytest.raises(ArgumentError, match=r"fixed only makes predictions, .* -p file=FILE"):
        check(Fixed())
    with pytest.raises(ArgumentError, match="check that by its name, with -p file=FILE"):
        check({"name": "trained", "folder": "a"})


def test_what_does_not_learn_is_refuted():
    refuted = {one.check: one.message for one in check(Means()).refuted}
    assert "not below the" in refuted["model:refusal"]
    assert "got None for the held-out rows" in refuted["model:reported_outputs"]
    assert "ignores leg.saved" in refuted["model:legs"]
    assert "model:place" not in refuted
