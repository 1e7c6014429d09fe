import re

import numpy as np
import pytest

from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Registry
from lossfw.errors import BrokenPluginError, ParameterError, UnknownNameError

GOOD = """\
lossfw: 1
data: {name: inline, targets: [[0.0, 1.0]]}
network: {predictions: [[0.25, 0.75]]}
loss: {name: squared_error, factor: 0.5}
evaluate: {metrics: []}
"""

FAIR = """\
from pydantic import PositiveFloat
from lossfw import DistanceLoss

class Mild(DistanceLoss):
    '''Mild loss.'''

    c: PositiveFloat = 1.0

    def value(self, xp, r):
        return self.c * xp.abs(r)
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "what", "hint"),
    [
        ("factor", "factr", "4:29", "squared_error has no parameter 'factr'", "mean 'factor'?"),
        ("factor: 0.5", "fues: no", "4:29", "has no parameter 'fues'", "mean 'fuse'?"),
        ("factor", "zzz", "4:29", "has no parameter 'zzz'", "it has per, factor, fuse"),
        ("0.5", "small", "4:37", "loss.factor should be a number, got 'small'", ""),
        ("0.5", ".nan", "4:37", "loss.factor should be a finite number, got nan", ""),
        ("0.5", "true", "4:37", "loss.factor should be a number, got true", ""),
        ("factor: 0.5", "per: rows", "4:34", "should be 'element' or 'row', got 'rows'", ""),
        ("red_error", "red_eror", "4:14", "no loss 'squared_eror'", "mean 'squared_error'?"),
        ("inline", "inlin", "2:14", "no data source 'inlin'", "did you mean 'inline'?"),
        ("metrics: []", "metrics: [acuracy]", "5:22", "no metric 'acuracy'", "mean 'accuracy'?"),
        ("[[0.0, 1.0]]", "[[0.0, x]]", "2:38", "data.targets should be numbers", ""),
        ("inline, targets: [[0.0, 1.0]]", "arrays", "2:7", "should be 'file', or at least", ""),
        ("targets: [[0.0, 1.0]]", "", "2:1", "inline needs the parameter 'targets'", ""),
    ],
)
def test_a_component_is_held_to_its_own_class(old, new, place, what, hint, refused):
    refused(GOOD.replace(old, new), at=place, what=what, hint=hint)


def test_mistakes_of_both_steps_come_together_in_file_order(problems):
    found = problems(
        """\
        lossfw: 2
        sed: 0
        data: {name: inline, targets: x}
        network:
          layers:
            - {units: 2, activation: identiti}
            - {units: no, activation: relu}
          weights: nowhere.npz
        loss: {name: squared_error, factr: 1, per: 3}
        evaluate:
          batch_size: 1e-7
          metrics: [acuracy]
          sample: {count: 0}
        """,
        "evaluate.sample.sed=1",
    )
    assert [where for where, _, _ in found] == [
        "run.yaml:1:9",
        "run.yaml:2:1",
        "run.yaml:3:31",
        "run.yaml:6:30",
        "run.yaml:7:15",
        "run.yaml:9:29",
        "run.yaml:9:44",
        "run.yaml:11:15",
        "run.yaml:12:13",
        "run.yaml:13:19",
        "-o evaluate.sample.sed=1",
    ]


class TestFiles:
    text = GOOD.replace("[[0.25, 0.75]]", "y.npy")

    def save(self, folder, value):
        folder.mkdir(exist_ok=True)
        np.save(folder / "y.npy", np.array([[value, value]]))

    @pytest.mark.parametrize("name", ['"a\\0b"', "x" * 5_000, '"\\n"'])
    def test_impossible_names_are_names_of_no_file(self, name, problem, monkeypatch, folder):
        monkeypatch.setenv("LOSSFW_DATA", str(folder))
        where, what, _ = problem(self.text.replace("y.npy", name))
        assert where == "run.yaml:3:24"
        assert what.startswith("there is no file ")

    def test_a_folder_is_no_file_of_numbers(self, folder, refused):
        (folder / "y.npy").mkdir()
        refused(self.text, at="3:24", what="folder")


class TestPlugins:
    text = GOOD.replace("{name: squared_error, factor: 0.5}", "{name: mild, c: 2.0}")

    def test_every_broken_file_is_pointed_at(self, folder, problems):
        (folder / "a.py").write_text("1 / 0\n")
        (folder / "b.py").write_text(FAIR)
        (folder / "c.py").write_text("nothing = 1\n")
        (folder / "d.txt").write_text("")
        found = problems(f"plugins: [a.py, b.py, c.py, d.txt]\n{self.text}")
        assert [where for where, _, _ in found] == [
            "run.yaml:1:11",
            "run.yaml:1:23",
            "run.yaml:1:29",
        ]
        assert "ZeroDivisionError" in found[0][1]
        assert "offers nothing" in found[1][1]
        assert ".py" in found[2][1]

    def test_broken_files_of_the_command_line_are_no_mistake_of_the_configuration(
        self, folder, plan
    ):
        (folder / "a.py").write_text("1 / 0\n")
        with pytest.raises(BrokenPluginError, match="ZeroDivisionError"):
            plan(GOOD, plugins=Plugins(local=["a.py"]))

    def test_a_plugin_to_disable_has_to_be_there(self, plan):
        with pytest.raises(UnknownNameError, match="nobody"):
            plan(GOOD, plugins=Plugins(disable=["nobody"]))

    def test_installed_plugins_can_be_left_out(self, install, plan, problem):
        install("acme", {"acme": "acme_plugin"}, {"acme_plugin": FAIR + OFFER})
        assert plan(self.text).loss.name == "mild"
        assert "no loss 'mild'" in problem(self.text, plugins=Plugins(installed=False))[1]
        assert "no loss 'mild'" in problem(self.text, plugins=Plugins(disable=["acme"]))[1]


REFINED = """
from pydantic import PositiveFloat, model_validator
from lossfw import DistanceLoss, hookimpl
from lossfw.errors import ParameterError

class Mild(DistanceLoss):
    '''Mild loss.'''

    c: PositiveFloat = 1.0
    low: float = 0.0

    def __init__(self, **parameters):
        if parameters.get("c") == 13:
            raise ParameterError("13 brings bad luck.")
        super().__init__(**{"low": -4.0, **parameters})

    @model_validator(mode="after")
    def _in_order(self):
        if self.low > self.c:
            raise ValueError("c at least as large as low")
        return self

    def value(self, xp, r):
        return self.c * xp.abs(r) - self.low
"""


class TestRefined:
    """A class with an __init__ and a validator of its own is made alike from YAML and Python."""

    text = f"plugins: [mine.py]\n{GOOD}"

    @pytest.fixture
    def mild(self, folder):
        (folder / "mine.py").write_text(REFINED + OFFER)
        return Registry.discover(local=["mine.py"]).component_class("loss", "mild")

    def given(self, parameters):
        return self.text.replace("squared_error, factor: 0.5", f"mild{parameters}")

    @pytest.mark.parametrize(
        ("parameters", "given"), [("", {}), (", c: 2.0", {"c": 2.0}), (", low: 0.5", {"low": 0.5})]
    )
    def test_it_is_the_same_component(self, parameters, given, mild, plan):
        made = plan(self.given(parameters)).loss
        assert made.parameters == mild(**given).parameters
        assert made.low == given.get("low", -4.0)

    @pytest.mark.parametrize(
        ("parameters", "given", "place", "what"),
        [
            (", c: -2.0", {"c": -2.0}, "5:23", "greater than 0, got -2.0"),
            (", low: 2.0", {"low": 2.0}, "5:7", "c at least as large as low"),
            (", c: 13", {"c": 13}, "5:7", "13 brings bad luck"),
            (", d: 1", {"d": 1}, "5:20", "has no parameter 'd'"),
        ],
    )
    def test_its_mistakes_are_the_same(self, parameters, given, place, what, mild, refused):
        refused(self.given(parameters), at=place, what=what)
        with pytest.raises(ParameterError, match=re.escape(what)):
            mild(**given)


OFFER = """
from lossfw import hookimpl

@hookimpl
def lossfw_losses():
    return {"mild": Mild}
"""


@pytest.mark.parametrize(
    ("loss", "hint"),
    [
        ("Huber(delta=2)", "parameters are keys next to the name: {name: huber, delta: 2}"),
        ("{huber: {delta: 2}}", "write {name: huber, delta: 2}"),
        ("{huber: }", "write {name: huber}"),
    ],
)
def test_a_component_in_another_form_is_told_how_it_is_written(loss, hint, problem):
    assert problem(GOOD, f"loss={loss}")[2] == hint
