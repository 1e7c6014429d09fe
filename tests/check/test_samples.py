"""Components without defaults: sample parameters, and what cannot be made."""

import json

import pytest

from lossfw import SIMPLEX, CategoricalLoss, Claims
from lossfw.check import check

BARRON = """
from lossfw import Claims, DistanceLoss


class Stretched(DistanceLoss):
    scale: float

    @classmethod
    def examples(cls):
        return [{"scale": 0.25}, {"scale": 4.0}]

    def value(self, xp, r):
        return r * r / self.scale

    def claims(self):
        return Claims(convex=self.scale > 0)


class Tabled(DistanceLoss):
    table: str

    def value(self, xp, r):
        return r * r
"""


@pytest.fixture(autouse=True)
def mine(folder):
    (folder / "mine.py").write_text(BARRON)


QUICK = ("--examples", "5", "--only", "value", "--only", "convex")


@pytest.mark.slow
def test_samples_are_checked_and_what_cannot_be_made_does_not_stop_the_others(lossfw, folder):
    command = ("check", "--plugin", "mine.py")
    said = lossfw(*command, *QUICK, "--json-file", "it.json")
    assert said.exit_code == 1
    assert "not checked: tabled cannot be made without parameters (table)" in said.stdout
    reports = json.loads((folder / "it.json").read_text())["reports"]
    assert [bool(report["not_checked"]) for report in reports].count(True) == 1
    assert {"Stretched(scale=0.25)", "Stretched(scale=4.0)"} <= {one["name"] for one in reports}
    assert lossfw(*command, *QUICK, "--allow-unfinished").exit_code == 0
    assert "at 4 parameter sets not refuted" in lossfw(*command, "stretched", *QUICK).stdout
    alone = lossfw(*command, "tabled")
    assert alone.exit_code == 2
    assert "Tabled.examples() name sample parameters" in alone.stderr


def test_the_first_sample_is_shown_and_plotted(lossfw):
    assert "It claims at scale=0.25" in lossfw("show", "--plugin", "mine.py", "stretched").stdout
    said = lossfw("plot", "--plugin", "mine.py", "stretched", "--out-file", "it.svg")
    assert said.exit_code == 0, said.output


class PerClass(CategoricalLoss):
    """The Brier score with a weight for each class, as an author writes the list."""

    prediction = target = SIMPLEX

    weights: list[float] = [1.0, 0.5, 3.0]  # noqa: RUF012  # becomes a tuple

    @property
    def fixed_classes(self):
        return len(self.weights)

    def value(self, xp, y, t):
        return xp.sum(xp.asarray(self.weights, dtype=y.dtype) * (y - t) ** 2, axis=-1)

    def claims(self):
        return Claims(nonnegative=True, convex=True, zero_at_target=True)


def test_parameters_of_each_class_fix_the_number_of_classes():
    report = check(PerClass(), examples=10)
    assert report.ok, str(report)
    assert "claim:convex" in [one.check for one in report.passed]
