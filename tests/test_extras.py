"""Hints to install an extra name the place that lossfw came from, not a name on an index."""

import json
import re
from pathlib import Path

import pytest

from lossfw import extras
from support.project_files import project_files

ROOT = Path(__file__).parents[1]
COMMIT = "a" * 40


def record(**more):
    return json.dumps({"url": "https://example.org/lossfw", **more})


@pytest.fixture
def recorded(monkeypatch):
    """Let the installer have recorded something, and return the command for an extra."""

    def command(text):
        class Distribution:
            def read_text(self, name):
                assert name == "direct_url.json"
                return text

        monkeypatch.setattr(extras.metadata, "distribution", lambda name: Distribution())
        extras._origin.cache_clear()
        return extras.install_command("report")

    yield command
    extras._origin.cache_clear()


def test_a_checkout_or_a_wheel_is_named_by_its_path(recorded, tmp_path):
    folder = tmp_path / "my work"
    folder.mkdir()
    wheel = folder / "lossfw-1.whl"
    wheel.touch()
    quoted = re.escape(str(folder))
    editable = recorded(record(url=folder.as_uri(), dir_info={"editable": True}))
    assert re.fullmatch(rf"pip install -e '{quoted}\[report\]'", editable)
    plain = recorded(record(url=folder.as_uri(), dir_info={}))
    assert re.fullmatch(rf"pip install '{quoted}\[report\]'", plain)
    of_wheel = recorded(record(url=wheel.as_uri(), archive_info={}))
    assert re.fullmatch(rf"pip install '{quoted}/lossfw-1\.whl\[report\]'", of_wheel)


def test_a_repository_and_an_address_are_named(recorded):
    vcs = recorded(record(vcs_info={"vcs": "git", "commit_id": COMMIT}))
    assert vcs == f"pip install 'lossfw[report] @ git+https://example.org/lossfw@{COMMIT}'"
    address = recorded(record(archive_info={}))
    assert address == "pip install 'lossfw[report] @ https://example.org/lossfw'"


def test_an_index_or_a_place_that_is_gone_leaves_the_name(recorded, tmp_path):
    gone = (tmp_path / "gone").as_uri()
    for text in (None, record(url=gone, dir_info={"editable": True})):
        assert recorded(text) == "pip install 'lossfw[report]'"


def test_a_checkout_that_is_only_on_the_path_is_named(monkeypatch):
    def not_installed(name):
        raise extras.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(extras.metadata, "distribution", not_installed)
    extras._origin.cache_clear()
    assert extras.install_command("fast") == f"pip install -e '{ROOT}[fast]'"
    extras._origin.cache_clear()


def test_no_source_and_no_page_writes_the_command_itself():
    pages = (f"docs/{folder}/*.md" for folder in ("how-to", "reference", "tutorial"))
    names = project_files("lossfw/*.py", "plugins/*.py", "lossfw/*.md", "plugins/*.md", *pages)
    written = re.compile(r"pip install '?lossfw\[")
    found = [name for name in names if written.search((ROOT / name).read_text())]
    assert found == []
