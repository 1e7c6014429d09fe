"""What a release needs, as far as it can be tried without publishing."""

import importlib.util
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from lossfw import __version__

ROOT = Path(__file__).parents[1]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))


@pytest.fixture(scope="module")
def release():
    """The module scripts/make_release.py."""
    spec = importlib.util.spec_from_file_location("r", ROOT / "scripts/make_release.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_tag_has_to_be_the_version(release):
    release.check_tag(f"v{__version__}")
    with pytest.raises(SystemExit, match=f"expected the tag v{re.escape(__version__)}"):
        release.check_tag("v9.9.9")


def test_an_archive_has_the_same_bytes_for_the_same_pages(release, tmp_path):
    for name in ("b", "a"):
        page = tmp_path / "pages" / name / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(name)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        release.archive(tmp_path / "pages", tmp_path / name / "lossfw-site.zip")
        (tmp_path / "pages/b/index.html").touch()
    first, second = (tmp_path / name / "lossfw-site.zip" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert names == ["lossfw-site/a/index.html", "lossfw-site/b/index.html"]


def test_the_workflow_builds_before_it_publishes_and_only_for_a_tag():
    jobs = WORKFLOW["jobs"]
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["if"] == "github.ref_type == 'tag'"
    assert "id-token" not in WORKFLOW["permissions"]
    run = " ".join(step.get("run", "") for step in jobs["build"]["steps"])
    assert "make release" in run
    assert all((ROOT / path).is_file() for path in re.findall(r"scripts/\w+\.py", run))
    assert re.search(r"^release: ", (ROOT / "Makefile").read_text(), re.M)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_of_an_issue_is_complete(path):
    form = yaml.safe_load(path.read_text())
    if path.stem == "config":
        return
    assert {"name", "description", "body"} <= set(form)
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids))
    assert all(field["attributes"]["label"] for field in form["body"])
    assert {field["type"] for field in form["body"]} <= {"input", "textarea"}


def test_the_citation_names_the_version_and_the_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert str(citation["version"]) == __version__
    assert citation["license"] == "MIT"
    assert [a["name"] for a in citation["authors"]] == [a["name"] for a in project["authors"]]
    assert citation["cff-version"] == "1.2.0"
