"""Finding plugins: metadata is read, and nothing is imported."""

from lossfw.components.registry import find_plugins


def ours(plugins):
    return [p for p in plugins if p.distribution != "lossfw"]


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
