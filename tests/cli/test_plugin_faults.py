"""lossfw explains what is wrong in a plugin, with the place."""

from pathlib import Path

import pytest

RUN = """\
lossfw: 1
plugins: [bad.py]
data: {name: inline, targets: [1.0, 2.0]}
network: {predictions: [0.5, 2.0]}
loss: squared_error
"""
LOSS = '''\
from lossfw import Claims, DistanceLoss


class Bad(DistanceLoss):
    """A loss."""

    def value(self, xp, r):
        return r * r

'''


@pytest.mark.parametrize("command", ["check", "show"])
@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("    def __init__(self, a):\n        self.a = a\n", "parameter as a field"),
        ("    def claims(self):\n        return {'convex': True}\n", "returns {'convex': True}"),
        ("    claims = property(lambda self: Claims(convex=True))\n", "claims is not a method"),
    ],
    ids=["init", "dictionary", "property"],
)
def test_a_class_of_another_kind_is_told_what_was_wanted(command, method, said, lossfw):
    Path("bad.py").write_text(LOSS + method)
    done = lossfw(command, "--plugin", "bad.py", "bad")
    assert done.exit_code == 2
    assert said in done.stderr
    assert "This is a bug" not in done.stderr


def test_an_error_in_a_plugin_is_told_with_its_place(lossfw):
    Path("bad.py").write_text(
        "from lossfw import ElementMetric\n\n\nclass Bad(ElementMetric):\n    '''A metric.'''\n\n"
        "    def elements(self, prediction, target):\n        return 1 / 0\n"
    )
    Path("run.yaml").write_text(RUN + "evaluate: {metrics: [bad]}\n")
    done = lossfw("run", "run.yaml")
    assert done.exit_code == 1
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert "bad.py, line 8, in Bad.elements" in done.stderr
    assert "This is a bug" not in done.stderr


@pytest.mark.parametrize("slices", ["", "evaluate: {slices: [column.kind]}\n"])
def test_a_source_that_loads_no_data_set_is_told(slices, lossfw):
    Path("bad.py").write_text(
        "from lossfw.data import Source\n\n\nclass Bad(Source):\n    '''A source.'''\n\n"
        "    def load(self):\n        return [1, 2]\n\n"
        "    def load_with(self, columns):\n        return [1, 2]\n"
    )
    Path("run.yaml").write_text(RUN.replace("{name: inline, targets: [1.0, 2.0]}", "bad") + slices)
    done = lossfw("run", "run.yaml")
    assert done.exit_code == 2
    told = "load() of the source 'bad' returned list; expected a lossfw.data.Dataset"
    assert told in done.stderr
