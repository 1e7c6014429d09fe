"""The costs of components: the file that is shipped, and how it is read."""

import sys

import pytest

import lossfw
from lossfw.report.text.component import cost_table, costs_of
from support.built_in import built_in


def test_every_built_in_has_its_costs_in_each_form():
    without = [repr(part) for part in built_in() if costs_of(part) is None]
    assert not without, f"make costs measures again: {without}"


def test_costs_are_plausible_numbers():
    for part in built_in():
        found = costs_of(part)
        assert found["processor"]
        assert found["numpy"]
        for one in found["costs"].values():
            for kind, naive in one["naive"].items():
                # Between a copy from memory and a hundred exponentials.
                assert 0.05 < naive < 500, part
                assert 0.05 < one["tiles"][kind] < 2_000, part


def test_other_parameters_have_no_costs():
    assert costs_of(lossfw.loss("huber", delta=3.0)) is None


def test_a_package_without_the_file_has_none():
    class Mine(lossfw.DistanceLoss):
        """Mine."""

        def value(self, xp, r):
            return xp.abs(r)

    assert Mine.__module__ in sys.modules
    assert costs_of(Mine()) is None


@pytest.mark.parametrize("column", ["tiles", "kernel"])
def test_a_table_has_a_column_for_what_was_measured(column):
    one = {"value": 1.25, "gradient": 2.0}
    costs = {"float32": {column: one, "naive": one}, "float64": {"naive": one}}
    head, rows = cost_table({"costs": costs})
    assert head == ("", column, "naive NumPy")
    assert rows[0] == ("float32, value", "1.2", "1.2")
    assert rows[-1] == ("float64, value and gradient", "", "2.0")
