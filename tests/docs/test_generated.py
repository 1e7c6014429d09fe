"""Generated pages of the documentation are those that would be generated now."""

import importlib.util
import re
from dataclasses import fields
from pathlib import Path

import pytest

import lossfw
from lossfw.check.accuracy.measure import DTYPES
from lossfw.cli.accuracy import choose_components
from lossfw.cli.main import COMMANDS
from lossfw.components.claims import ActivationClaims, Claims
from lossfw.components.hookspecs import HOOKS, LIFE_CYCLE, TRAINING_CYCLE
from lossfw.components.plugin_choice import Plugins
from support.wild.cases import CASES

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
VERSION = r"\d+(\.\d+)+\S*"


def script(name):
    """Return a module of scripts/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = script("make_reference").PAGES


def rows(text, marker="| `"):
    """Return the first cell of each row of the tables that begins with code."""
    return [line.split("`")[1] for line in text.splitlines() if line.startswith(marker)]


def headings():
    pages = "\n".join((REFERENCE / name).read_text() for name in PAGES if name.endswith(".md"))
    return re.findall(r"^#+ (.*)$", pages, re.M)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_make_reference_writes(name):
    assert (REFERENCE / name).read_text() == PAGES[name]()


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([*HOOKS.values(), *LIFE_CYCLE, *TRAINING_CYCLE], id="hooks"),
        pytest.param([f.name for f in fields(Claims)], id="claims"),
        pytest.param([f.name for f in fields(ActivationClaims)], id="claims of activations"),
        pytest.param(list(COMMANDS), id="commands"),
        *(
            pytest.param(
                [e.name for e in lossfw.registry().entries(kind) if e.plugin.builtin], id=kind
            )
            for kind in HOOKS
        ),
    ],
)
def test_everything_has_a_heading_in_the_reference(names):
    assert [name for name in names if name not in headings()] == []


@pytest.mark.slow
def test_the_page_of_accuracies_has_a_row_for_each_component_and_no_other():
    page = (REFERENCE / "accuracy.md").read_text()
    components = choose_components(Plugins(installed=False).registry(), (), {})
    wanted = [repr(component) for component in components for _ in DTYPES]
    assert sorted(rows(page)) == sorted(wanted)
    assert re.search(rf"^Measured by lossfw {VERSION} at [\d,]+ points", page, re.M)
    assert re.search(
        rf"^The other libraries are torch {VERSION}, optax {VERSION} on JAX {VERSION}, "
        rf"keras {VERSION} on jax, scikit-learn {VERSION}\.", page, re.M
    )  # fmt: skip


def test_the_page_of_other_libraries_has_a_row_for_each_case_and_no_other():
    page, made = (ROOT / "docs/explanation/in-the-wild.md").read_text(), script("make_wild")
    assert sorted(rows(page)) == sorted(map(str, CASES))
    for title in made.LIBRARIES.values():
        assert re.search(rf"^## {title} {VERSION}$", page, re.M)
        assert re.search(rf"^\| {title} {VERSION} \| \d+ \|", page, re.M)
    assert made.by_hand() in page
