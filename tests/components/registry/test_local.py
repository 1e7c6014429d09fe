"""Local plugin files: explicit, so that what is wrong with one is an error at once."""

import pytest

from lossfw.components.registry import Registry
from lossfw.errors import BrokenPluginError, IncompatiblePluginError
from support.plugin_sources import HEAD, loss

ABSTRACT = """
from abc import ABC, abstractmethod
class Base(Component, ABC):
    kind: ClassVar[str] = "loss"
    @abstractmethod
    def value(self, xp, r): ...
"""


@pytest.fixture
def local(tmp_path, monkeypatch):
    """Write a file into the current directory."""
    monkeypatch.chdir(tmp_path)

    def write(source, name="my_loss.py"):
        (tmp_path / name).write_text(source)
        return name

    return write


def offered(registry):
    return sorted(e.name for e in registry.entries() if e.plugin.path is not None)


NO_XP = """
from lossfw import DistanceLoss
class Bare(DistanceLoss):
    def value(self, r):
        return r * r
"""


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("x = 1\ndef f(:\n", ["SyntaxError", "(my_loss.py:2)"]),
        ("import no_such_module", ["no_such_module", "(my_loss.py:1)"]),
        ("x = 1", ["offers nothing", "public class", "lossfw_losses"]),
        (HEAD + loss("_Fair"), ["offers nothing"]),
        (HEAD + "from support.plugin_sources import *", ["offers nothing"]),
        ("def lossfw_losses(): ...", ["@hookimpl"]),
        (HEAD + ABSTRACT, ["my_loss.py:7: Base", "define value"]),
        ("from __future__ import annotations" + HEAD + loss("Mild", "c: Flaot = 1.0"),
         ["my_loss.py:6: Mild", "unknown type 'Flaot'"]),
        (HEAD + "class Mild(Component): ...", ["my_loss.py:5: Mild", "has no kind"]),
        (HEAD + loss("Mild") + loss("Other", "name: ClassVar[str] = 'mild'"),
         ["my_loss.py:11", "Other and Mild", "'mild'"]),
        (HEAD + "class Mild(Component):\n    name: str = 'x'",
         ["Mild.name cannot", "(my_loss.py:5)"]),
        (HEAD + "class Mild(Component):\n    scale = 2.0",
         ["`scale = 2.0` has no type", "ClassVar[float]", "(my_loss.py:5)"]),
        (HEAD + NO_XP, ["my_loss.py:7: Bare", "value takes (r); expected (xp, r): xp, the array"]),
        (HEAD + NO_XP.replace("self, r", "xp, r"), ["value lacks self: write value(self, xp, "]),
        ("\0", ["null bytes"]),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_an_error_with_its_address(local, source, wanted):
    with pytest.raises(BrokenPluginError) as caught:
        Registry.discover(local=[local(source)])
    for words in ("Plugin my_loss.py cannot be used", *wanted):
        assert words in str(caught.value)


def test_paths_that_are_no_plugin_file(local, tmp_path):
    local("x = 1", "my_loss.py")
    (tmp_path / "folder.py").mkdir()
    for path, words in {
        "my_los.py": f"no file {tmp_path / 'my_los.py'}. Did you mean 'my_loss.py'?",
        "acme": "not a .py file",
        "folder.py": "cannot be read: Is a directory",
    }.items():
        with pytest.raises(BrokenPluginError) as caught:
            Registry.discover(local=[path])
        assert words in str(caught.value)
    with pytest.raises(IncompatiblePluginError, match="version 99"):
        Registry.discover(local=[local("lossfw_api = 99")])


@pytest.mark.parametrize(
    "arguments", ["self, xp, r, more=2", "self, *given", "self, xp, r, *, k=1"]
)
def test_a_function_that_can_be_called_as_its_kind_is_taken(local, arguments):
    source = HEAD + NO_XP.replace("self, r", arguments).replace("r * r", "0")
    assert Registry.discover(local=[local(source)]).entries("loss")
    # A base with heirs in the file is not a component.
    heir = "\nclass Mild(Base):\n    def value(self, xp, r): ...\n"
    assert offered(Registry.discover(local=[local(HEAD + ABSTRACT + heir)])) == ["mild"]


BROKEN_BESIDE = {
    "another kind of space": (
        "class Odd(CategoricalLoss):\n    prediction = VECTOR\n    target = REAL\n",
        ["which cannot be made: TypeError", "derive Odd from PointwiseLoss", "(my_loss.py:"]),
    "an attribute without a type": (
        "class Odd(Mild):\n    scale = 2.0\n", ["`scale = 2.0` has no type", "(my_loss.py:"]),
    "an error in its body": (
        "class Odd(Mild):\n    half = 1 / 0\n", ["ZeroDivisionError", "(my_loss.py:"]),
    "what is not finished": ("class Odd(DistanceLoss):\n    pass\n", ["define value"]),
    "an heir of a class that is broken": (
        "class _Base(DistanceLoss):\n    half = 1 / 0\n\n\nclass Odd(_Base):\n    pass\n",
        ["ZeroDivisionError"]),
}  # fmt: skip
WHOLE = '''
from __future__ import annotations

from lossfw import REAL, VECTOR, CategoricalLoss, DistanceLoss


class Mild(DistanceLoss):
    """A square."""

    def value(self, xp, r):
        return r * r


'''


@pytest.mark.parametrize("case", BROKEN_BESIDE)
@pytest.mark.parametrize("is_first", [True, False])
def test_one_bad_class_does_not_cost_its_file(case, is_first, local):
    source, words = BROKEN_BESIDE[case]
    tender = WHOLE[WHOLE.index("class Mild") :].replace("Mild", "Tender")
    path = local(WHOLE + (source + "\n\n" + tender if is_first else tender + "\n\n" + source))
    registry = Registry.discover(local=[path], plugins=False)
    assert offered(registry) == ["mild", "odd", "tender"]
    assert registry.create("loss", "mild")([3.0], [1.0]) == 4.0
    assert registry.create("loss", "tender")([3.0], [1.0]) == 4.0
    with pytest.raises(BrokenPluginError) as caught:
        registry.create("loss", "odd")
    for word in ("offers the loss 'odd'", *words):
        assert word in str(caught.value)
    states = {e.name: e.state for e in registry.import_all("loss") if e.plugin.path is not None}
    assert states == {"mild": "loaded", "odd": "broken", "tender": "loaded"}


def test_a_plain_class_that_fails_is_an_error_of_its_file(local):
    path = local(WHOLE + "class Table:\n    half = 1 / 0\n")
    with pytest.raises(BrokenPluginError, match=r"ZeroDivisionError.*\(my_loss\.py:\d+\)"):
        Registry.discover(local=[path])
