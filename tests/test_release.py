"""What a release needs, as far as it can be tried without publishing."""

import fnmatch
import importlib.util
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from lossfw import __version__
from support.project_files import project_files

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HEADS = {"Added", "Changed", "Fixed", "Known limits"}
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


def test_the_changelog_has_to_say_the_day(release):
    release.check_changelog(f"# Changelog\n\n## {__version__} (2026-12-24)\n")
    for head in (f"## {__version__} (not released yet)", f"## {__version__}0 (2026-12-24)"):
        with pytest.raises(SystemExit, match=r"expected the heading .*YYYY-MM-DD"):
            release.check_changelog(head)


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
    assert set(jobs["publish"]["needs"]) == {"build", "nightly"}
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
    project = PROJECT["project"]
    assert str(citation["version"]) == __version__
    assert citation["license"] == "MIT"
    assert [a["name"] for a in citation["authors"]] == [a["name"] for a in project["authors"]]
    assert citation["cff-version"] == "1.2.0"


def test_every_address_of_the_project_is_the_same():
    source = PROJECT["project"]["urls"]["Source"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["repository-code"] == source
    assert all(url.startswith(source) for url in PROJECT["project"]["urls"].values())
    owner, name = source.split("/")[-2:]
    hook = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for one in hook["substitutions"]:
        assert f".com/{owner}/{name}/" in one["replacement"]
    owners = re.findall(r"@\S+", (ROOT / ".github/CODEOWNERS").read_text())
    assert {one.partition("/")[0] for one in owners} == {f"@{owner}"}


def test_the_readme_of_a_package_has_no_relative_link():
    text = (ROOT / "README.md").read_text()
    hook = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for one in hook["substitutions"]:
        text = re.sub(one["pattern"], one["replacement"], text)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 40
    assert [link for link in links if not link.startswith("https://")] == []
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert pictures
    assert all(link.startswith("https://raw.githubusercontent.com/") for link in pictures)


def test_an_action_is_pinned_to_a_commit_and_names_its_release():
    text = "\n".join(path.read_text() for path in WORKFLOWS)
    used = set(re.findall(r"^ *- uses: (.*)$", text, re.M))
    pinned = r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert [one for one in used if not re.fullmatch(pinned, one)] == []
    # One release of each, in all workflows.
    assert len({one.partition("@")[0] for one in used}) == len(used) > 0


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_names_what_there_is(path):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    runs = [
        step["run"]
        for job in yaml.safe_load(path.read_text())["jobs"].values()
        for step in job.get("steps", [])  # none where it calls another workflow
        if "run" in step
    ]
    made = [name for run in runs for name in re.findall(r"^make (?:-C \S+ )?(\w+)", run)]
    assert set(made) <= set(targets)
    paths = r"(?<![\w/])(?:tests|scripts|configs|\.ci)/[\w/.]+"
    named = [name for run in runs for name in re.findall(paths, run)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_wheel_is_tried_on_every_system_and_python_that_the_project_supports():
    workflow = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text())
    matrix = workflow["jobs"]["wheel"]["strategy"]["matrix"]
    classifiers = PROJECT["project"]["classifiers"]
    assert matrix["python"] == [c.rpartition(" :: ")[2] for c in classifiers if " :: 3." in c]
    assert {one.partition("-")[0] for one in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert "needs" in workflow["jobs"]["wheel"]


def test_an_sdist_has_every_file_of_the_project():
    given = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    # What hatchling adds by itself.
    patterns = [*given, "/pyproject.toml", "/LICENSE", "/.gitignore", "/PKG-INFO"]
    tops = {f"/{name.partition('/')[0]}" for name in project_files("*")}
    assert [top for top in tops if not any(fnmatch.fnmatch(top, p) for p in patterns)] == []


def test_each_change_is_one_line_of_the_changelog():
    _, _, changes = (ROOT / "CHANGELOG.md").read_text().partition("\n## ")
    changes = re.sub(r"\]\([^)]*\)", "]", changes)
    lines = [line for line in changes.splitlines()[1:] if line and not line.startswith("#")]
    listed = [line for line in lines if line.startswith("- ")]
    assert len(listed) > 20
    assert [line for line in listed if len(line) > 102] == []
    assert [line for line in lines if line.startswith(" ")] == []
    heads = re.findall(r"^### (.*)$", changes, re.M)
    assert {head.partition(":")[0] for head in heads} <= HEADS


def test_a_commit_is_linted_by_the_command_of_the_makefile():
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (hook,) = repo["hooks"]
    assert repo["repo"] == "local"
    assert (hook["entry"], hook["pass_filenames"]) == ("make lint", False)
