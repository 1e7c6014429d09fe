"""Each file and each name that the page of the architecture links to exists."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "architecture.md"
LINK = re.compile(r"\[`([^`]+)`\]\(([^)#]+)\)")


def defined(path):
    """Return the functions, classes, methods and fields of a file, as `f` and `C.f`."""
    return set(_names(ast.parse(path.read_text()).body, ""))


def _names(body, prefix):
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _names(node.body, f"{prefix}{node.name}.")
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        yield from (prefix + ast.unparse(target) for target in targets)


def test_the_page_links_to_names():
    assert len(LINK.findall(PAGE.read_text())) > 40


@pytest.mark.parametrize(("name", "link"), sorted(set(LINK.findall(PAGE.read_text()))))
def test_a_name_of_the_page_is_defined_in_the_file_that_it_links_to(name, link):
    path = (PAGE.parent / link).resolve()
    assert path.exists(), link
    if "/" not in name and not name.endswith((".py", ".md")):
        assert name in defined(path)
