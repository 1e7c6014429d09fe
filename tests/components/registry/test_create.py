"""Building a component from a name, a mapping or a component."""

import pytest

from lossfw.components.registry import Registry
from lossfw.errors import ArgumentError, ParameterError, UnknownNameError
from support.plugin_sources import plugin


@pytest.fixture
def registry(install):
    install("acme", {"acme": "acme_plugin"}, {"acme_plugin": plugin("Mild")})
    return Registry.discover()


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
def test_what_describes_no_component(registry, spec, error, message):
    with pytest.raises(error) as caught:
        registry.create("loss", spec)
    assert message in str(caught.value)


def test_a_component_of_another_kind(registry):
    with pytest.raises(ArgumentError, match=r"expected a metric, got the loss Mild"):
        registry.create("metric", registry.create("loss", "mild"))
