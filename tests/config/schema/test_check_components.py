import re

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
        ("0.5", "small", "4:37", "loss.factor should be a number, got 'small'", ""),
        ("0.5", ".nan", "4:37", "loss.factor should be a finite number, got nan", ""),
        ("factor: 0.5", "per: rows", "4:34", "should be 'element' or 'row', got 'rows'", ""),
        ("red_error", "red_eror", "4:14", "no loss 'squared_eror'", "mean 'squared_error'?"),
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
    *places, override = (where for where, _, _ in found)
    wanted = "1:9 2:1 3:31 6:30 7:15 9:29 9:44 11:15 12:13 13:19"
    assert places == [f"run.yaml:{place}" for place in wanted.split()]
    assert override == "-o evaluate.sample.sed=1"


@pytest.mark.parametrize("name", ['"a\\0b"', "x" * 5_000, '"\\n"'])
def test_impossible_names_are_names_of_no_file(name, refused, monkeypatch, folder):
    monkeypatch.setenv("LOSSFW_DATA", str(folder))
    refused(GOOD.replace("[[0.25, 0.75]]", name), at="3:24", what="there is no file ")


def test_a_folder_is_no_file_of_numbers(folder, refused):
    (folder / "y.npy").mkdir()
    refused(GOOD.replace("[[0.25, 0.75]]", "y.npy"), at="3:24", what="folder")


MILD = GOOD.replace("{name: squared_error, factor: 0.5}", "{name: mild, c: 2.0}")


def test_every_broken_plugin_file_is_pointed_at(folder, problems):
    for name, text in (("a.py", "1 / 0\n"), ("b.py", FAIR), ("c.py", "nothing = 1\n")):
        (folder / name).write_text(text)
    (folder / "d.txt").write_text("")
    found = problems(f"plugins: [a.py, b.py, c.py, d.txt]\n{MILD}")
    assert [where for where, _, _ in found] == ["run.yaml:1:11", "run.yaml:1:23", "run.yaml:1:29"]
    for what, (_, said, _) in zip(("ZeroDivision", "offers nothing", ".py"), found, strict=True):
        assert what in said


def test_plugins_of_the_command_line_are_no_mistake_of_the_configuration(folder, plan):
    (folder / "a.py").write_text("1 / 0\n")
    with pytest.raises(BrokenPluginError, match="ZeroDivisionError"):
        plan(GOOD, plugins=Plugins(local=["a.py"]))
    with pytest.raises(UnknownNameError, match="nobody"):
        plan(GOOD, plugins=Plugins(disable=["nobody"]))


def test_installed_plugins_can_be_left_out(install, plan, refused):
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": FAIR + OFFER})
    assert plan(MILD).loss.name == "mild"
    for plugins in (Plugins(installed=False), Plugins(disable=["acme"])):
        refused(MILD, plugins=plugins, what="no loss 'mild'")


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


# A class with an __init__ and a validator of its own is made alike from YAML and Python.
@pytest.fixture
def mild(folder):
    (folder / "mine.py").write_text(REFINED + OFFER)
    return Registry.discover(local=["mine.py"]).component_class("loss", "mild")


def refined(parameters):
    return f"plugins: [mine.py]\n{GOOD}".replace("squared_error, factor: 0.5", f"mild{parameters}")


@pytest.mark.parametrize(
    ("parameters", "given"), [("", {}), (", c: 2.0", {"c": 2.0}), (", low: 0.5", {"low": 0.5})]
)
def test_it_is_the_same_component(parameters, given, mild, plan):
    made = plan(refined(parameters)).loss
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
def test_its_mistakes_are_the_same(parameters, given, place, what, mild, refused):
    refused(refined(parameters), at=place, what=what)
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
