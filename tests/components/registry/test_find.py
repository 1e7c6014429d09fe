"""Finding plugins: metadata is read, and nothing is imported."""

import sys

from lossfw.components.registry import find_plugins
from lossfw.components.registry.find import find_local_plugins


def ours(plugins):
    return [p for p in plugins if p.distribution != "lossfw"]


def test_the_built_in_plugin_comes_in_by_the_same_door():
    (built_in,) = find_plugins("lossfw")
    assert built_in.label == "lossfw[std]"
    assert built_in in find_plugins()
    assert built_in.builtin


def test_a_record_tells_where_a_plugin_comes_from(install):
    install("acme-losses", {"robust": "acme_pkg.plug:hooks"}, {}, version="2.5")
    (found,) = ours(find_plugins())
    assert found.label == "acme-losses[robust]"
    assert (found.version, found.target) == ("2.5", "acme_pkg.plug:hooks")
    assert not found.builtin


def test_nothing_is_imported_and_the_order_is_that_of_the_labels(install):
    bomb = {"never_imported": "raise RuntimeError"}
    install("zeta", {"b": "never_imported", "a": "never_imported"}, bomb)
    install("alpha", {"z": "never_imported"}, {})
    assert [p.label for p in ours(find_plugins())] == ["alpha[z]", "zeta[a]", "zeta[b]"]
    assert "never_imported" not in sys.modules


def test_the_copy_that_comes_first_on_the_path_counts(install, tmp_path, monkeypatch):
    site = install("acme", {"old": "acme_old"}, {})
    first = tmp_path / "first"
    first.mkdir()
    (site / "acme-1.0.dist-info").rename(first / "acme-1.0.dist-info")
    install("acme", {"new": "acme_new"}, {}, version="2.0")
    monkeypatch.syspath_prepend(first)
    assert [p.label for p in ours(find_plugins())] == ["acme[old]"]


def test_a_shadowed_copy_does_not_shine_through(install, tmp_path, monkeypatch):
    install("acme", {"old": "acme_old"}, {})
    first = tmp_path / "first" / "acme-3.0.dist-info"
    first.mkdir(parents=True)
    (first / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 3.0\n")
    monkeypatch.syspath_prepend(first.parent)
    assert ours(find_plugins()) == []


def test_metadata_that_cannot_be_read_is_found_with_its_problem(install):
    site = install("acme", {}, {})
    (site / "acme-1.0.dist-info" / "entry_points.txt").write_text("[lossfw]\nno equals sign\n")
    (found,) = ours(find_plugins())
    assert found.distribution == "acme"
    assert "entry_points.txt" in found.problem


def test_a_distribution_without_a_name_disturbs_nobody(install):
    site = install("acme", {"acme": "acme_plugin"}, {})
    nameless = site / "nameless-1.0.dist-info"
    nameless.mkdir()
    (nameless / "entry_points.txt").write_text("[lossfw]\nx = y\n")
    assert [p.label for p in ours(find_plugins())] == ["acme[acme]"]


def test_a_distribution_that_is_not_installed_has_no_plugins():
    assert find_plugins("surely-not-installed") == ()


def test_a_local_file_counts_once_whatever_it_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (found,) = find_local_plugins(["my_loss.py", tmp_path / "my_loss.py"])
    assert (found.label, found.distribution) == ("my_loss.py", "my_loss")
