"""Links of the README, the changelog, the index and the architecture; numbers and extras."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import lossfw_std

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()

DOCS = ROOT / "docs"

PAGE = DOCS / "explanation" / "architecture.md"

LINK = re.compile(r"\[`([^`]+)`\]\(([^)#]+)\)")


def test_every_extra_is_explained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", README, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert told == set(project["optional-dependencies"])


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def anchors(page):
    """Return the targets of the headings of a page, as GitHub and the site name them."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text(), flags=re.M | re.S)
    plain = (
        re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title)
        for title in re.findall(r"^#+ (.*)$", text, re.M)
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page):
    text = re.sub(r"^(`{3,}).*?^\1$|`[^`\n]*`", "", page.read_text(), flags=re.M | re.S)
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        there = (page.parent / path) if path else page
        if "://" in link or link.startswith("mailto:"):
            continue
        if not there.exists() or (
            anchor and there.suffix == ".md" and anchor not in anchors(there)
        ):
            dead.append(link)
    assert dead == []


def test_the_readme_links_every_how_to_of_a_library():
    pages = {"catboost", "jax", "keras", "lightgbm", "pytorch", "scikit-learn", "xgboost"}
    assert {page for page in pages if f"(docs/how-to/{page}.md)" not in README} == set()


@pytest.mark.parametrize("page", [README, CHANGELOG], ids=["README", "CHANGELOG"])
def test_the_numbers_of_components_are_those_of_the_plugin(page):
    tables = {
        "losses": lossfw_std.lossfw_losses(),
        "activations": lossfw_std.lossfw_activations(),
        "metrics": lossfw_std.lossfw_metrics(),
    }
    # The other rows are aliases.
    classes = {k: [path for path in t.values() if ":" in path] for k, t in tables.items()}
    counts = {kind: len(paths) for kind, paths in classes.items()}
    counts["wrappers"] = sum(".wrappers:" in path for path in classes["losses"])
    counts["losses"] -= counts["wrappers"]
    told = re.findall(r"(\d+) (losses|activations|metrics|wrappers)\b", " ".join(page.split()))
    assert told
    assert {kind: int(number) for number, kind in told}.items() <= counts.items()


def test_the_index_leads_to_every_page():
    pages = {p.relative_to(DOCS).as_posix() for p in DOCS.glob("*/*.md")}
    linked = set(re.findall(r"\]\(([\w/-]+\.md)\)", (DOCS / "index.md").read_text()))
    # All are in the repository, where people read it too.
    assert linked == pages


def defined(body, prefix=""):
    """Return the functions, classes, methods and fields of a module, as `f` and `C.f`."""
    names = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(prefix + node.name)
        if isinstance(node, ast.ClassDef):
            names |= defined(node.body, f"{prefix}{node.name}.")
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        names |= {prefix + ast.unparse(target) for target in targets}
    return names


@pytest.mark.parametrize(("name", "link"), sorted(set(LINK.findall(PAGE.read_text()))))
def test_a_name_of_the_page_is_defined_in_the_file_that_it_links_to(name, link):
    path = (PAGE.parent / link).resolve()
    assert path.exists(), link
    if "/" not in name and not name.endswith((".py", ".md")):
        assert name in defined(ast.parse(path.read_text()).body)
