"""The Python reference: each public name is on the page of its module, or has a page."""

import importlib
import pkgutil
import re
import shutil
import sys

import pytest

import lossfw
from lossfw import bridges
from lossfw.report.site.python_pages import public_names, without_libraries, write_python_pages
from support.site_content import DOCS

pytest.importorskip("sphinx")
pytest.importorskip("numpydoc")

PAGE = (DOCS / "reference/python.md").read_text()
MODULES = re.findall(r"^<!-- python: (\S+) -->$", PAGE, re.M)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A folder with the page and what is made of it."""
    root = tmp_path_factory.mktemp("docs")
    (root / "reference").mkdir()
    shutil.copy(DOCS / "reference/python.md", root / "reference")
    with without_libraries():
        write_python_pages(root)
    return root / "reference"


def test_the_page_lists_every_module_that_says_what_it_offers():
    offering = {
        f"lossfw.bridges.{one.name}"
        for one in pkgutil.iter_modules(bridges.__path__)
        if re.search(r"^__all__", (DOCS.parent / f"lossfw/bridges/{one.name}.py").read_text(), re.M)
    }
    named = {
        f"lossfw.{name}" for name in ("check", "data", "errors", "metrics", "models", "numerics")
    }
    learning = "lossfw.learning.derivatives"
    assert set(MODULES) == {"lossfw", "lossfw.bridges", learning, *offering, *named}


@pytest.mark.parametrize("path", MODULES)
def test_every_public_name_is_on_a_page(path, reference):
    with without_libraries():
        names = public_names(importlib.import_module(path))
    text = (reference / "python.md").read_text()
    (section,) = re.findall(rf"^## {re.escape(path)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    found = set(re.findall(r"^\| (?:`(\w+)`|\[(\w+)\])", section.replace("\\_", "_"), re.M))
    assert {one or other for one, other in found} >= set(names)
    links = re.findall(r"\]\((python/[^)]+)\)", section)
    assert links
    assert [link for link in links if not (reference / link).is_file()] == []
    # Each row says what it is.
    assert not re.search(r"^\| [^|]+\| *\|$", section, re.M)


def test_a_module_without_its_library_is_forgotten(reference):
    if importlib.util.find_spec("keras") is None:
        assert "lossfw.bridges.keras" not in sys.modules
        assert not hasattr(bridges, "keras")
    assert lossfw.bridges is bridges
