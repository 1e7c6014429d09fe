"""``lossfw show``, ``plot`` and ``bridge``."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from lossfw.extras import install_command

PLUGIN = '''
from typing import Literal

from lossfw import Claims, DistanceLoss, hookimpl


class Plain(DistanceLoss):
    """Its residual, r.

    Parameters
    ----------
    scale : float
        By what it is multiplied,
        told over two lines.
    """

    scale: float
    word: Literal["a", "b"] = "a"

    def value(self, xp, r):
        return self.scale * r

    def claims(self):
        return Claims(lipschitz=abs(self.scale), smooth=True)


@hookimpl
def lossfw_losses():
    return {"plain": Plain, "simple": "plain"}
'''


@pytest.fixture
def shown(in_json):
    """Show one component and return what the JSON says of it."""

    def show(*arguments):
        (found,) = in_json("show", *arguments)["components"]
        return found

    return show


def test_a_loss_is_described(shown, folder, lossfw):
    found = shown("huber", "-p", "delta=0.25")
    assert found["name"] == "huber"
    assert "r^2 / 2" in found["summary"]
    assert found["prediction"]["name"] == found["target"]["name"] == "REAL"
    assert found["claims"]["lipschitz"] == 0.25
    assert "strictly_convex" in found["not_claimed"]
    assert not set(found["claims"]) & set(found["not_claimed"])
    assert found["derivative"] == "author"
    (delta, _) = found["parameters"]
    keys = ("name", "default", "value", "bounds")
    assert [delta[key] for key in keys] == ["delta", 1.0, 0.25, "> 0"]
    # A wrapper takes its derivatives from its parts.
    found = shown("scaled", "-p", "of=huber", "-p", "scale=-2.0")
    assert found["derivative"] == "parts"
    assert found["parameters"][0]["value"] == {"name": "huber"}
    # Without a needed parameter the class is shown, but no claim.
    (folder / "plain.py").write_text(PLUGIN)
    found = shown("plain", "--plugin", "plain.py")
    assert "claims" not in found
    assert found["parameters"][0]["required"]
    assert "needed" in lossfw("show", "plain", "--plugin", "plain.py").stdout


def test_the_formula_as_latex(shown, lossfw):
    formula = r"\frac{r^{2}}{r^{2} + c^{2}}"
    assert shown("geman_mcclure")["latex"] == formula
    assert lossfw("show", "geman_mcclure", "--latex").stdout == formula + "\n"
    assert "latex" not in shown("digits")


def test_what_is_compiled(shown, lossfw):
    for names, parts in (
        (("huber", "cross_entropy"), ["value", "gradient", "hessian"]),
        (("gelu", "softmax"), ["value", "vjp"]),
    ):
        assert [shown(name)["engine"]["compiled"] for name in names] == [parts, parts]
    assert shown("sparsemax")["engine"]["tiles"]["value"] == "the body uses xp.sort"
    assert "engine" in lossfw("show", "huber").stdout


@pytest.mark.slow
def test_a_page_has_a_section_for_every_component(lossfw, in_json):
    page = lossfw("show", "--all", "--markdown").stdout
    listed = in_json("list")["components"]
    sections = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert sorted(sections) == sorted(one["name"] for one in listed)
    # In a table a bar would begin a cell.
    assert r"| element \| row |" in page


def test_several_names_are_shown_those_of_a_kind_together(in_json):
    shown = in_json("show", "relu", "huber", "step", "hinge")
    assert [one["name"] for one in shown["components"]] == ["huber", "hinge", "relu", "step"]


SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_of_several_losses(folder, lossfw):
    result = lossfw("plot", "huber", "log_cosh", "-p", "delta=0.5", "--out-file", "two.svg")
    assert (result.exit_code, result.stderr) == (0, "")
    root = ElementTree.parse(folder / "two.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f".//{SVG}path")) > 20


@pytest.mark.slow
def test_the_same_picture_has_the_same_bytes(folder, lossfw, process):
    lossfw("plot", "hinge", "logistic", "--out-file", "a.svg")
    assert process("plot", "hinge", "logistic", "--out-file", "b.svg").returncode == 0
    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes()
    assert b"<dc:date>" not in (folder / "a.svg").read_bytes()


def test_a_png_of_a_range_and_a_loss_that_is_a_mapping(folder, lossfw):
    plot = ("plot", "gelu", "relu", "--range", "-1", "2")
    assert lossfw(*plot, "--out-file", "pictures/a.PNG").exit_code == 0
    assert (folder / "pictures/a.PNG").read_bytes().startswith(b"\x89PNG")
    arguments = ("plot", "huber", "{name: huber, delta: 0.25}", "--out-file", "a.svg")
    assert lossfw(*arguments).exit_code == 0
    first = (folder / "a.svg").read_bytes()
    lossfw("plot", "huber", "huber", "--out-file", "a.svg")
    assert (folder / "a.svg").read_bytes() != first


def test_without_matplotlib_the_extra_is_named(lossfw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = lossfw("plot", "huber", "--out-file", "a.svg")
    assert result.exit_code == 2
    assert install_command("report") in result.stderr


LIBRARIES = ("catboost", "lightgbm", "sklearn", "xgboost")


@pytest.mark.turns(5)
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("{name: huber, delta: 2}", np.linspace(0.0, 9.0, 80)),
        ("logistic", np.arange(80) // 40),
        ("cross_entropy", np.arange(80) % 3),
    ],
)
def test_the_lines_train_a_model(library, loss, y, lossfw):
    for module in LIBRARIES:
        pytest.importorskip(module)
    result = lossfw("bridge", library, "--loss", loss)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.replace(", 100)", ", 3)").replace("{}", '{"verbosity": 0}')
    lines = lines.replace(")).fit(", "), max_iter=1).fit(").replace(
        '"iterations": 100', '"iterations": 3, "allow_writing_files": False, "verbose": False'
    )
    assert len(result.stdout.splitlines()) == 3
    names = {"x": np.arange(80.0)[:, None], "y": y}
    exec(compile(lines, library, "exec"), names)
    assert names["model"] is not None


def test_a_bridge_as_json(in_json):
    told = in_json("bridge", "xgboost", "--loss", "huber")
    assert told["loss"] == {"name": "huber"}
    assert "bridge.train('huber'" in told["usage"]


FAR = '''
from lossfw.models import Model


class Far(Model):
    """A model of a library."""

    ending = ".far"
    training_mode = "rounds"
    accepted_inputs = frozenset({"missing"})
    library = "nowhere_at_all"
'''


def test_a_model_says_how_it_learns_and_which_library_it_needs(lossfw):
    Path("nowhere.py").write_text(FAR)
    shown = lossfw("show", "far", "--plugin", "nowhere.py").stdout
    for line in (
        "learns   in rounds: train: {rounds: 100}",
        "inputs   numbers, missing values",
        "file     .far, which a training writes",
        "library  nowhere_at_all, not installed: pip install nowhere_at_all",
    ):
        assert line in shown
    listed = lossfw("list", "models", "--plugin", "nowhere.py").stdout
    assert "not installed, pip install nowhere_at_all: A model of a library." in listed
