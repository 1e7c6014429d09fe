"""Names: those built in, aliases, doubled ones, and what a component is made from."""

import sys

import pytest

from lossfw.components.registry import KINDS, Registry
from lossfw.errors import (
    ArgumentError,
    DisabledPluginError,
    DuplicateNameError,
    ParameterError,
    UnknownNameError,
)
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
    with pytest.raises(UnknownNameError, match=r"no metric 'tender'.*another kind: loss"):
        registry.resolve("metric", "tender")
    with pytest.raises(UnknownNameError, match=r"no kind 'los'. Did you mean 'loss'"):
        registry.resolve("los", "mild")
    told = "the loss 'mild' is offered by acme-losses[acme] 1.1 too"
    assert state(registry, "bolt[bolt]") == ("conflict", told)


def test_disabling_removes_a_rival_before_it_is_imported(rivals, monkeypatch):
    monkeypatch.setenv("LOSSFW_DISABLE", " other , Acme_losses")
    registry = Registry.discover()
    assert registry.resolve("loss", "mild").label == "bolt[bolt]"
    assert state(registry, "acme-losses[acme]") == ("disabled", "LOSSFW_DISABLE")
    assert "acme_plugin" not in sys.modules
    with pytest.raises(DisabledPluginError, match=r"acme-losses\[acme\] 1\.1.*LOSSFW_DISABLE"):
        registry.resolve("loss", "acme-losses/tender")


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ({"c": 2.0}, ParameterError, "needs 'name', got {'c': 2.0}"),
        ({}, ParameterError, "needs 'name', got {}"),
        ({"name": 3}, ParameterError, "'name' of a loss should be a string, got 3"),
        ({"name": "mild", 1: 2}, ParameterError, "should be a string, got 1"),
        ({"name": "mild", "d": 2}, ParameterError, "no parameter 'd'"),
        (3.0, ArgumentError, "got float: 3.0"),
        (None, ArgumentError, "got NoneType"),
        (["mild"], ArgumentError, "got list"),
        ("", UnknownNameError, "no loss ''"),
        ("/mild", UnknownNameError, "no plugin ''"),
        ("acme/", UnknownNameError, "offers no loss ''"),
    ],
)
def test_what_describes_no_component(install, spec, error, message):
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": plugin("Mild")})
    registry = Registry.discover()
    with pytest.raises(error) as caught:
        registry.create("loss", spec)
    assert message in str(caught.value)
    with pytest.raises(ArgumentError, match=r"expected a metric, got the loss Mild"):
        registry.create("metric", registry.create("loss", "mild"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_built_in_component_is_what_it_is_offered_as(kind):
    built_in = Registry.discover(plugins=False)
    entries = [e for e in built_in.entries(kind) if e.plugin.builtin]
    assert entries
    for entry in entries:
        cls = built_in.component_class(kind, entry.name)
        assert cls._summary(), f"{cls.__name__} has no docstring"
        assert built_in.resolve(kind, f"lossfw/{entry.name}").state == "loaded"
        for alias in entry.aliases:
            assert built_in.resolve(kind, alias).name == entry.name


def test_lossfw_on_the_path_without_its_metadata_says_what_to_do(tmp_path, monkeypatch):
    # A path without any installed distribution; the modules are imported already.
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(UnknownNameError, match=r"No loss is known[^\n]*\n.*install it with pip"):
        Registry.discover().resolve("loss", "squared_error")
