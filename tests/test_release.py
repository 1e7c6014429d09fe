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
    for name in ("b/page.html", "a/page.html", "index.html"):
        page = tmp_path / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(name)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        release.archive(tmp_path / "pages", tmp_path / name / "lossfw-site.zip")
        (tmp_path / "pages/b/page.html").touch()
    first, second = (tmp_path / name / "lossfw-site.zip" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert names == [f"lossfw-site/{one}" for one in ("a/page.html", "b/page.html", "index.html")]


def test_an_archive_without_a_first_page_is_refused(release, tmp_path):
    (tmp_path / "pages").mkdir()
    with pytest.raises(SystemExit, match=r"expected an index\.html"):
        release.archive(tmp_path / "pages", tmp_path / "lossfw-site.zip")
    assert not (tmp_path / "lossfw-site.zip").exists()


def test_a_site_that_fails_fails_the_release(release, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(release, "packages", lambda out: None)
    # Without pages `lossfw site` says what it expected, and exits with 2.
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["make_release.py", str(tmp_path / "dist")])
    with pytest.raises(SystemExit, match=r"the release is not complete: .* site .* failed"):
        release.main()
    assert list((tmp_path / "dist").iterdir()) == []
    assert "lossfw: error: " in capfd.readouterr().err


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
