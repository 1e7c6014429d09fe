"""parametrize_with_checks and the plugin: checks as cases of pytest."""

import subprocess
import sys
from unittest.mock import Mock, patch
from xml.etree import ElementTree

import pytest

import lossfw
import lossfw_pytest
from lossfw.check import parametrize_with_checks, pytest_plugin
from lossfw.check.checks import CHECKS
from lossfw.check.core.search import Check
from lossfw.errors import HarnessError
from support.failing import harness_that_raises
from support.waiting import HANGS

# Only of an editable install; see pyproject.toml.
EDITABLE = "ignore:Module already imported so cannot be rewritten. _editable_impl_lossfw"

MINE = """
from lossfw import Claims, DistanceLoss
from lossfw.check import parametrize_with_checks


class Rounded(DistanceLoss):
    # Small residuals lose digits, and it is not convex.
    def value(self, xp, r):
        return xp.log(1 + r * r)

    def claims(self):
        return Claims(convex=True)


@parametrize_with_checks([Rounded(), "absolute_error"], examples=20STRICT)
def test_mine(component, check):
    check(component)
"""


@pytest.fixture
def session(tmp_path):
    """Run a test file in a session of its own and return what pytest says."""

    def run(source, *options):
        (tmp_path / "pytest.ini").write_text(
            f"[pytest]\nfilterwarnings =\n    error\n    {EDITABLE}\n"
        )
        (tmp_path / "test_it.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=HANGS)
        return done.stdout + done.stderr

    return run


@pytest.mark.slow
def test_each_check_is_a_case_and_a_note_is_a_warning_and_a_property(session, tmp_path):
    only = "claim:convex or (value and not value:) or shape:result"
    options = ("-k", only, "-W", "default::lossfw.errors.CheckNote", "--junitxml", "it.xml")
    said = session(MINE.replace("STRICT", ""), *options)
    assert "test_it.py::test_mine[AbsoluteError()-claim:convex] PASSED" in said
    assert "test_it.py::test_mine[Rounded()-claim:convex] FAILED" in said
    assert "to reproduce:" in said
    assert "1 failed" in said
    assert "test_mine[Rounded()-value] PASSED" in said
    assert "CheckNote: Rounded(): nothing wrong, 1 note: value" in said
    note, *_ = ElementTree.parse(tmp_path / "it.xml").iterfind(".//property[@name='note']")
    assert "note, loses digits: value" in note.get("value")
    said = session(MINE.replace("STRICT", ", strict=True"), *options)
    assert "test_mine[Rounded()-value] FAILED" in said


@pytest.mark.parametrize(
    ("option", "setting", "strict"),
    [(False, False, False), (True, False, True), (False, True, True)],
)
def test_the_plugin_is_strict_by_an_option_or_a_setting(option, setting, strict):
    config = Mock()
    options = {"--lossfw-check": ["squared_error"], "--lossfw-strict": option}
    config.getoption, config.getini = options.get, {"lossfw_strict": setting}.get
    lossfw_pytest.pytest_configure(config)
    (checks, _), _ = config.pluginmanager.register.call_args
    root = Mock(collect=list)
    with patch.object(pytest_plugin._Root, "from_parent", return_value=root):
        checks.pytest_collection_modifyitems(Mock(), [])
    assert root.strict is strict


def cases(*arguments, **options):
    return parametrize_with_checks(*arguments, **options).args[1]


def test_expectations_are_those_of_one_component_where_it_is_named():
    expected = {"huber": {"convex": "to see it"}, "nonnegative": "for both"}
    marked = [c.id for c in cases(["huber", "hinge"], expected_failures=expected) if c.marks]
    assert marked == [
        "Huber(delta=1.0)-claim:nonnegative",
        "Huber(delta=1.0)-claim:convex",
        "Hinge(margin=1.0)-claim:nonnegative",
    ]


def test_another_component_may_come_to_the_body():
    (case,) = [c for c in cases(["huber"], examples=10) if c.values[1].name == "nan"]
    case.values[1](lossfw.loss("squared_error"))
    (case,) = [c for c in cases(["huber"]) if c.values[1].name == "claim:lipschitz"]
    with pytest.raises(pytest.skip.Exception, match="does not claim lipschitz"):
        case.values[1](lossfw.loss("squared_error"))


def test_a_mistake_of_the_harness_is_no_failure(monkeypatch):
    monkeypatch.setitem(CHECKS, "nan", Check("nan", harness_that_raises("its own")))
    (case,) = [c for c in cases(["huber"], examples=10) if c.values[1].name == "nan"]
    with pytest.raises(HarnessError, match=r"nan could not be checked: .* AssertionError: its own"):
        case.values[1](case.values[0])


PLAIN = "def test_nothing():\n    pass\n"


def test_the_plugin_tells_a_name_that_means_nothing(session):
    said = session(PLAIN, "--lossfw-check", "hingee")
    assert "did you mean 'hinge'" in said.lower()
    assert "Traceback" not in said
