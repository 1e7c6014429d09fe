"""Names: aliases, doubled names, choosing a plugin, disabling one."""

import sys

import pytest

from lossfw.components.registry import Registry
from lossfw.errors import DisabledPluginError, DuplicateNameError, UnknownNameError
from support.plugin_sources import plugin


@pytest.fixture
def rivals(install):
    """Two distributions that offer the same name, and one name each of their own."""
    install(
        "acme-losses", {"acme": "acme_plugin"}, {"acme_plugin": plugin("Mild", "Tender")}, "1.1"
    )
    install("bolt", {"bolt": "bolt_plugin"}, {"bolt_plugin": plugin("Mild", "Velvet")}, "2.2")


def state(registry, label):
    return next((p.state, p.reason) for p in registry.plugins() if p.label == label)


def test_a_doubled_name_is_an_error_that_names_both(rivals):
    registry = Registry.discover()
    with pytest.raises(DuplicateNameError) as caught:
        registry.resolve("loss", "mild")
    message = str(caught.value)
    for words in ("acme-losses[acme] 1.1", "bolt[bolt] 2.2", "'acme-losses/mild'", "'bolt/mild'"):
        assert words in message
    assert registry.resolve("loss", "tender").distribution == "acme-losses"
    assert state(registry, "bolt[bolt]") == (
        "conflict",
        "the loss 'mild' is offered by acme-losses[acme] 1.1 too",
    )


def test_an_unknown_name_of_another_kind(rivals):
    with pytest.raises(UnknownNameError, match=r"no metric 'tender'.*another kind: loss"):
        Registry.discover().resolve("metric", "tender")


def test_an_unknown_kind():
    with pytest.raises(UnknownNameError, match=r"no kind 'los'. Did you mean 'loss'"):
        Registry.discover().resolve("los", "mild")


def test_disabling_removes_a_rival_before_it_is_imported(rivals, monkeypatch):
    monkeypatch.setenv("LOSSFW_DISABLE", " other , Acme_losses")
    registry = Registry.discover()
    assert registry.resolve("loss", "mild").label == "bolt[bolt]"
    assert state(registry, "acme-losses[acme]") == ("disabled", "LOSSFW_DISABLE")
    assert "acme_plugin" not in sys.modules
    with pytest.raises(DisabledPluginError, match=r"acme-losses\[acme\] 1\.1.*LOSSFW_DISABLE"):
        registry.resolve("loss", "acme-losses/tender")
